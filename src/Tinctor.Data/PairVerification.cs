using System.Collections.Concurrent;
using Tinctor.Slides;

namespace Tinctor.Data;

/// <summary>Finds everything that is wrong with the files of a data set before it is used, and says it all at once.</summary>
public static class PairVerification
{
    /// <summary>Images are decoded wholly if all of them together have at most this many pixels (a few seconds).</summary>
    public const long DecodedPixels = 200_000_000;

    /// <summary>
    /// Looks at every pair: both files are there and readable, of sizes that fit, and of the channels and sample type of the other pairs.
    /// Headers are read always; pixels if <paramref name="decode"/>, or by default if the set is small. Works in parallel.
    /// </summary>
    /// <param name="pairs">What is going to be used.</param>
    /// <param name="minimumSize">Sides of targets must have at least this many pixels: the crop that will be cut.</param>
    /// <param name="factor">How many target pixels a source pixel is along each axis; null for any sizes, yet to be registered.</param>
    /// <param name="decode">True decodes every file, false none, null those of a set of up to <see cref="DecodedPixels"/>.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="TinctorException">Something is wrong: up to twenty lines, one a problem, and their count.</exception>
    public static void Check(IReadOnlyList<Pair> pairs, int minimumSize = 1, int? factor = 1, bool? decode = null,
        CancellationToken cancel = default)
    {
        var options = new ParallelOptions { CancellationToken = cancel };
        var infos = new (ImageInfo Source, ImageInfo Target)?[pairs.Count];
        var problems = new ConcurrentDictionary<int, string>();
        Parallel.For(0, pairs.Count, options, i => Try(i, () => infos[i] = Headers(pairs[i], minimumSize, factor)));
        RefuseOddOnes();
        if (decode ?? infos.Sum(info => info is var (a, b) ? (long)a.Width * a.Height + ((long)b.Width * b.Height) : 0) <= DecodedPixels)
        {
            Parallel.For(0, pairs.Count, options, i =>
            {
                if (problems.ContainsKey(i)) return;
                foreach (string file in pairs[i].Files) Try(i, () => Image.Read(file));
            });
        }
        if (!problems.IsEmpty)
        {
            throw new TinctorException($"{problems.Count} of {pairs.Count} pairs cannot be used:\n  "
                + Problems.List([.. problems.OrderBy(problem => problem.Key).Select(problem => problem.Value)], "\n  "));
        }

        void Try(int i, Action look)
        {
            try
            {
                look();
            }
            catch (Exception error) when (error is TinctorException or IOException)
            {
                problems.TryAdd(i, error.Message);
            }
        }

        // The kind that most pairs have is the right one.
        void RefuseOddOnes()
        {
            var kinds = infos.Where(info => info is not null).GroupBy(info => Kind(info!.Value))
                .OrderByDescending(kind => kind.Count()).ToArray();
            if (kinds.Length < 2) return;
            for (int i = 0; i < infos.Length; i++)
            {
                if (infos[i] is { } info && Kind(info) != kinds[0].Key)
                    problems.TryAdd(i, $"{pairs[i].Source}: {Kind(info)}, but most pairs have {kinds[0].Key}; convert it or leave it out");
            }
        }
    }

    private static string Kind((ImageInfo Source, ImageInfo Target) pair) => $"{Kind(pair.Source)} to {Kind(pair.Target)}";

    private static string Kind(ImageInfo info) =>
        $"{info.Channels} {(info.Channels == 1 ? "channel" : "channels")} of {(info.SampleType == SampleType.UInt8 ? 8 : 16)} bit";

    private static (ImageInfo Source, ImageInfo Target) Headers(Pair pair, int minimumSize, int? factor)
    {
        if (pair.Files.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            string? partner = missing == pair.Source ? pair.Target : pair.Source;
            throw new FileNotFoundException($"{missing}: missing" + (partner is null ? "" : $", the partner of {partner}"));
        }
        ImageInfo source = Image.ReadInfo(pair.Source);
        bool halves = pair.Layout is PairLayout.SourceLeft or PairLayout.SourceRight;
        if (halves && source.Width % 2 != 0)
            throw new TinctorException($"{pair.Source}: {source.Width} pixels wide, so not two images of one size side by side");
        ImageInfo target = pair.Target is null ? source : Image.ReadInfo(pair.Target);
        if (halves) source = target = source with { Width = source.Width / 2 };
        if (factor is { } times) RefuseOtherSize(pair, (source.Width, source.Height), (target.Width, target.Height), times);
        if (Math.Min(target.Width, target.Height) < minimumSize)
        {
            throw new TinctorException($"{pair.Target ?? pair.Source}: is {target.Width}x{target.Height}, smaller than the crop of "
                + $"{minimumSize}; crop less or leave it out");
        }
        return (source, target);
    }

    /// <summary>Targets are a whole number of times as large as their sources: once, but where staining gives finer images.</summary>
    /// <exception cref="TinctorException">These are not; the message says what to do.</exception>
    public static void RefuseOtherSize(Pair pair, (int Width, int Height) source, (int Width, int Height) target, int factor)
    {
        if ((source.Width * factor, source.Height * factor) == target) return;
        int actual = Math.Max(1, target.Width / source.Width);
        string sizes = $"{pair.Source}: is {source.Width}x{source.Height}, but its partner {pair.Target} is {target.Width}x{target.Height}";
        throw new TinctorException(actual > 1 && (source.Width * actual, source.Height * actual) == target
            ? $"{sizes}, {actual} times as large; a method that refines images takes it with model.factor={actual}"
            : factor == 1 ? $"{sizes}; register and cut them into pairs of one size first"
            : $"{sizes}, not {factor} times as large (model.factor)");
    }
}
