using Tinctor.Slides;

namespace Tinctor.Data;

/// <summary>Checks the files of a data set before use and reports all problems at once.</summary>
public static class PairVerification
{
    /// <summary>Images are decoded completely if all of them together have at most this many pixels (a few seconds).</summary>
    public const long DecodedPixels = 200_000_000;

    /// <summary>
    /// Checks every pair: both files exist and can be read, their sizes fit, and channels and sample type are those of the other pairs.
    /// Headers are always read; pixels if <paramref name="decode"/>, or by default if the data set is small. Works in parallel.
    /// </summary>
    /// <param name="pairs">Pairs to be used.</param>
    /// <param name="minimumSize">Smallest side of targets in pixels: the crop.</param>
    /// <param name="factor">Target pixels per source pixel along each axis; null for any sizes, before registration.</param>
    /// <param name="decode">True decodes every file, false none, null those of a set of up to <see cref="DecodedPixels"/>.</param>
    /// <param name="smallRemedy">
    /// Remedy for targets smaller than <paramref name="minimumSize"/>, as a sentence, from their smallest side in pixels; null for a
    /// general one.
    /// </param>
    /// <param name="cancel">Cancels the checks.</param>
    /// <exception cref="TinctorException">There are problems: one line with their number, then one for each kind, up to twenty.</exception>
    public static void Check(IReadOnlyList<Pair> pairs, int minimumSize = 1, int? factor = 1, bool? decode = null,
        Func<int, string>? smallRemedy = null, CancellationToken cancel = default)
    {
        ProblemGroups problems = Find(pairs, minimumSize, factor, decode, smallRemedy, cancel);
        if (problems.Count > 0)
            throw new TinctorException($"{problems.Count} of {pairs.Count} pairs cannot be used:\n  {problems.Format("\n  ")}");
    }

    /// <summary>Finds the pairs that cannot be used, by their headers, without comparing the sizes of source and target.</summary>
    /// <param name="pairs">Pairs to be used.</param>
    /// <param name="cancel">Cancels the checks.</param>
    /// <returns>Problem of each pair that has one, by its index.</returns>
    public static IReadOnlyDictionary<int, TinctorException> FindProblems(IReadOnlyList<Pair> pairs, CancellationToken cancel = default) =>
        Find(pairs, 1, null, false, null, cancel).ByPair;

    private static ProblemGroups Find(IReadOnlyList<Pair> pairs, int minimumSize, int? factor, bool? decode, Func<int, string>? smallRemedy,
        CancellationToken cancel)
    {
        var options = new ParallelOptions { CancellationToken = cancel };
        var infos = new (ImageInfo Source, ImageInfo Target)?[pairs.Count];
        var problems = new ProblemGroups();
        Parallel.For(0, pairs.Count, options, i => Try(i, () => infos[i] = Headers(pairs[i], factor)));
        AddSmall(pairs, infos, minimumSize, smallRemedy, problems);
        AddOtherKinds(pairs, infos, problems);
        if (decode ?? infos.Sum(info => info is var (a, b) ? (long)a.Width * a.Height + ((long)b.Width * b.Height) : 0) <= DecodedPixels)
        {
            Parallel.For(0, pairs.Count, options, i =>
            {
                if (problems.Contains(i)) return;
                foreach (string file in pairs[i].Files) Try(i, () => Image.Read(file));
            });
        }
        return problems;

        void Try(int i, Action check)
        {
            try
            {
                check();
            }
            catch (TinctorException error)
            {
                problems.Add(i, error);
            }
            catch (IOException error)
            {
                problems.Add(i, new TinctorException(pairs[i].Source, error.Message, null, error));
            }
        }
    }

    private static void AddSmall(IReadOnlyList<Pair> pairs, (ImageInfo Source, ImageInfo Target)?[] infos, int minimumSize,
        Func<int, string>? remedy, ProblemGroups problems)
    {
        int[] small = [.. Enumerable.Range(0, pairs.Count).Where(i => Side(i) < minimumSize)];
        if (small.Length == 0) return;
        string advice = remedy?.Invoke(small.Min(i => Side(i)!.Value)) ?? "Use a smaller crop, or leave these images out.";
        foreach (int i in small)
        {
            ImageInfo target = infos[i]!.Value.Target;
            string kind = $"smaller than the crop of {minimumSize}", size = $"is {target.Width}x{target.Height}";
            problems.Add(i, new PairProblem(pairs[i].Target ?? pairs[i].Source, kind, $"{size}, {kind}", advice, size));
        }

        int? Side(int i) => infos[i] is var (_, target) ? Math.Min(target.Width, target.Height) : null;
    }

    // The kind that most pairs have is the right one.
    private static void AddOtherKinds(IReadOnlyList<Pair> pairs, (ImageInfo Source, ImageInfo Target)?[] infos, ProblemGroups problems)
    {
        string[] kinds = [.. infos.OfType<(ImageInfo, ImageInfo)>().CountBy(Kind).OrderByDescending(kind => kind.Value)
            .Select(kind => kind.Key)];
        for (int i = 0; i < infos.Length; i++)
        {
            if (infos[i] is { } info && Kind(info) != kinds[0])
                problems.Add(i, new TinctorException(pairs[i].Source, $"{Kind(info)}, but most pairs have {kinds[0]}",
                    "Convert it, or leave it out."));
        }
    }

    private static string Kind((ImageInfo Source, ImageInfo Target) pair) => $"{Kind(pair.Source)} to {Kind(pair.Target)}";

    private static string Kind(ImageInfo info) =>
        $"{info.Channels} {(info.Channels == 1 ? "channel" : "channels")} of {(info.SampleType == SampleType.UInt8 ? 8 : 16)} bit";

    private static (ImageInfo Source, ImageInfo Target) Headers(Pair pair, int? factor)
    {
        if (pair.Files.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            string? partner = missing == pair.Source ? pair.Target : pair.Source;
            throw new PairProblem(missing, missing == pair.Source ? "missing sources" : "missing targets",
                partner is null ? "missing" : $"missing, the partner of {partner}");
        }
        ImageInfo source = Image.ReadInfo(pair.Source);
        bool halves = pair.Layout is PairLayout.SourceLeft or PairLayout.SourceRight;
        if (halves && source.Width % 2 != 0)
            throw new PairProblem(pair.Source, "an odd number of pixels wide, so not two images of one size side by side",
                $"{source.Width} pixels wide, so not two images of one size side by side");
        ImageInfo target = pair.Target is null ? source : Image.ReadInfo(pair.Target);
        if (halves) source = target = source with { Width = source.Width / 2 };
        if (factor is { } times && OtherSize(pair, (source.Width, source.Height), (target.Width, target.Height), times) is { } problem)
            throw problem;
        return (source, target);
    }

    /// <summary>Checks that a target is as large as its source times the factor.</summary>
    /// <param name="pair">The pair.</param>
    /// <param name="source">Size of the source in pixels.</param>
    /// <param name="target">Size of the target in pixels.</param>
    /// <param name="factor">Target pixels per source pixel along each axis.</param>
    /// <exception cref="TinctorException">The target has another size.</exception>
    public static void RefuseOtherSize(Pair pair, (int Width, int Height) source, (int Width, int Height) target, int factor)
    {
        if (OtherSize(pair, source, target, factor) is { } problem)
            throw new TinctorException(problem.File, problem.Problem, problem.Remedy);
    }

    private static PairProblem? OtherSize(Pair pair, (int Width, int Height) source, (int Width, int Height) target, int factor)
    {
        if ((source.Width * factor, source.Height * factor) == target) return null;
        int actual = Math.Max(1, target.Width / source.Width);
        bool whole = actual > 1 && (source.Width * actual, source.Height * actual) == target;
        string kind = whole ? $"{actual} times smaller than the partner"
            : factor == 1 ? "source and target differ in size" : $"the partner is not {factor} times as large (model.factor)";
        string sizes = $"is {source.Width}x{source.Height}, but its partner {pair.Target} is {target.Width}x{target.Height}";
        string problem = whole ? $"{sizes}, {actual} times as large"
            : factor == 1 ? sizes : $"{sizes}, not {factor} times as large (model.factor)";
        string? remedy = whole ? $"Use model.factor={actual} with a method that has this setting."
            : factor == 1 ? "Register the images and cut them into pairs of one size first." : null;
        return new(pair.Source, kind, problem, remedy, sizes);
    }
}
