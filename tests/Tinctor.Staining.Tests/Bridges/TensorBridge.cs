using System.Numerics;
using Tinctor.Staining.Bridges;
using Tinctor.Torch;
using Tinctor.Training.Bridges;

namespace Tinctor.Staining.Tests.Bridges;

/// <summary>Sampling of bridges on tensors, by the samplers on arrays, for comparison with reference vectors.</summary>
internal static class TensorBridge
{
    /// <summary>Objectives by their names in BBDM's code.</summary>
    public static readonly (string Name, BridgeObjective Objective)[] Objectives =
        [("grad", BridgeObjective.Grad), ("noise", BridgeObjective.Noise), ("ysubx", BridgeObjective.SourceMinusImage)];

    /// <summary>Predictions of the image; every sample may be at a step of its own, or all at one.</summary>
    public static Tensor PredictX0(this Bridge bridge, Tensor output, Tensor x, Tensor y, int[] steps) => x.dtype == ScalarType.Float64
        ? PredictX0<double>(bridge, output, x, y, steps) : PredictX0<float>(bridge, output, x, y, steps);

    public static Tensor PSample(this Bridge bridge, Tensor predicted, Tensor x, int from, int to, Tensor? noise) =>
        x.dtype == ScalarType.Float64 ? PSample<double>(bridge, predicted, x, from, to, noise)
            : PSample<float>(bridge, predicted, x, from, to, noise);

    public static (Tensor Mean, Tensor Deviation) Repeat(int samples, Func<int, Tensor> sample)
    {
        long[] shape = sample(0).shape;
        (float[] mean, float[] deviation) = RepeatedSampling.Run(samples, run => Values<float>(sample(run)));
        return (torch.tensor<float>(mean, shape), torch.tensor<float>(deviation, shape));
    }

    public static T[] Values<T>(Tensor tensor)
        where T : unmanaged => tensor.to(typeof(T) == typeof(double) ? ScalarType.Float64 : ScalarType.Float32).contiguous().ToArray<T>();

    private static Tensor PredictX0<T>(Bridge bridge, Tensor output, Tensor x, Tensor y, int[] steps)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        var equations = new BridgeEquations<T>(bridge.Schedule, bridge.Objective);
        T[] o = Values<T>(output), s = Values<T>(x), e = Values<T>(y);
        int length = s.Length / steps.Length;
        var image = new List<T>();
        foreach ((int i, int step) in steps.Index())
        {
            Range part = (i * length)..((i + 1) * length);
            image.AddRange(equations.PredictImage(o.AsSpan(part), s.AsSpan(part), e.AsSpan(part), step));
        }
        return torch.tensor<T>([.. image], x.shape);
    }

    private static Tensor PSample<T>(Bridge bridge, Tensor predicted, Tensor x, int from, int to, Tensor? noise)
        where T : unmanaged, IBinaryFloatingPointIeee754<T> => torch.tensor<T>(new BridgeEquations<T>(bridge.Schedule, bridge.Objective)
            .SamplePosterior(Values<T>(predicted), Values<T>(x), from, to, noise is null ? [] : Values<T>(noise)), x.shape);
}

/// <summary>Receives a step of sampling.</summary>
internal delegate void TensorObserver(int step, Tensor state, Tensor predictedImage);

/// <summary><see cref="BridgeSampler{T}"/> on tensors of float32 or float64.</summary>
internal sealed class TensorSampler(Bridge bridge, SamplingOptions options)
{
    public Tensor Sample(Tensor y, IEnumerable<int> plan, Func<Tensor, double, Tensor> network, Func<int, Tensor> noise,
        TensorObserver? observe = null) =>
        y.dtype == ScalarType.Float64 ? Sample<double>(y, plan, network, noise, observe) : Sample<float>(y, plan, network, noise, observe);

    private Tensor Sample<T>(Tensor y, IEnumerable<int> plan, Func<Tensor, double, Tensor> network, Func<int, Tensor> noise,
        TensorObserver? observe)
        where T : unmanaged, IBinaryFloatingPointIeee754<T>
    {
        T[] Values(Tensor tensor) => TensorBridge.Values<T>(tensor);
        Tensor Shaped(T[] values) => torch.tensor<T>(values, y.shape);
        return Shaped(new BridgeSampler<T>(bridge.Schedule, bridge.Objective, options).Sample(Values(y), plan,
            (x, time) => Values(network(Shaped(x), time)), step => Values(noise(step)),
            observe is null ? null : (step, state, image) => observe(step, Shaped(state), Shaped(image))));
    }
}
