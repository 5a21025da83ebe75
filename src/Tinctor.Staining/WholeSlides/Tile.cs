namespace Tinctor.Staining.WholeSlides;

/// <summary>A tile by its row and column in a <see cref="TileLayout"/>.</summary>
internal readonly record struct Tile(int Row, int Column);
