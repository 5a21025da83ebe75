using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Slides.Tests;

/// <summary>Differentiable stain separation against skimage 0.19, and its gradients.</summary>
public sealed class StainSeparationTests
{
    private static readonly StainSeparation Hed = new(StainMatrix.HaematoxylinEosinDab);

    [Theory]
    [InlineData(ScalarType.Float64, 1e-13), InlineData(ScalarType.Float32, 1e-5)]
    public void Separate_and_Combine_equal_skimage(ScalarType dtype, double tolerance)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var reference = Reference();
        foreach (string kind in new[] { "hed", "hdx", "hax", "rbd", "bex", "hpx" })
        {
            var separation = new StainSeparation(new StainMatrix(reference[$"rgb_from_{kind}"].data<double>()));
            foreach (string input in new[] { "", "_rand" })
            {
                Tensor rgb = Image(reference["rgb" + input].to(dtype) / 255);
                Tensor amounts = separation.Separate(rgb);
                Assert.Equal(dtype, amounts.dtype);
                Vectors.Close(Image(reference[$"{kind}_from_rgb{input}"]), amounts, kind, 0, tolerance);
                Vectors.Close(Image(reference[$"combine_{kind}_from_rgb{input}"]), separation.Combine(amounts), kind, 0, tolerance);
            }
        }
    }

    [Fact]
    public void Project_combines_one_stain_only()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rgb = Image(Reference()["rgb_rand"].to(ScalarType.Float64) / 255);
        for (int stain = 0; stain < 3; stain++)
        {
            Tensor alone = torch.zeros([3], ScalarType.Float64);
            alone[stain] = torch.tensor(1.0);
            Tensor expected = Hed.Combine(Hed.Separate(rgb) * alone.view(1, 3, 1, 1));
            Vectors.Close(expected, Hed.Project(rgb, stain), $"stain {stain}", 1e-14);
        }
    }

    [Fact]
    public void Project_image_of_one_stain_is_itself_or_white()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        for (int stain = 0; stain < 3; stain++)
        {
            var amounts = new float[4 * 3];
            for (int pixel = 0; pixel < 4; pixel++) amounts[(3 * pixel) + stain] = 0.1f * pixel;
            StainMatrix.HaematoxylinEosinDab.CombineRgb(amounts, amounts);
            Tensor image = torch.tensor(amounts, 1, 1, 4, 3).permute(0, 3, 1, 2);
            for (int other = 0; other < 3; other++)
                Vectors.Close(other == stain ? image : torch.ones_like(image), Hed.Project(image, other), $"{stain} to {other}", 0, 1e-5);
        }
    }

    [Theory]
    [InlineData(1e-6, true), InlineData(1e-6, false), InlineData(1.0 / 255, true)]
    public void Separate_gradients_equal_finite_differences(double floor, bool clamp)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var random = new Generator().manual_seed(3);
        var separation = new StainSeparation(StainMatrix.HaematoxylinEosinDab, floor, clamp);
        Tensor rgb = (torch.rand([2, 3, 3, 2], random, ScalarType.Float64) * 0.9) + 0.05;
        GradientCheck.Run(t => separation.Separate(t[0]), rgb);
        GradientCheck.Run(t => separation.Combine(t[0]), torch.rand([2, 3, 3, 2], random, ScalarType.Float64) * 0.2);
        for (int stain = 0; stain < 3; stain++) GradientCheck.Run(t => separation.Project(t[0], stain), rgb);
    }

    [Theory]
    [InlineData(1e-6, true), InlineData(1e-6, false), InlineData(1.0 / 255, true)]
    public void Separate_all_colours_have_finite_values_and_gradients(double floor, bool clamp)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var separation = new StainSeparation(StainMatrix.HaematoxylinEosinDab, floor, clamp);
        float[] levels = [-0.1f, 0, 1e-7f, 1e-6f, 1f / 255, 0.5f, 1, 1.1f];
        float[] red = [.. levels.SelectMany(r => levels.SelectMany(g => levels.Select(b => r)))];
        float[] green = [.. levels.SelectMany(r => levels.SelectMany(g => levels.Select(b => g)))];
        float[] blue = [.. levels.SelectMany(r => levels.SelectMany(g => levels.Select(b => b)))];
        foreach (Func<Tensor, Tensor> function in (Func<Tensor, Tensor>[])
            [separation.Separate, rgb => separation.Combine(separation.Separate(rgb)), .. Stains(separation)])
        {
            Tensor rgb = torch.tensor<float>([.. red, .. green, .. blue], 1, 3, 8, 64).requires_grad_();
            Tensor result = function(rgb);
            result.sum().backward();
            Assert.True(result.isfinite().all().item<long>() != 0);
            Assert.True(rgb.grad!.isfinite().all().item<long>() != 0);
        }
    }

    [Fact]
    public void Project_background_has_gradient()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor glass = torch.ones([1, 3, 1, 1], requires_grad: true);
        Hed.Project(glass, 2).sum().backward();
        Assert.True(glass.grad!.data<float>()[2] > 0, "less blue is more DAB, which is less light");
    }

    [Fact]
    public void Project_half_types_and_autocast_use_float()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rgb = torch.rand([1, 3, 4, 4]);
        Tensor expected = Hed.Project(rgb, 0);
        using (torch.autocast(DeviceType.CPU)) Assert.True(torch.equal(expected, Hed.Project(rgb, 0)));
        Tensor half = Hed.Project(rgb.bfloat16(), 0);
        Assert.Equal(ScalarType.Float32, half.dtype);
        Assert.True(torch.equal(Hed.Project(rgb.bfloat16().@float(), 0), half));
    }

    [Fact]
    public void Separate_wrong_shapes_stains_and_floors_throw()
    {
        Assert.Throws<ArgumentException>(() => Hed.Separate(torch.zeros([3, 4, 4])));
        Assert.Throws<ArgumentException>(() => Hed.Combine(torch.zeros([1, 4, 4, 4])));
        Assert.Throws<ArgumentOutOfRangeException>(() => Hed.Project(torch.zeros([1, 3, 4, 4]), 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StainSeparation(StainMatrix.HaematoxylinDab, floor: 0));
    }

    private static IEnumerable<Func<Tensor, Tensor>> Stains(StainSeparation separation) =>
        Enumerable.Range(0, 3).Select(stain => (Func<Tensor, Tensor>)(rgb => separation.Project(rgb, stain)));

    // [H,W,3] to [1,3,H,W].
    private static Tensor Image(Tensor pixels) => pixels.permute(2, 0, 1).unsqueeze(0);

    private static Dictionary<string, Tensor> Reference() => new[] { "io", "io_f64" }
        .SelectMany(file => SafeTensors.Load(TestVectors.Path($"metrics_stains/{file}.safetensors")))
        .GroupBy(pair => pair.Key).ToDictionary(group => group.Key, group => group.Last().Value);
}
