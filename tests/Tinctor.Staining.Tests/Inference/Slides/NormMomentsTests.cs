using Tinctor.Staining.WholeSlides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Staining.Tests.Inference.Slides;

[Collection(Alone.Name)]
public sealed class NormMomentsTests
{
    [Fact]
    public void By_their_own_moments_networks_give_what_they_give()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(2);
        using var network = new Sequential(
            new ZScore(), new Conv2d(3, 6, 3, padding: 1), new InstanceNorm2d(6, affine: true), new SimAM(), new BatchNorm2d(6) { by_batch = true });
        network.eval();
        INormalisesByImage[] norms = [.. network.modules().OfType<INormalisesByImage>().Where(norm => norm.by_image)];
        Assert.Equal(4, norms.Length);
        Tensor image = torch.randn([1, 3, 20, 24]), plain = network.forward(image);
        Tensor? seen = null, used = null;
        NormMoments moments = NormMoments.Record(norms, 1, () => seen = network.forward(image))[0];
        NormMoments.Use(norms, [moments], () => used = network.forward(image));
        Vectors.Close(plain, seen!, "recorded", 1e-5);
        Vectors.Close(plain, used!, "used", 1e-5);
        // Another image under the same moments is an affine map of it: it keeps its own mean.
        Tensor other = image + 3;
        NormMoments.Use(norms, [moments], () => used = network.forward(other));
        Assert.True((used! - plain).abs().mean().item() > 0.1);
        Assert.All(norms, norm => Assert.Null(norm.moments));
    }

    [Fact]
    public void Two_halves_under_pooled_moments_are_normalised_as_the_whole()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        torch.manual_seed(3);
        using var norm = new InstanceNorm2d(2);
        Tensor whole = torch.cat([torch.randn([1, 2, 16, 16]), 2 + (3 * torch.randn([1, 2, 16, 16]))], 3), expected = norm.forward(whole);
        Tensor[] halves = [whole[TensorIndex.Ellipsis, ..16], whole[TensorIndex.Ellipsis, 16..]];
        NormMoments pooled = NormMoments.Pooled([.. halves.Select(half => NormMoments.Record([norm], 1, () => norm.forward(half))[0])]);
        foreach ((int i, Tensor half) in halves.Index())
        {
            Tensor? result = null;
            NormMoments.Use([norm], [pooled], () => result = norm.forward(half));
            Vectors.Close(expected[TensorIndex.Ellipsis, (16 * i)..(16 * (i + 1))], result!, $"half {i}", 1e-5);
        }
    }

    [Fact]
    public void The_kernel_averages_means_and_deviations_around_a_tile_and_repeats_those_at_the_edge()
    {
        // Kernelized instance normalisation, eq. 3 and 4, over a table padded by replication, with a constant kernel.
        var kernel = new KernelMoments(1, gaussian: false, rows: 3, columns: 4);
        for (int row = 0; row < 3; row++)
            for (int column = 0; column < 4; column++)
                kernel.Add(new(row, column), new([([Mean(row, column)], [Deviation(row, column) * Deviation(row, column)])]));
        foreach ((int row, int column) in new[] { (1, 1), (0, 0), (2, 3), (1, 0) })
        {
            (float mean, float deviation) = (0, 0);
            for (int y = row - 1; y <= row + 1; y++)
            {
                for (int x = column - 1; x <= column + 1; x++)
                {
                    (int near, int beside) = (Math.Clamp(y, 0, 2), Math.Clamp(x, 0, 3));
                    (mean, deviation) = (mean + (Mean(near, beside) / 9), deviation + (Deviation(near, beside) / 9));
                }
            }
            (float[] m, float[] v) = kernel.Of(new(row, column)).Calls[0];
            Assert.Equal(mean, m[0], 1e-5f);
            Assert.Equal(deviation * deviation, v[0], 1e-4f);
        }

        static float Mean(int row, int column) => row + (0.3f * column * column);
        static float Deviation(int row, int column) => 1 + (0.2f * row * column);
    }

    [Fact]
    public void Glass_does_not_count_and_rows_out_of_reach_are_forgotten()
    {
        var kernel = new KernelMoments(1, gaussian: true, rows: 9, columns: 1);
        kernel.Add(new(0, 0), new([([1f], [1f])]));
        kernel.Add(new(5, 0), new([([4f], [9f])]));
        Assert.Equal(4, kernel.Of(new(4, 0)).Calls[0].Mean[0], 1e-6);
        Assert.Equal(9, kernel.Of(new(5, 0)).Calls[0].Variance[0], 1e-5);
        Assert.Equal(1, kernel.Of(new(1, 0)).Calls[0].Mean[0], 1e-6);
        kernel.Forget(2);
        Assert.ThrowsAny<Exception>(() => kernel.Of(new(1, 0)));
    }

    [Fact]
    public void The_reach_of_a_convolution_is_its_radius_and_a_pixels_own_is_none()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor tile = torch.rand([1, 1, 96, 96]) - 0.5;
        using var wide = new Conv2d(1, 1, 21, padding: 10);
        init.constant_(wide.weight, 1);
        Assert.InRange(Reach.Of(tile, wide.forward), 8, 10);
        Assert.Equal(0, Reach.Of(tile, image => image * 2));
        // Of what is enlarged, in pixels of the source.
        using var twice = new Upsample(scale_factor: 2);
        Assert.InRange(Reach.Of(tile, image => twice.forward(wide.forward(image))), 8, 10);
    }

    [Fact]
    public void What_is_turned_and_turned_back_is_the_same_and_no_two_positions_are()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor image = torch.arange(24.0, dtype: ScalarType.Float32).view(1, 2, 3, 4);
        var turned = Enumerable.Range(0, 8).Select(position => TileUncertainty.Turned(image, position)).ToArray();
        foreach ((int position, Tensor one) in turned.Index()) Vectors.Close(image, TileUncertainty.Back(one, position), $"{position}", 0);
        Assert.Equal(8, turned.Select(one => string.Join(',', one.contiguous().ToArray<float>()) + one.size(2)).Distinct().Count());
    }
}
