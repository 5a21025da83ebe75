using Tinctor.Registration.Fields;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

public class FieldRegistrationTests
{
    private static readonly Tissue Tissue = new(1);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, -0.25)]
    [InlineData(3.37, -4.81)]
    [InlineData(-21.2, 15.7)]
    [InlineData(40.4, 0.3)]
    public void Estimate_translation_within_tenth_of_pixel(double dx, double dy)
    {
        AffineTransform truth = AffineTransform.Translation(dx, dy);
        RegistrationTransform found = Register(truth, new());
        Assert.InRange(found.Affine.CornerDistance(truth, 200, 200), 0, 0.1);
        Assert.True(found.Quality.Similarity > 0.98, $"NCC {found.Quality.Similarity}");
    }

    [Theory]
    [InlineData(StructureChannel.Haematoxylin, 0.1)]
    [InlineData(StructureChannel.Grey, 0.3)] // only one image has brown stain
    [InlineData(StructureChannel.Edges, 0.2)]
    public void Estimate_translation_between_stains_within_given_accuracy(StructureChannel channel, double accuracy)
    {
        AffineTransform truth = AffineTransform.Translation(-6.3, 9.6);
        Image source = Tissue.Render(200, 200, AffineTransform.Identity, noise: 20),
            target = Tissue.Render(200, 200, truth, ihc: true, noise: 20);
        RegistrationTransform found = FieldRegistration.Estimate(source, target, new() { Channel = channel });
        Assert.InRange(found.Affine.CornerDistance(truth, 200, 200), 0, accuracy);
    }

    [Theory]
    [InlineData(5, 7.3, -3.1)]
    [InlineData(-11, -12, 9)]
    [InlineData(0.4, 1.2, 0)]
    public void Estimate_rigid_within_third_of_pixel_at_corners(double degrees, double dx, double dy)
    {
        AffineTransform truth = AffineTransform.Translation(dx, dy).After(AffineTransform.Rotation(degrees * Math.PI / 180, 100, 100));
        Assert.InRange(Register(truth, new() { Transform = TransformModel.Rigid }).Affine.CornerDistance(truth, 200, 200), 0, 0.3);
    }

    [Fact]
    public void Estimate_finds_rotation_of_170_degrees_if_allowed()
    {
        AffineTransform truth = AffineTransform.Translation(4, 2).After(AffineTransform.Rotation(170 * Math.PI / 180, 100, 100));
        RegistrationTransform found = Register(truth, new() { Transform = TransformModel.Rigid, MaxRotation = 180 });
        Assert.InRange(found.Affine.CornerDistance(truth, 200, 200), 0, 0.3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Estimate_affine_within_half_pixel_at_corners(bool ihc)
    {
        AffineTransform truth = AffineTransform.About(100, 100, 1.03, 0.06, -0.05, 0.98, 5.5, -7.25);
        Image source = Tissue.Render(200, 200, AffineTransform.Identity), target = Tissue.Render(200, 200, truth, ihc, noise: 10);
        RegistrationTransform found =
            FieldRegistration.Estimate(source, target,
                new() { Transform = TransformModel.Affine, Channel = StructureChannel.Haematoxylin });
        Assert.InRange(found.Affine.CornerDistance(truth, 200, 200), 0, 0.5);
    }

    [Fact]
    public void Estimate_images_of_different_sizes_finds_translation()
    {
        AffineTransform truth = AffineTransform.Translation(-8.5, 3.25);
        Image source = Tissue.Render(200, 180, AffineTransform.Identity), target = Tissue.Render(170, 220, truth);
        Assert.InRange(FieldRegistration.Estimate(source, target, new()).Affine.CornerDistance(truth, 200, 180), 0, 0.1);
    }

    [Fact]
    public void Estimate_empty_images_gives_identity()
    {
        var glass = new Image(64, 64, 3);
        glass.Data.AsSpan().Fill(255);
        foreach (TransformModel model in (TransformModel[])[TransformModel.Translation, TransformModel.Rigid, TransformModel.Affine])
            Assert.Equal(AffineTransform.Identity, FieldRegistration.Estimate(glass, glass, new() { Transform = model }).Affine);
    }

    [Fact]
    public void After_and_Inverse_agree_with_Apply()
    {
        AffineTransform a = AffineTransform.About(3, 4, 1.1, 0.2, -0.1, 0.9, 5, 6), b = AffineTransform.Rotation(0.3, 10, 20);
        (double x, double y) = a.After(b).Apply(7, 8);
        (double u, double v) = b.Apply(7, 8);
        Assert.Equal(a.Apply(u, v).X, x, 1e-9);
        Assert.Equal(a.Apply(u, v).Y, y, 1e-9);
        Assert.InRange(a.After(a.Inverse()).CornerDistance(AffineTransform.Identity, 100, 100), 0, 1e-9);
        Assert.InRange(a.Reduced(4).Enlarged(4).CornerDistance(a, 100, 100), 0, 1e-9);
        Assert.Equal((10, 20), b.Apply(10, 20));
    }

    [Fact]
    public void Warp_copies_whole_pixels_and_maps_target_onto_source()
    {
        AffineTransform moved = AffineTransform.Translation(5, -3),
            truth = AffineTransform.About(60, 60, 1.02, 0.03, -0.02, 0.99, 2.5, 1.25);
        Image source = Tissue.Render(120, 120, AffineTransform.Identity);
        var area = new PixelArea(10, 10, 80, 70);
        Image target = Tissue.Render(120, 120, moved);
        Assert.Equal(target.Crop(15, 7, 80, 70).Data, Warp.Apply(target, moved, area).Data);
        Image warped = Warp.Apply(Tissue.Render(120, 120, truth), truth, area), expected = source.Crop(10, 10, 80, 70);
        Assert.InRange(warped.Data.Zip(expected.Data, (p, q) => Math.Abs(p - q)).Average(), 0, 1);
    }

    [Fact]
    public void CommonArea_is_inside_both_images_and_large()
    {
        Assert.Equal(new PixelArea(0, 0, 100, 80), Warp.CommonArea(AffineTransform.Identity, 100, 80, 100, 80));
        Assert.Equal(new PixelArea(4, 0, 96, 77), Warp.CommonArea(AffineTransform.Translation(-3.5, 2.5), 100, 80, 100, 80));
        Assert.Null(Warp.CommonArea(AffineTransform.Translation(200, 0), 100, 80, 100, 80));
        AffineTransform turned = AffineTransform.Rotation(0.1, 50, 40);
        PixelArea area = Warp.CommonArea(turned, 100, 80, 100, 80)!.Value;
        Assert.True(area.Width * area.Height > 5500, $"{area}");
        foreach ((int x, int y) in ((int, int)[])[(area.X, area.Y), (area.X + area.Width - 1, area.Y + area.Height - 1)])
        {
            (double u, double v) = turned.Apply(x, y);
            Assert.True(u is >= 0 and <= 99 && v is >= 0 and <= 79);
        }
    }

    private static RegistrationTransform Register(AffineTransform truth, RegistrationOptions options) =>
        FieldRegistration.Estimate(Tissue.Render(200, 200, AffineTransform.Identity), Tissue.Render(200, 200, truth), options);
}
