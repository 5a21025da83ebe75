using Tinctor.Measurement.Regions;
using Tinctor.Slides;
using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Tests;

/// <summary>Image in memory as a picture, and regions of it.</summary>
internal sealed class ImagePicture(Image image) : IPictureSource
{
    public int Width => image.Width;

    public int Height => image.Height;

    public Image Read(double downsample, PixelArea area, CancellationToken cancel)
    {
        Assert.Equal(1, downsample);
        return image.Crop(area.X, area.Y, area.Width, area.Height);
    }

    public MeasuredRegion Whole => Region(Square(0, 0, Width, Height));

    public static MeasuredRegion Region(params (double X, double Y)[][] rings) => new("1", "Region 1", null, [new Polygon(rings)]);

    public static (double X, double Y)[] Square(double x, double y, double width, double height) =>
        [(x, y), (x + width, y), (x + width, y + height), (x, y + height), (x, y)];
}
