using Tinctor.Data;
using Tinctor.Staining.Execution;
using Tinctor.Torch;

namespace Tinctor.Training.Loading;

/// <summary>
/// Batch of image pairs as tensors. The batch owns the tensors: they belong to no <see cref="DisposeScope"/> and are freed with the batch.
/// </summary>
internal sealed class Batch : IDisposable
{
    private Batch(int index, IReadOnlyList<Pair> pairs, Tensor source, Tensor target) =>
        (Index, Pairs, Source, Target) = (index, pairs, source, target);

    /// <summary>Index of the batch in the epoch, from 0.</summary>
    public int Index { get; }

    /// <summary>Pairs in the order of the first dimension.</summary>
    public IReadOnlyList<Pair> Pairs { get; }

    /// <summary>Source images, float32 [N, C, H, W] in [-1, 1], on the CPU.</summary>
    public Tensor Source { get; }

    /// <summary>Target images, float32 [N, C, H, W] in [-1, 1], on the CPU.</summary>
    public Tensor Target { get; }

    /// <summary>Frees both tensors.</summary>
    public void Dispose()
    {
        Source.Dispose();
        Target.Dispose();
    }

    internal static Batch Stack(int index, IReadOnlyList<Sample> samples)
    {
        Pair[] pairs = [.. samples.Select(sample => sample.Pair)];
        return new(index, pairs, Planes.Stack(pairs, [.. samples.Select(sample => sample.Source)]),
            Planes.Stack(pairs, [.. samples.Select(sample => sample.Target)]));
    }
}

/// <summary>Image pair before its conversion to tensors.</summary>
internal sealed record Sample(Pair Pair, Planes Source, Planes Target);

/// <summary>Image [Channels, Height, Width] in [-1, 1].</summary>
internal sealed record Planes(float[] Values, int Channels, int Height, int Width)
{
    /// <summary>Converts light [Height, Width, Channels] in [0, 1]: (light - 0.5) / 0.5, as torchvision's Normalize.</summary>
    public static Planes FromLight(float[] light, int channels, Placement place)
    {
        var values = new float[light.Length];
        int area = place.Width * place.Height;
        for (int c = 0; c < channels; c++)
        {
            Span<float> plane = values.AsSpan(c * area, area);
            for (int i = 0; i < plane.Length; i++) plane[i] = (light[(i * channels) + c] - 0.5f) / 0.5f;
        }
        return new(values, channels, place.Height, place.Width);
    }

    /// <summary>Creates a batch of this image, without a copy.</summary>
    public ImageBatch ToBatch() => new(1, Channels, Height, Width, Values);

    /// <summary>Creates a tensor [C, H, W].</summary>
    public Tensor ToTensor() => torch.tensor<float>(Values, [Channels, Height, Width]);

    /// <summary>Creates a tensor [N, C, H, W] that belongs to no scope.</summary>
    public static Tensor Stack(IReadOnlyList<Pair> pairs, IReadOnlyList<Planes> images)
    {
        Planes first = images[0];
        Tensor stack = torch.empty([images.Count, first.Channels, first.Height, first.Width], ScalarType.Float32).DetachFromDisposeScope();
        Span<float> data = stack.data<float>();
        for (int i = 0; i < images.Count; i++)
        {
            if (images[i].Shape != first.Shape)
            {
                stack.Dispose();
                throw new TinctorException(pairs[i].Source, $"{images[i].Shape}, but {pairs[0].Source} in the same batch is {first.Shape}",
                    "Set data.crop_size, or use training.batch_size=1");
            }
            images[i].Values.CopyTo(data[(i * first.Values.Length)..]);
        }
        return stack;
    }

    private string Shape => $"{Width}x{Height}x{Channels}";
}
