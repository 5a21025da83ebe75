namespace Tinctor.Staining.WholeSlides;

/// <summary>A tile of a slide.</summary>
/// <param name="Row">Its row in the layout of the slide's tiles.</param>
/// <param name="Column">Its column.</param>
public readonly record struct Tile(int Row, int Column);
