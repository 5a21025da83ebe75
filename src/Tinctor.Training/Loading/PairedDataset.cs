using System.Collections.Concurrent;
using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Training.Loading;

/// <summary>
/// Pairs as tensors: decoded, transformed, scaled to [-1, 1]. What comes out is a function of the files, the transform, the seed,
/// the epoch and the index alone. Thread-safe.
/// </summary>
public sealed class PairedDataset
{
    private readonly ConcurrentDictionary<int, (Image Source, Image Target)> cache = new();
    private readonly ulong seed;
    private readonly long cacheBytes;
    private long cachedBytes;

    /// <summary>Makes a data set of the pairs of one split.</summary>
    /// <param name="pairs">The pairs; an index is a position in this list.</param>
    /// <param name="transform">What is done to each; null takes the images as they are.</param>
    /// <param name="seed">Of the random choices.</param>
    /// <param name="cacheBytes">Decoded (and resized) images are kept in memory until they fill this many bytes; 0 keeps none.</param>
    public PairedDataset(IReadOnlyList<Pair> pairs, PairTransform? transform = null, ulong seed = 0, long cacheBytes = 0)
    {
        (Pairs, Transform, this.seed, this.cacheBytes) = (pairs, transform ?? new(), seed, cacheBytes);
        Transform.Validate();
    }

    /// <summary>The pairs.</summary>
    public IReadOnlyList<Pair> Pairs { get; }

    /// <summary>Transform of each pair.</summary>
    public PairTransform Transform { get; }

    /// <summary>The number of pairs.</summary>
    public int Count => Pairs.Count;

    /// <summary>
    /// Source and target as float32 [C, H, W] in [-1, 1], as they are in this epoch. The caller owns them; on a thread with an open
    /// <see cref="DisposeScope"/> they belong to the scope.
    /// </summary>
    /// <exception cref="TinctorException">A file cannot be read, or does not fit the transform; the message names it.</exception>
    public (Tensor Source, Tensor Target) Get(int index, int epoch = 0)
    {
        Sample sample = Load(index, epoch);
        return (sample.Source.ToTensor(), sample.Target.ToTensor());
    }

    /// <summary>Source and target of one sample, before they become tensors.</summary>
    internal Sample Load(int index, int epoch)
    {
        Pair pair = Pairs[index];
        (Image source, Image target) = Cached(index);
        var random = new SampleRandom(seed, epoch, index);
        try
        {
            Placement place = Transform.Place(ref random, source.Width, source.Height), targets = place.Enlarged(Transform.Factor);
            float[] light = place.Cut(source);
            if (Transform.Jitter is { } jitter)
            {
                if (source.Channels != 3)
                    throw new TinctorException($"has {source.Channels} channels; stain jitter is for RGB: switch it off");
                jitter.Apply(ref random, light);
            }
            return new(pair, Planes.Of(light, source.Channels, place), Planes.Of(targets.Cut(target), target.Channels, targets));
        }
        catch (TinctorException error)
        {
            throw new TinctorException($"{pair.Source}: {error.Message}", error);
        }
    }

    private (Image Source, Image Target) Cached(int index)
    {
        if (cache.TryGetValue(index, out (Image Source, Image Target) pair)) return pair;
        (Image source, Image target) = Pairs[index].ReadImages();
        PairVerification.RequireMatchingSize(Pairs[index], (source.Width, source.Height), (target.Width, target.Height), Transform.Factor);
        pair = Prepare(index, source, target);
        long bytes = pair.Source.Data.LongLength + (source == target ? 0 : pair.Target.Data.LongLength);
        // Two threads may both find room for the last image; it is then kept although it is slightly over.
        if (Interlocked.Read(ref cachedBytes) + bytes <= cacheBytes && cache.TryAdd(index, pair)) Interlocked.Add(ref cachedBytes, bytes);
        return pair;
    }

    private (Image Source, Image Target) Prepare(int index, Image source, Image target)
    {
        try
        {
            Image prepared = Transform.PrepareSource(source);
            return (prepared, source == target ? prepared : Transform.PrepareTarget(target));
        }
        catch (TinctorException error)
        {
            throw new TinctorException($"{Pairs[index].Source}: {error.Message}", error);
        }
    }
}
