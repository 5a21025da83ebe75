using System.Collections.Concurrent;
using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;

namespace Tinctor.Training.Loading;

/// <summary>
/// Data set of image pairs as tensors in [-1, 1]; sources may be z-scored instead. Samples depend on the files, the transform, the seed,
/// the epoch and the index only. In unpaired data the target of a sample is that of another pair, with a crop of its own. Thread-safe.
/// </summary>
internal sealed class PairedDataset
{
    private const ulong RedrawStream = 0x5245445241570000UL;
    private const ulong TargetStream = 0x5441524745540000UL;
    private const ulong DistortionStream = 0x57415250000000UL;
    private readonly ConcurrentDictionary<int, (Image Source, Image Target)> cache = new();
    private readonly ConcurrentDictionary<(string File, bool IsTarget), Image> images = new();
    private readonly ConcurrentDictionary<int, (double Mean, double Deviation)> statistics = new();
    private readonly ulong seed;
    private readonly long cacheBytes;
    private readonly UnpairedTargets? unpaired;
    private long cachedBytes;

    /// <summary>Creates a data set.</summary>
    /// <param name="pairs">Pairs of the data set.</param>
    /// <param name="transform">Preprocessing and augmentation; null for none.</param>
    /// <param name="seed">Random seed of the augmentation.</param>
    /// <param name="cacheBytes">Size of the cache of decoded and resized images in bytes; 0 for none.</param>
    /// <param name="unpaired">Draws the target of each sample; null for that of its pair.</param>
    public PairedDataset(IReadOnlyList<Pair> pairs, PairTransform? transform = null, ulong seed = 0, long cacheBytes = 0,
        UnpairedTargets? unpaired = null)
    {
        (Pairs, Transform, this.seed, this.cacheBytes, this.unpaired) = (pairs, transform ?? new(), seed, cacheBytes, unpaired);
        Transform.Validate();
    }

    /// <summary>Pairs of the data set.</summary>
    public IReadOnlyList<Pair> Pairs { get; }

    /// <summary>Transform of each pair.</summary>
    public PairTransform Transform { get; }

    /// <summary>Number of pairs.</summary>
    public int Count => Pairs.Count;

    /// <summary>
    /// Gets source and target in an epoch, float32 [C, H, W] in [-1, 1]. The caller owns them; on a thread with an open
    /// <see cref="DisposeScope"/> they belong to the scope.
    /// </summary>
    /// <exception cref="TinctorException">A file cannot be read, or does not fit the transform; the message names it.</exception>
    public (Tensor Source, Tensor Target) Get(int index, int epoch = 0)
    {
        Sample sample = Load(index, epoch);
        return (sample.Source.ToTensor(), sample.Target.ToTensor());
    }

    /// <summary>Loads a sample without its conversion to tensors.</summary>
    /// <param name="draw">Index of the pair, plus a multiple of <see cref="Count"/> for further draws of it in an epoch.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    internal Sample Load(int draw, int epoch)
    {
        int index = draw % Count;
        Pair pair = Pairs[index];
        var targetRandom = new SampleRandom(seed ^ TargetStream, epoch, draw);
        (Image source, Image target) = unpaired is null ? Cached(index)
            : (Source(pair), Target(Pairs[unpaired.Draw(ref targetRandom, index)]));
        var random = new SampleRandom(seed, epoch, draw);
        try
        {
            Placement place = Transform.DrawPlacement(ref random, source.Width, source.Height);
            var redraws = new SampleRandom(seed ^ RedrawStream, epoch, draw);
            Placement targets;
            if (unpaired is null)
            {
                place = Transform.RedrawBlank(ref redraws, place, source.Width, source.Height, target);
                targets = place.Scale(Transform.Factor);
            }
            else
            {
                targets = Transform.DrawPlacement(ref targetRandom, target.Width, target.Height);
                targets = Transform.RedrawBlank(ref redraws, targets, target.Width, target.Height, target);
            }
            var distortions = new SampleRandom(seed ^ DistortionStream, epoch, draw);
            Distortion? distortion = Distortion.Draw(ref distortions, Transform.Distortion, Transform.ResizedCrop);
            float[] light = Cut(source, place, distortion);
            SampleRandom stains = random;
            if (Transform.Jitter is { } jitter)
            {
                if (source.Channels != 3)
                {
                    throw new TinctorException(null, $"{source.Channels} channels, but data.stain_jitter needs RGB images",
                        "Use data.stain_jitter=0");
                }
                jitter.Apply(ref random, light);
            }
            Planes planes = Planes.FromLight(light, source.Channels, place);
            if (Transform.StandardizeSource) Standardize(planes, index, source, stains);
            return new(pair, planes,
                Planes.FromLight(Cut(target, targets, distortion), target.Channels, targets));
        }
        catch (TinctorException error)
        {
            throw new TinctorException(pair.Source, error.Problem, error.Remedy, error);
        }
    }

    private static float[] Cut(Image image, Placement place, Distortion? distortion)
    {
        float[] samples = place.Cut(image);
        return distortion?.Apply(samples, place.Width, place.Height) ?? samples;
    }

    // Statistics are those of the whole image, and of its varied stains if they vary.
    private void Standardize(Planes planes, int index, Image source, SampleRandom stains)
    {
        if (Transform.Jitter is not { } jitter)
        {
            (double mean, double deviation) = statistics.GetOrAdd(index, _ => Of(SourceStatistics.FromImage(source)));
            SourceStatistics.Standardize(planes.Values, mean, deviation);
            return;
        }
        float[] light = new Placement(0, 0, source.Width, source.Height, false, false, false).Cut(source);
        jitter.Apply(ref stains, light);
        (double sum, double squares) = (0, 0);
        foreach (float sample in light) (sum, squares) = (sum + sample, squares + ((double)sample * sample));
        double average = sum / light.Length;
        SourceStatistics.Standardize(planes.Values, (2 * average) - 1,
            2 * Math.Sqrt(Math.Max(0, (squares / light.Length) - (average * average))));

        static (double Mean, double Deviation) Of(SourceStatistics statistics) => (statistics.Mean, statistics.Deviation);
    }

    private Image Source(Pair pair) => Cached(pair.Source, isTarget: false, () => Transform.PrepareSource(pair.ReadSource()));

    private Image Target(Pair pair) =>
        Cached(pair.Target ?? pair.Source, isTarget: true, () => Transform.PrepareTarget(pair.ReadTarget()));

    private Image Cached(string file, bool isTarget, Func<Image> read)
    {
        if (images.TryGetValue((file, isTarget), out Image? image)) return image;
        try
        {
            image = read();
        }
        catch (TinctorException error)
        {
            throw new TinctorException(error.File ?? file, error.Problem, error.Remedy, error);
        }
        long bytes = image.Data.LongLength;
        if (Interlocked.Read(ref cachedBytes) + bytes <= cacheBytes && images.TryAdd((file, isTarget), image))
            Interlocked.Add(ref cachedBytes, bytes);
        return image;
    }

    private (Image Source, Image Target) Cached(int index)
    {
        if (cache.TryGetValue(index, out (Image Source, Image Target) pair)) return pair;
        (Image source, Image target) = Pairs[index].ReadImages();
        PairVerification.RequireMatchingSize(Pairs[index], (source.Width, source.Height), (target.Width, target.Height), Transform.Factor);
        pair = Prepare(index, source, target);
        long bytes = pair.Source.Data.LongLength + (source == target ? 0 : pair.Target.Data.LongLength);
        // Concurrent additions may exceed the limit slightly.
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
            throw new TinctorException(Pairs[index].Source, error.Problem, error.Remedy, error);
        }
    }
}

/// <summary>Drawing of targets in unpaired data.</summary>
/// <param name="Count">Number of targets: those of the first pairs of the data set.</param>
/// <param name="InOrder">Whether targets follow in the order of the pairs; otherwise they are random.</param>
internal sealed record UnpairedTargets(int Count, bool InOrder)
{
    /// <summary>Draws the index of the pair whose target belongs to a sample.</summary>
    internal int Draw(ref SampleRandom random, int index)
    {
        int drawn = random.Next(Count);
        return InOrder ? index % Count : drawn;
    }
}
