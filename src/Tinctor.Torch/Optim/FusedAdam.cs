using System.Numerics;

namespace Tinctor.Torch.Optim;

/// <summary>
/// Step of Adam in one pass over memory, for contiguous tensors of float32 on the CPU. Separate operators read and write tensors that are
/// larger than the cache eight times.
/// </summary>
/// <param name="beta1">Decay of the mean.</param>
/// <param name="beta2">Decay of the mean square.</param>
/// <param name="eps">Added to the denominator.</param>
/// <param name="correction1">Sum of the weights of the mean, which starts at zero.</param>
/// <param name="correction2">Sum of the weights of the mean square.</param>
/// <param name="lr">The learning rate.</param>
/// <param name="shrinkage">Factor of the parameters before the step.</param>
/// <param name="decay">Share of the parameters that is added to the gradient.</param>
internal sealed class FusedAdam(
    double beta1, double beta2, double eps, double correction1, double correction2, double lr, double shrinkage, double decay)
{
    // Of more elements, each thread takes a part.
    private const int SmallestPart = 1 << 15, MostElements = int.MaxValue / sizeof(float);

    private readonly Vector<float> keepMean = new((float)beta1), addMean = new((float)(1 - beta1)), keepSquare = new((float)beta2),
        addSquare = new((float)(1 - beta2)), rootFactor = new((float)(1 / Math.Sqrt(correction2))), epsilon = new((float)eps),
        rate = new((float)(lr / correction1)), shrink = new((float)shrinkage), decayed = new((float)decay);

    /// <summary>Whether the step can update tensors of a kind.</summary>
    public static bool IsFor(params ReadOnlySpan<Tensor> tensors)
    {
        foreach (Tensor tensor in tensors)
            if (tensor.dtype != ScalarType.Float32 || tensor.device.type != DeviceType.CPU || !tensor.is_contiguous()
                || tensor.numel() > MostElements) return false;
        return true;
    }

    /// <summary>Updates a parameter and its averages.</summary>
    /// <param name="parameter">The parameter.</param>
    /// <param name="gradient">Its gradient.</param>
    /// <param name="mean">Average of the gradients.</param>
    /// <param name="square">Average of the squared gradients.</param>
    public unsafe void Update(Tensor parameter, Tensor gradient, Tensor mean, Tensor square)
    {
        fixed (float* p = parameter.data<float>(), g = gradient.data<float>(), m = mean.data<float>(), s = square.data<float>())
        {
            int length = parameter.data<float>().Length, parts = Math.Clamp(length / SmallestPart, 1, torch.get_num_threads());
            (nint P, nint G, nint M, nint S) start = ((nint)p, (nint)g, (nint)m, (nint)s);
            if (parts == 1) Update(p, g, m, s, length);
            else Parallel.For(0, parts, part =>
            {
                int first = (int)((long)length * part / parts), last = (int)((long)length * (part + 1) / parts);
                Update((float*)start.P + first, (float*)start.G + first, (float*)start.M + first, (float*)start.S + first, last - first);
            });
        }
    }

    private unsafe void Update(float* parameter, float* gradient, float* mean, float* square, int length)
    {
        int lanes = Vector<float>.Count, i = 0;
        for (; i <= length - lanes; i += lanes) UpdateVector(parameter + i, gradient + i, mean + i, square + i);
        if (i == length) return;
        float* rest = stackalloc float[4 * lanes];
        new Span<float>(rest, 4 * lanes).Clear();
        float*[] tensors = [parameter + i, gradient + i, mean + i, square + i];
        for (int t = 0; t < tensors.Length; t++) new Span<float>(tensors[t], length - i).CopyTo(new(rest + (t * lanes), lanes));
        UpdateVector(rest, rest + lanes, rest + (2 * lanes), rest + (3 * lanes));
        for (int t = 0; t < tensors.Length; t++) new Span<float>(rest + (t * lanes), length - i).CopyTo(new(tensors[t], length - i));
    }

    private unsafe void UpdateVector(float* parameter, float* gradient, float* mean, float* square)
    {
        Vector<float> p = Vector.Load(parameter) * shrink, g = Vector.Load(gradient) + (decayed * p);
        Vector<float> m = (Vector.Load(mean) * keepMean) + (g * addMean), s = (Vector.Load(square) * keepSquare) + (g * g * addSquare);
        m.Store(mean);
        s.Store(square);
        (p - (rate * m / ((Vector.SquareRoot(s) * rootFactor) + epsilon))).Store(parameter);
    }
}
