using System.Runtime.Intrinsics;
using Tinctor.Staining.Bridges;
using Tinctor.Torch;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>Noise by place: Philox against the Random123 library's known answers; crops, normality, independence.</summary>
public sealed class PositionalNoiseTests
{
    [Theory]
    [InlineData(0u, 0u, 0u, 0u, 0UL, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(~0u, ~0u, ~0u, ~0u, ~0UL, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0x299f31d0a4093822UL,
        0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Philox_equals_published_values(uint a, uint b, uint c, uint d, ulong key, uint w, uint x, uint y, uint z)
    {
        Philox bits = new Philox(Lanes(a), Lanes(b), Lanes(c), Lanes(d)).Encrypt(key);
        Assert.Equal([Lanes(w), Lanes(x), Lanes(y), Lanes(z)], [bits.A, bits.B, bits.C, bits.D]);

        static Vector256<ulong> Lanes(uint word) => Vector256.Create((ulong)word);
    }

    [Theory]
    [InlineData(0, 0, 16, 16), InlineData(5, 3, 7, 9), InlineData(63, 40, 33, 24), InlineData(31, 0, 1, 64)]
    public void Sample_of_tile_is_crop_of_slide_noise(int left, int top, int width, int height)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var noise = new PositionalNoise(7, "slide.svs", level: 1);
        Tensor whole = torch.tensor<float>(noise.Sample(step: 3, -8, -16, 120, 96, channels: 4), 4, 96, 120);
        float[] tile = new PositionalNoise(7, "slide.svs", level: 1).Sample(step: 3, left, top, width, height, channels: 4);
        Tensor crop = whole[.., (top + 16)..(top + 16 + height), (left + 8)..(left + 8 + width)];
        Assert.Equal(crop.contiguous().ToArray<float>(), tile);
    }

    [Fact]
    public void Sample_is_white_standard_normal()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        const int size = 1024;
        Tensor z = torch.tensor<float>(new PositionalNoise(1, "a").Sample(0, 0, 0, size, size, channels: 1), size, size)
            .to(ScalarType.Float64);
        double error = 4.5 / size; // 4.5 standard errors of a mean of size² numbers of variance 1
        Assert.Equal(0, z.mean().item(), error);
        Assert.Equal(1, z.square().mean().item(), error * Math.Sqrt(2));
        Assert.Equal(0, z.pow(3).mean().item(), error * Math.Sqrt(15));
        Assert.Equal(3, z.pow(4).mean().item(), error * Math.Sqrt(96));
        foreach ((double bound, double share) in new[] { (-2.0, 0.0227501), (-1, 0.1586553), (0, 0.5), (0.5, 0.6914625), (3, 0.9986501) })
            Assert.Equal(share, (z < bound).to(ScalarType.Float64).mean().item(), error * Math.Sqrt(share * (1 - share)));
        foreach ((int dx, int dy) in new[] { (1, 0), (2, 0), (4, 0), (8, 0), (16, 0), (0, 1), (1, 1), (4, 4) })
            Assert.Equal(0, (z[dy.., dx..] * z[..(size - dy), ..(size - dx)]).mean().item(), error * 1.05);
        Assert.InRange(z.abs().max().item(), 4.5, 6.66);
    }

    [Fact]
    public void Sample_depends_on_seed_slide_level_run_step_and_channel()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor[] noises =
        [
            Of(new(1, "a")), Of(new(2, "a")), Of(new(1, "b")), Of(new(1, "a", level: 1)), Of(new(1, "a", run: 1)),
            Of(new(1, "a"), step: 1), Of(new(1, "a"), channel: 1), Of(new(1, "1/a")), Of(new(1, "a", 1, 1)),
        ];
        for (int i = 0; i < noises.Length; i++)
            for (int j = 0; j < i; j++)
                Assert.Equal(0, (noises[i] * noises[j]).mean().item(), 4.5 / 256);
        Assert.Equal(noises[0].ToArray<float>(), Of(new(1, "a")).ToArray<float>());

        static Tensor Of(PositionalNoise noise, int step = 0, int channel = 0) =>
            torch.tensor<float>(noise.Sample(step, 0, 0, 256, 256), 3, 256, 256)[channel].contiguous();
    }

    [Fact]
    public void Sample_equals_recorded_numbers()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        // Worked out apart from this, by whole-number arithmetic and the definition.
        float[] expected = [-0.12733273f, -0.84613544f, 1.3686314f, 1.1310687f, -0.50103939f, 0.45452318f, -0.1790996f, -0.67134005f];
        float[] values = new PositionalNoise(42, "slide.svs", level: 2, run: 1).Sample(step: 50, 1000, -3, 4, 1, channels: 2);
        Assert.Equal(expected, values, (a, b) => Math.Abs(a - b) < 1e-6);
    }
}
