using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Losses;

namespace Tinctor.Training.Tests.Losses;

/// <summary>The SSIM loss against skimage 0.19 with gaussian_weights, sigma 1.5 and population covariance.</summary>
public sealed class SsimLossTests
{
    [Theory]
    [InlineData(0), InlineData(1), InlineData(2)]
    public void Compute_equals_skimage_for_any_light_unit(int pair)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double expected = 1 - Load("io_f64")[$"ssim_gauss_wang{pair}"].item();
        OrderedDictionary<string, Tensor> images = Load("io");
        Tensor fake = Image(images[$"fake{pair}"]), real = Image(images[$"real{pair}"]);
        Assert.Equal(expected, SsimLoss.Compute(fake, real, range: 255, black: 0).item(), 1e-12);
        Assert.Equal(expected, SsimLoss.Compute(fake / 255, real / 255, range: 1, black: 0).item(), 1e-12);
        (fake, real) = ((fake / 127.5) - 1, (real / 127.5) - 1);
        Assert.Equal(expected, SsimLoss.Compute(fake, real).item(), 1e-12);
        Assert.Equal(expected, SsimLoss.Compute(fake.@float(), real.@float()).item(), 1e-5);
        using Guard cast = torch.autocast(DeviceType.CPU);
        Assert.Equal(expected, SsimLoss.Compute(fake.@float(), real.@float()).item(), 1e-5);
    }

    [Fact]
    public void Compute_averages_images_and_is_zero_for_equal_ones()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor a = FormulaImage(0.3), b = FormulaImage(0.31);
        double both = SsimLoss.Compute(a, b).item(), first = SsimLoss.Compute(a[..1], b[..1]).item(),
            second = SsimLoss.Compute(a[1..], b[1..]).item();
        Assert.Equal((first + second) / 2, both, 1e-12);
        Assert.Equal(0, SsimLoss.Compute(a, a).item(), 1e-12);
        Assert.Equal(both, SsimLoss.Compute(b, a).item(), 1e-12);
    }

    [Fact]
    public void Compute_gradients_equal_differences_and_are_finite()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        GradientCheck.Run(t => SsimLoss.Compute(t[0], t[1]), FormulaImage(0.3)[.., .., ..12, ..11], FormulaImage(0.31)[.., .., ..12, ..11]);
        Tensor white = torch.ones([1, 3, 16, 16], requires_grad: true);
        SsimLoss.Compute(white, -torch.ones([1, 3, 16, 16])).backward();
        Assert.True(white.grad!.isfinite().all().item<long>() != 0);
    }

    [Fact]
    public void Compute_images_smaller_than_window_throw()
    {
        Assert.Contains("11 or more",
            Assert.Throws<ArgumentException>(() => SsimLoss.Compute(torch.zeros([1, 3, 10, 20]), torch.zeros([1, 3, 10, 20]))).Message);
        Assert.Throws<ArgumentException>(() => SsimLoss.Compute(torch.zeros([1, 3, 20, 20]), torch.zeros([1, 1, 20, 20])));
    }

    private static Tensor FormulaImage(double speed) => Networks.FormulaWeights.Wave(speed, 2, 3, 20, 16);

    private static Tensor Image(Tensor pixels) => pixels.@double().permute(2, 0, 1).unsqueeze(0);

    private static OrderedDictionary<string, Tensor> Load(string file) =>
        SafeTensors.Load(TestVectors.Path($"metrics_ssim_psnr/{file}.safetensors"));
}
