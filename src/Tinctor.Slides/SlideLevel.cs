namespace Tinctor.Slides;

/// <summary>Level of a slide's pyramid.</summary>
/// <param name="Width">Width in pixels.</param>
/// <param name="Height">Height in pixels.</param>
/// <param name="Downsample">Pixels of level 0 per pixel of this level, at least 1.</param>
public sealed record SlideLevel(int Width, int Height, double Downsample);
