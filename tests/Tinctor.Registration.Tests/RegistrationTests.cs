using Tinctor.Slides;

namespace Tinctor.Registration.Tests;

public class RegistrationTests
{
    private static readonly Tissue Tissue = new(1);

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, -0.25)]
    [InlineData(3.37, -4.81)]
    [InlineData(-21.2, 15.7)]
    [InlineData(40.4, 0.3)]
    public void Translation_IsFoundToATenthOfAPixel(double dx, double dy)
    {
        AffineTransform truth = AffineTransform.Translation(dx, dy);
        RegistrationResult found = Register(truth, new());
        Assert.InRange(found.Transform.CornerDistance(truth, 200, 200), 0, 0.1);
        Assert.True(found.NccAfter > 0.98, $"NCC {found.NccAfter}");
    }

    [Theory]
    [InlineData(StructureChannel.Haematoxylin, 0.1)]
    [InlineData(StructureChannel.Grey, 0.3)] // the brown of the one is not in the other
    [InlineData(StructureChannel.Edges, 0.2)]
    public void Translation_BetweenStains_IsFound(StructureChannel channel, double accuracy)
    {
        AffineTransform truth = AffineTransform.Translation(-6.3, 9.6);
        Image source = Tissue.Render(200, 200, AffineTransform.Identity, noise: 20),
            target = Tissue.Render(200, 200, truth, ihc: true, noise: 20);
        RegistrationResult found = ImageRegistration.Estimate(source, target, new() { Channel = channel });
        Assert.InRange(found.Transform.CornerDistance(truth, 200, 200), 0, accuracy);
    }

    [Theory]
    [InlineData(5, 7.3, -3.1)]
    [InlineData(-11, -12, 9)]
    [InlineData(0.4, 1.2, 0)]
    public void Rigid_IsFoundToHalfAPixelAtTheCorners(double degrees, double dx, double dy)
    {
        AffineTransform truth = AffineTransform.Translation(dx, dy).After(AffineTransform.Rotation(degrees * Math.PI / 180, 100, 100));
        Assert.InRange(Register(truth, new() { Transform = TransformKind.Rigid }).Transform.CornerDistance(truth, 200, 200), 0, 0.3);
    }

    [Fact]
    public void Rotation_OfHalfATurn_IsFoundWhereAskedFor()
    {
        AffineTransform truth = AffineTransform.Translation(4, 2).After(AffineTransform.Rotation(170 * Math.PI / 180, 100, 100));
        RegistrationResult found = Register(truth, new() { Transform = TransformKind.Rigid, MaxRotation = 180 });
        Assert.InRange(found.Transform.CornerDistance(truth, 200, 200), 0, 0.3);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Affine_IsFoundToHalfAPixelAtTheCorners(bool ihc)
    {
        AffineTransform truth = AffineTransform.About(100, 100, 1.03, 0.06, -0.05, 0.98, 5.5, -7.25);
        Image source = Tissue.Render(200, 200, AffineTransform.Identity), target = Tissue.Render(200, 200, truth, ihc, noise: 10);
        RegistrationResult found =
            ImageRegistration.Estimate(source, target, new() { Transform = TransformKind.Affine, Channel = StructureChannel.Haematoxylin });
        Assert.InRange(found.Transform.CornerDistance(truth, 200, 200), 0, 0.5);
    }

    [Fact]
    public void ImagesOfOtherSizes_AreRegistered()
    {
        AffineTransform truth = AffineTransform.Translation(-8.5, 3.25);
        Image source = Tissue.Render(200, 180, AffineTransform.Identity), target = Tissue.Render(170, 220, truth);
        Assert.InRange(ImageRegistration.Estimate(source, target, new()).Transform.CornerDistance(truth, 200, 180), 0, 0.1);
    }

    [Fact]
    public void EmptyImages_StayWhereTheyAre()
    {
        var glass = new Image(64, 64, 3);
        glass.Data.AsSpan().Fill(255);
        foreach (TransformKind kind in Enum.GetValues<TransformKind>())
            Assert.Equal(AffineTransform.Identity, ImageRegistration.Estimate(glass, glass, new() { Transform = kind }).Transform);
    }

    [Fact]
    public void Transforms_CombineAndInvert()
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
    public void Warp_ByWholePixels_Copies_AndBringsTheTargetOntoTheSource()
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
    public void CommonArea_IsInsideBoth_AndLarge()
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

    private static RegistrationResult Register(AffineTransform truth, RegistrationOptions options) =>
        ImageRegistration.Estimate(Tissue.Render(200, 200, AffineTransform.Identity), Tissue.Render(200, 200, truth), options);
}
