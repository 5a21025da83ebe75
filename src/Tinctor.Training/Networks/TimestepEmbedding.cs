using Tinctor.Torch;

namespace Tinctor.Training.Networks;

/// <summary>Sinusoidal embedding of times (Vaswani et al. 2017) for diffusion networks.</summary>
internal static class TimestepEmbedding
{
    /// <summary>Times [N], any real numbers, to [N,dim]: first cosines, then sines, then a zero if dim is odd.</summary>
    /// <param name="time">The times; float64 is computed in float64, anything else in float32.</param>
    /// <param name="dim">Length of the embedding.</param>
    /// <param name="max_period">The longest wavelength is nearly this many times 2 pi.</param>
    public static Tensor Compute(Tensor time, int dim, double max_period = 10000)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        ScalarType dtype = time.dtype == ScalarType.Float64 ? ScalarType.Float64 : ScalarType.Float32;
        int half = dim / 2;
        Tensor frequencies = (torch.arange(half, dtype, time.device) * -Math.Log(max_period) / half).exp();
        Tensor angles = time.to(dtype).unsqueeze(1) * frequencies;
        Tensor embedding = torch.cat([angles.cos(), angles.sin()], 1);
        return F.pad(embedding, [0, dim % 2]).MoveToOuterDisposeScope();
    }
}
