using Tinctor.Slides.Colour;
using Tinctor.Torch;

namespace Tinctor.Slides.Torch;

/// <summary>
/// Stain separation on tensors, differentiable: Ruifrok and Johnston's logarithm and non-singular 3x3 matrix, in skimage's unit and manner
/// (separate_stains, combine_stains of 0.19 and later). Images are [N,3,H,W] of light in [0,1], of any floating type; half types are
/// computed, and given back, in float32. Plane by plane, so neither autocast nor TF32 touches the numbers. Thread-safe.
/// </summary>
/// <remarks>
/// Gradients are finite everywhere. Darker light than the floor has none; above it they grow as 1 / light, up to 1 / floor: training on
/// 8-bit images wants a floor near their last step, 1 / 255.
/// </remarks>
internal sealed class StainSeparation
{
    // One unit of skimage's amounts: the natural density of light of 1e-6.
    private static readonly double Unit = -Math.Log(1e-6);

    private readonly double[,] stains, inverse;
    private readonly double floor;
    private readonly bool clamp;

    /// <param name="stains">The three stains.</param>
    /// <param name="floor">Darker light counts as this, in (0,1).</param>
    /// <param name="clamp">Whether negative amounts become 0, as skimage has it; their gradient is then 0.</param>
    public StainSeparation(StainMatrix stains, double floor = 1e-6, bool clamp = true)
    {
        if (floor is not (> 0 and < 1)) throw new ArgumentOutOfRangeException(nameof(floor), floor, "a floor is light between 0 and 1");
        (this.stains, inverse) = (Table(stains.Rows), Table(stains.Inverse));
        (this.floor, this.clamp) = (floor, clamp);
    }

    /// <summary>Amounts of the three stains, one a channel: log(max(rgb, floor)) / log(1e-6) times the inverse matrix.</summary>
    public Tensor Separate(Tensor rgb)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor[] density = Density(rgb);
        return torch.cat([Amount(density, 0), Amount(density, 1), Amount(density, 2)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>RGB light, clamped to [0,1], behind amounts of the three stains.</summary>
    public Tensor Combine(Tensor amounts)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor[] planes = Planes(amounts);
        return Light(channel => Sum(planes, stain => stains[stain, channel])).MoveToOuterDisposeScope();
    }

    /// <summary>The image with one stain (0, 1 or 2) alone: the amounts of the other two are 0.</summary>
    public Tensor Project(Tensor rgb, int stain)
    {
        if (stain is < 0 or > 2) throw new ArgumentOutOfRangeException(nameof(stain), stain, "there are stains 0, 1 and 2");
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor amount = Amount(Density(rgb), stain);
        return Light(channel => amount * stains[stain, channel]).MoveToOuterDisposeScope();
    }

    private Tensor[] Density(Tensor rgb) => Array.ConvertAll(Planes(rgb), light => light.clamp(min: floor).log() / -Unit);

    private Tensor Amount(Tensor[] density, int stain)
    {
        Tensor amount = Sum(density, channel => inverse[channel, stain]);
        return clamp ? amount.clamp(min: 0) : amount;
    }

    // Clamp, other than relu, passes the gradient on at its very edge: glass, which has no stain, can get some.
    private static Tensor Light(Func<int, Tensor> density) =>
        (torch.cat([density(0), density(1), density(2)], 1) * -Unit).exp().clamp(0, 1);

    private static Tensor Sum(Tensor[] planes, Func<int, double> weight) =>
        (planes[0] * weight(0)).add(planes[1], weight(1)).add(planes[2], weight(2));

    private static Tensor[] Planes(Tensor image)
    {
        if (image.ndim != 4 || image.size(1) != 3)
            throw new ArgumentException($"stain separation takes [N,3,H,W], got [{string.Join(',', image.shape)}]");
        return (image.element_size() < 4 ? image.to(ScalarType.Float32) : image).split(1, dim: 1);
    }

    private static double[,] Table(ReadOnlySpan<double> m) => new[,] { { m[0], m[1], m[2] }, { m[3], m[4], m[5] }, { m[6], m[7], m[8] } };
}
