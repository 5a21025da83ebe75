using Tinctor.Slides;
using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Regions;

/// <summary>Region of a slide.</summary>
/// <param name="Id">Identifier.</param>
/// <param name="Name">Name for people.</param>
/// <param name="Class">Class of the region; null if it has none.</param>
/// <param name="Polygons">Polygons with holes, in pixels of a picture at full resolution; those of one region do not overlap.</param>
internal sealed record MeasuredRegion(string Id, string Name, string? Class, IReadOnlyList<Polygon> Polygons)
{
    /// <summary>Area without holes, in square pixels of the picture.</summary>
    public double Area => Polygons.Sum(polygon => polygon.Area);

    /// <summary>Number of corners.</summary>
    public int Corners => Polygons.Sum(polygon => polygon.Rings.Sum(ring => ring.Length));

    /// <summary>Gets the region in pixels of another picture.</summary>
    /// <param name="scale">Pixels of the other picture per pixel of this one.</param>
    public MeasuredRegion Scaled(double scale) => scale == 1 ? this : this with
    {
        Polygons = [.. Polygons.Select(polygon => new Polygon(
            [.. polygon.Rings.Select(ring => ring.Select(corner => (corner.X * scale, corner.Y * scale)).ToArray())]))],
    };

    /// <summary>Gets the rectangle around the region, cut at the edges of the picture; empty if it lies outside.</summary>
    /// <param name="downsample">Pixels of the picture per pixel of the result.</param>
    /// <param name="width">Width of the picture in pixels of the result.</param>
    /// <param name="height">Height of the picture in pixels of the result.</param>
    public PixelArea Bounds(double downsample, int width, int height)
    {
        (double X, double Y)[] corners = [.. Polygons.SelectMany(polygon => polygon.Rings[0])];
        int left = Within(Math.Floor(corners.Min(corner => corner.X) / downsample), width);
        int top = Within(Math.Floor(corners.Min(corner => corner.Y) / downsample), height);
        int right = Within(Math.Ceiling(corners.Max(corner => corner.X) / downsample), width);
        int bottom = Within(Math.Ceiling(corners.Max(corner => corner.Y) / downsample), height);
        return new(left, top, right - left, bottom - top);
    }

    /// <summary>Gets the mask of a rectangle: pixels whose centres are inside of the region.</summary>
    /// <param name="downsample">Pixels of the picture per pixel of the mask.</param>
    /// <param name="area">The rectangle, in pixels of the mask.</param>
    public bool[] Mask(double downsample, PixelArea area)
    {
        var mask = new bool[area.Width * area.Height];
        foreach (Polygon polygon in Polygons) polygon.Fill(mask, area.Width, area.Height, downsample, left: area.X, top: area.Y);
        return mask;
    }

    private static int Within(double place, int size) => (int)Math.Clamp(place, 0, size);
}
