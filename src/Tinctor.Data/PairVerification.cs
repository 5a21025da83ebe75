using Tinctor.Slides;

namespace Tinctor.Data;

/// <summary>Checks the files of a data set and reports all problems at once.</summary>
internal static class PairVerification
{
    // Decoding this many pixels takes a few seconds.
    private const long DecodedPixels = 200_000_000;

    /// <summary>
    /// Checks every pair in parallel: both files can be read, their sizes match, and all pairs have the same channels and sample type. All
    /// headers are read; <paramref name="decode"/> determines whether pixels are decoded too.
    /// </summary>
    /// <param name="pairs">Pairs to check.</param>
    /// <param name="minimumSize">Minimum width and height of targets in pixels: the crop size.</param>
    /// <param name="factor">Target pixels per source pixel along each axis; null for any sizes, before registration.</param>
    /// <param name="decode">Whether to decode every file; null decodes if the data set has 200 megapixels or less.</param>
    /// <param name="smallRemedy">
    /// Gets the remedy for targets smaller than <paramref name="minimumSize"/>, as a sentence, from their smallest side in pixels; null for
    /// a general one.
    /// </param>
    /// <param name="cancel">Cancels the checks.</param>
    /// <exception cref="TinctorException">There are problems; the message has one line per kind, up to twenty.</exception>
    public static void Check(IReadOnlyList<Pair> pairs, int minimumSize = 1, int? factor = 1, bool? decode = null,
        Func<int, string>? smallRemedy = null, CancellationToken cancel = default)
    {
        PairProblem?[] found = Find(pairs, minimumSize, factor, decode, smallRemedy, cancel);
        var problems = new ProblemList();
        foreach (PairProblem problem in found.OfType<PairProblem>())
            problems.Add(problem.File, problem.Text, problem.Remedy, kind: problem.Kind);
        if (problems.Count == 0) return;
        throw new TinctorException(
            $"{found.Count(problem => problem is not null)} of {pairs.Count} pairs cannot be used:\n  {problems.ToLines("\n  ")}")
        { Option = found.Any(problem => problem is { NeedsSetting: true }) ? "Set" : null };
    }

    /// <summary>Finds the pairs that cannot be used, by their headers, without comparing the sizes of source and target.</summary>
    /// <param name="pairs">Pairs to check.</param>
    /// <param name="cancel">Cancels the checks.</param>
    /// <returns>Problems by the index of their pair.</returns>
    public static IReadOnlyDictionary<int, TinctorException> FindProblems(IReadOnlyList<Pair> pairs, CancellationToken cancel = default) =>
        Find(pairs, 1, null, false, null, cancel).Index().Where(pair => pair.Item is not null)
            .ToDictionary(pair => pair.Index, pair => pair.Item!.ToException());

    // Problem of each pair; null for usable pairs.
    private static PairProblem?[] Find(
        IReadOnlyList<Pair> pairs, int minimumSize, int? factor, bool? decode, Func<int, string>? smallRemedy, CancellationToken cancel)
    {
        var options = new ParallelOptions { CancellationToken = cancel };
        var infos = new (ImageInfo Source, ImageInfo Target)?[pairs.Count];
        var problems = new PairProblem?[pairs.Count];
        Parallel.For(0, pairs.Count, options, i => Try(i, () => Headers(pairs[i], factor, out infos[i])));
        AddSmall(pairs, infos, minimumSize, factor, smallRemedy, Add);
        AddOtherKinds(pairs, infos, Add);
        if (decode ?? infos.Sum(info => info is var (a, b) ? (long)a.Width * a.Height + ((long)b.Width * b.Height) : 0) <= DecodedPixels)
        {
            Parallel.For(0, pairs.Count, options, i =>
            {
                if (problems[i] is not null) return;
                Try(i, () =>
                {
                    foreach (string file in pairs[i].Files) Image.Read(file);
                    return null;
                });
            });
        }
        return problems;

        // One problem per pair: further ones often follow from the first.
        void Add(int i, PairProblem problem) => problems[i] ??= problem;

        void Try(int i, Func<PairProblem?> check)
        {
            try
            {
                if (check() is { } problem) Add(i, problem);
            }
            catch (TinctorException error)
            {
                Add(i, new(error.File ?? pairs[i].Source, error.Problem, error.Problem, error.Remedy));
            }
            catch (IOException error)
            {
                Add(i, new(pairs[i].Source, $"cannot be read: {error.Message}", "cannot be read", null));
            }
        }
    }

    private static void AddSmall(IReadOnlyList<Pair> pairs, (ImageInfo Source, ImageInfo Target)?[] infos, int minimumSize,
        int? factor, Func<int, string>? remedy, Action<int, PairProblem> add)
    {
        int[] small = [.. Enumerable.Range(0, pairs.Count).Where(i => Side(i) < minimumSize)];
        if (small.Length == 0) return;
        string advice = remedy?.Invoke(small.Min(i => Side(i)!.Value)) ?? "Use a smaller crop, or leave these images out.";
        foreach (int i in small)
        {
            (ImageInfo source, ImageInfo target) = infos[i]!.Value;
            bool isSource = factor is null && Shorter(target) >= minimumSize;
            ImageInfo image = isSource ? source : target;
            string kind = $"smaller than the crop of {minimumSize} pixels";
            string problem = $"{image.Width}x{image.Height} pixels, {kind}";
            string file = isSource ? pairs[i].Source : pairs[i].Target ?? pairs[i].Source;
            add(i, new(file, problem, kind, advice, NeedsSetting: remedy is not null));
        }

        // Images of different sizes are checked one by one.
        int? Side(int i) => infos[i] is not var (source, target) ? null
            : factor is null ? Math.Min(Shorter(source), Shorter(target)) : Shorter(target);

        static int Shorter(ImageInfo info) => Math.Min(info.Width, info.Height);
    }

    // The majority defines the expected channels and sample type.
    private static void AddOtherKinds(
        IReadOnlyList<Pair> pairs, (ImageInfo Source, ImageInfo Target)?[] infos, Action<int, PairProblem> add)
    {
        string[] kinds = [.. infos.OfType<(ImageInfo, ImageInfo)>().CountBy(Kind).OrderByDescending(kind => kind.Value)
            .Select(kind => kind.Key)];
        for (int i = 0; i < infos.Length; i++)
        {
            if (infos[i] is { } info && Kind(info) != kinds[0])
            {
                string problem = $"{Kind(info)}, but most pairs have {kinds[0]}";
                add(i, new(pairs[i].Source, problem, problem, "Convert these images, or leave them out."));
            }
        }
    }

    private static string Kind((ImageInfo Source, ImageInfo Target) pair) => $"{Kind(pair.Source)} to {Kind(pair.Target)}";

    private static string Kind(ImageInfo info) =>
        $"{info.Channels} {(info.Channels == 1 ? "channel" : "channels")} of {(info.SampleType == SampleType.UInt8 ? 8 : 16)} bit";

    private static PairProblem? Headers(Pair pair, int? factor, out (ImageInfo Source, ImageInfo Target)? infos)
    {
        infos = null;
        if (pair.Files.FirstOrDefault(file => !File.Exists(file)) is { } missing)
        {
            string? partner = missing == pair.Source ? pair.Target : pair.Source;
            return new(missing, partner is null ? "the file is missing" : $"the file is missing; it is the partner of {partner}",
                missing == pair.Source ? "missing sources" : "missing targets", null);
        }
        ImageInfo source = Image.ReadInfo(pair.Source);
        bool halves = pair.Layout is PairLayout.SourceLeft or PairLayout.SourceRight;
        if (halves && source.Width % 2 != 0)
            return new(pair.Source, $"{source.Width} pixels wide, but two images side by side have an even width",
                "odd width, but two images side by side have an even width", null);
        ImageInfo target = pair.Target is null ? source : Image.ReadInfo(pair.Target);
        if (halves) source = target = source with { Width = source.Width / 2 };
        if (factor is { } times && SizeMismatch(pair, (source.Width, source.Height), (target.Width, target.Height), times) is { } problem)
            return problem;
        infos = (source, target);
        return null;
    }

    /// <summary>Checks that the size of a target is the size of its source times the factor.</summary>
    /// <param name="pair">Image pair.</param>
    /// <param name="source">Size of the source in pixels.</param>
    /// <param name="target">Size of the target in pixels.</param>
    /// <param name="factor">Target pixels per source pixel along each axis.</param>
    /// <exception cref="TinctorException">The target has another size.</exception>
    public static void RequireMatchingSize(Pair pair, (int Width, int Height) source, (int Width, int Height) target, int factor)
    {
        if (SizeMismatch(pair, source, target, factor) is { } problem)
            throw problem.ToException();
    }

    private static PairProblem? SizeMismatch(Pair pair, (int Width, int Height) source, (int Width, int Height) target, int factor)
    {
        if ((source.Width * factor, source.Height * factor) == target) return null;
        int actual = Math.Max(1, target.Width / source.Width);
        bool whole = actual > 1 && (source.Width * actual, source.Height * actual) == target;
        string kind = whole ? $"the target is {actual} times as large as the source"
            : factor == 1 ? "source and target differ in size" : $"the target is not {factor} times as large as the source (model.factor)";
        string sizes = $"{source.Width}x{source.Height} pixels, but its target {pair.Target} has {target.Width}x{target.Height}";
        string problem = whole ? $"{sizes}, {actual} times as large"
            : factor == 1 ? sizes : $"{sizes}, not {factor} times as large (model.factor)";
        string? remedy = whole ? $"Use model.factor={actual} with a method that has this setting."
            : factor == 1 ? "Register the images and cut them into pairs of one size first." : null;
        return new(pair.Source, problem, kind, remedy);
    }

    // Problem of a pair, and its kind, under which equal problems of many pairs are reported together.
    private sealed record PairProblem(string File, string Text, string Kind, string? Remedy, bool NeedsSetting = false)
    {
        public TinctorException ToException() => new(File, Text, Remedy);
    }
}
