using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Segmentation;

[Collection(Alone.Name)]
public class SegmentationUnetTests
{
    [Theory]
    [InlineData(64, 64, 3), InlineData(37, 61, 3), InlineData(5, 3, 2), InlineData(1, 1, 4)]
    public void Forward_accepts_any_size(int height, int width, int depth)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var network = new SegmentationUnet(3, classes: 3, width: 4, depth: depth);
        network.eval();
        Assert.Equal([2, 3, height, width], network.forward(torch.randn([2, 3, height, width])).shape);
    }

    [Fact]
    public void Create_has_number_of_parameters_of_paper()
    {
        using var network = new SegmentationUnet(1, classes: 2, width: 64, depth: 4);
        long weights = network.parameters().Where(parameter => parameter.ndim == 4).Sum(parameter => parameter.numel());
        // Ronneberger's figure 1: 64 to 1024 channels in pairs of 3x3, 2x2 up-convolutions, 1x1 at the end.
        long expected = 2 * 64, input = 1;
        foreach (long width in new long[] { 64, 128, 256, 512, 1024 })
        {
            expected += 9 * ((input * width) + (width * width));
            input = width;
        }
        foreach (long width in new long[] { 512, 256, 128, 64 })
            expected += (4 * 2 * width * width) + (9 * ((2 * width * width) + (width * width)));
        Assert.Equal(expected, weights);
    }

    [Fact]
    public void Backward_reaches_every_parameter_and_pixel()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(1);
        using var network = new SegmentationUnet(3, classes: 2, width: 4, depth: 2);
        Tensor x = torch.randn([2, 3, 13, 10]).requires_grad_();
        F.cross_entropy(network.forward(x), torch.ones([2, 13, 10], ScalarType.Int64)).backward();
        foreach ((string name, Tensor parameter) in network.named_parameters())
            Assert.True(parameter.grad is { } gradient && gradient.abs().sum().item() > 0, name);
        Assert.True(x.grad!.abs().sum([0, 1]).min().item() > 0);
    }

    [Fact]
    public void Forward_shifted_input_shifts_output()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        using var network = new SegmentationUnet(1, classes: 2, width: 4, depth: 2);
        network.eval();
        Tensor wide = torch.randn([1, 1, 64, 96]);
        Tensor whole = network.forward(wide)[.., .., 24..40, 40..56];
        Tensor part = network.forward(wide[.., .., .., 16..])[.., .., 24..40, 24..40];
        Assert.True((whole - part).abs().max().item() < 1e-5);
    }
}
