namespace Tinctor.Slides;

/// <summary>A rectangle of pixels.</summary>
public readonly record struct PixelArea(int X, int Y, int Width, int Height)
{
    /// <summary>The first column to its right.</summary>
    public int Right => X + Width;

    /// <summary>The first row below it.</summary>
    public int Bottom => Y + Height;
}
