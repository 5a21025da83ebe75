namespace Tinctor.Slides;

/// <summary>One level of a slide's pyramid.</summary>
/// <param name="Width">Pixels across.</param>
/// <param name="Height">Pixels down.</param>
/// <param name="Downsample">Pixels of level 0 to one of this level, 1 or more.</param>
public sealed record SlideLevel(int Width, int Height, double Downsample);
