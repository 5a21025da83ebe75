using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Data;

/// <summary>One image of the test set in its versions.</summary>
/// <param name="Name">The file name that the versions share, without extension.</param>
/// <param name="Stained">Path of each model's output, by the model's key.</param>
/// <param name="Real">Path of the real image.</param>
/// <param name="Source">Path of the model's input, where given.</param>
/// <param name="Label">Its label, where known.</param>
/// <param name="SlideId">Its slide, where known.</param>
public sealed record ImagePair(
    string Name, IReadOnlyDictionary<string, string> Stained, string Real, string? Source, string? Label, string? SlideId)
{
    /// <summary>The file that a method made: a model's output, or for the identity the source.</summary>
    public string PathOf(string method) => method == Method.Identity ? Source! : Stained[method];
}

/// <summary>The test set: images matched by name over the folders, checked before anything is computed.</summary>
/// <param name="Pairs">The images, ordered by name.</param>
/// <param name="TrainingTargets">Real images of the training set; empty where they are not known.</param>
/// <param name="LabelsFrom">Where labels came from, in words; null without labels.</param>
/// <param name="NoIdentity">Why the source cannot be compared with the real image; null where it can.</param>
public sealed record ImagePairs(
    IReadOnlyList<ImagePair> Pairs, IReadOnlyList<LabelledImage> TrainingTargets, string? LabelsFrom, string? NoIdentity)
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff"];

    /// <summary>Matches the folders and checks every header.</summary>
    /// <exception cref="TinctorException">Names every file that is missing, unreadable or of the wrong size, one a line.</exception>
    /// <exception cref="DirectoryNotFoundException">A folder does not exist.</exception>
    public static ImagePairs Match(EvaluationOptions options)
    {
        RefuseSameNames(options.Stained);
        var stained = options.Stained.ToDictionary(model => model.Name, model => FilesByStem(model.Path, "_fake_B"));
        var real = FilesByStem(options.Real, "_real_B");
        var source = options.Source is null ? null : FilesByStem(options.Source, "_real_A");
        var labels = options.Labels is null ? null : LabelTable.Read(options.Labels);
        if (labels is { HasSplits: true })
            foreach (var files in (Dictionary<string, List<string>>?[])[.. stained.Values, real, source])
                KeepTestSplit(files, labels);
        var problems = new Problems();
        foreach (var model in options.Stained)
            NameUnpaired(stained[model.Name], model.Path, real, options.Real, problems);
        string[] names = [.. real.Keys.Where(name => stained.Values.All(files => files.ContainsKey(name))).Order(StringComparer.Ordinal)];
        foreach (string name in names)
        {
            if (source is not null && !source.ContainsKey(name))
                problems.Add($"{real[name][0]}: no source image of this name in {options.Source}");
            if (labels is not null && !labels.Rows.ContainsKey(name))
                problems.Add($"{real[name][0]}: no row of this name in {options.Labels}");
            foreach (var files in (Dictionary<string, List<string>>?[])[.. stained.Values, real, source])
                if (files?.GetValueOrDefault(name) is { Count: > 1 } same)
                    problems.Add($"{string.Join(", ", same)}: more than one file of this name");
        }
        if (names.Length == 0)
            problems.Add($"{string.Join(", ", options.Stained.Select(model => model.Path))} and {options.Real} "
                + "have no file name in common (extensions aside)");

        Func<string, LabelRow> rowOf = labels is not null ? name => labels.Rows.GetValueOrDefault(name)
            : FileNameLabels.AllHaveOne(names) ? FileNameLabels.Find : _ => default;
        ImagePair[] pairs =
        [
            .. from name in names
               let row = rowOf(name)
               select new ImagePair(name, stained.ToDictionary(model => model.Key, model => model.Value[name][0]), real[name][0],
                   source?.GetValueOrDefault(name)?[0], row.Label, row.SlideId),
        ];
        string? noIdentity = CheckHeaders(pairs, Ssim.WindowSize(options.Ssim), problems);
        problems.ThrowIfAny("nothing was computed");
        string? labelsFrom = !pairs.Any(p => p.Label is not null) ? null : options.Labels ?? "file names (BCI's level suffixes)";
        if (options.Source is null)
            noIdentity = "no source images were given (--source)";
        return new(pairs, FindTrainingTargets(options, labels), labelsFrom, noIdentity);
    }

    private static void RefuseSameNames(IReadOnlyList<StainedFolder> models)
    {
        var twice = models.GroupBy(model => model.Name).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
            throw new TinctorException($"{string.Join(" and ", twice.Select(model => model.Path))}: two models are named \"{twice.Key}\"; "
                + "name each with --stained NAME=DIR");
    }

    private static void NameUnpaired(Dictionary<string, List<string>> stained, string stainedFolder,
        Dictionary<string, List<string>> real, string realFolder, Problems problems)
    {
        foreach (string name in real.Keys.Except(stained.Keys))
            problems.Add($"{real[name][0]}: no stained image of this name in {stainedFolder}");
        foreach (string name in stained.Keys.Except(real.Keys))
            problems.Add($"{stained[name][0]}: no real image of this name in {realFolder}");
    }

    private static void KeepTestSplit(Dictionary<string, List<string>>? files, LabelTable labels)
    {
        foreach (string name in files?.Keys.Where(name => labels.Rows.ContainsKey(name) && !labels.IsIn("test", name)).ToArray() ?? [])
            files!.Remove(name);
    }

    /// <summary>Training images for the mean colour and for libraries of features: those given; of a manifest, its training split.</summary>
    private static IReadOnlyList<LabelledImage> FindTrainingTargets(EvaluationOptions options, LabelTable? labels)
    {
        if (labels is { HasSplits: true })
        {
            var files = FilesByStem(options.TrainReal ?? options.Real, "_real_B");
            return
            [
                .. from file in files
                   where labels.IsIn("train", file.Key)
                   let row = labels.Rows[file.Key]
                   from path in file.Value
                   select new LabelledImage(path, row.Label, row.SlideId),
            ];
        }
        if (options.TrainReal is null)
            return [];
        var byStem = FilesByStem(options.TrainReal, "_real_B");
        Func<string, LabelRow> rowOf = FileNameLabels.AllHaveOne(byStem.Keys) ? FileNameLabels.Find
            : name => labels?.Rows.GetValueOrDefault(name) ?? default;
        return [.. byStem.SelectMany(file => file.Value, (file, path) => (file.Key, path))
            .Select(file => new LabelledImage(file.path, rowOf(file.Key).Label, rowOf(file.Key).SlideId))];
    }

    /// <summary>The image files of a folder, by name.</summary>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="TinctorException">It holds no image.</exception>
    private static IReadOnlyList<string> FilesOf(string folder)
    {
        if (!Directory.Exists(folder))
            throw new DirectoryNotFoundException($"{folder}: no such folder");
        string[] files =
        [
            .. Directory.EnumerateFiles(folder)
                .Where(f => Extensions.Contains(Path.GetExtension(f).ToLowerInvariant()) && !Path.GetFileName(f).StartsWith('.'))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length > 0
            ? files
            : throw new TinctorException($"{folder}: no images here; expected files ending in {string.Join(" ", Extensions)}");
    }

    /// <summary>
    /// Files of a folder by stem. pix2pix and CycleGAN write all versions into one folder and tell them apart by a suffix:
    /// where a file has the suffix of our role, only those that have it count, and it is not part of the name.
    /// </summary>
    internal static Dictionary<string, List<string>> FilesByStem(string folder, string roleSuffix)
    {
        var files = FilesOf(folder);
        bool HasSuffix(string file) => Path.GetFileNameWithoutExtension(file).EndsWith(roleSuffix, StringComparison.Ordinal);
        if (files.Any(HasSuffix))
            files = [.. files.Where(HasSuffix)];
        string Stem(string file)
        {
            string stem = Path.GetFileNameWithoutExtension(file);
            return HasSuffix(file) ? stem[..^roleSuffix.Length] : stem;
        }
        return files.GroupBy(Stem).ToDictionary(g => g.Key, g => g.ToList());
    }

    private static string? CheckHeaders(ImagePair[] pairs, int window, Problems problems)
    {
        int comparableSources = 0;
        var otherSources = new List<string>();
        foreach (var pair in pairs)
        {
            var real = Header(pair.Real, problems);
            var source = pair.Source is null ? null : Header(pair.Source, problems);
            var stained = pair.Stained.Values.Select(path => (Path: path, Info: Header(path, problems))).ToArray();
            if (real is null)
                continue;
            foreach (var (path, info) in stained.Append((pair.Real, real)))
                if (info is not null && !RgbReader.IsColourImage(info))
                    problems.Add($"{path}: {info.Channels} channels of {info.SampleType}; expected 8-bit grey or RGB");
            foreach (var (path, info) in stained)
                if (info is not null && (info.Width, info.Height) != (real.Width, real.Height))
                    problems.Add($"{path}: {info.Width}x{info.Height}, but {pair.Real} is {real.Width}x{real.Height}");
            if (Math.Min(real.Width, real.Height) < window)
                problems.Add($"{pair.Real}: {real.Width}x{real.Height} is smaller than SSIM's {window}x{window} window");
            if (source is null)
                continue;
            if (RgbReader.IsColourImage(source) && (source.Width, source.Height) == (real.Width, real.Height))
                comparableSources++;
            else
                otherSources.Add($"{pair.Source}: {source.Width}x{source.Height} with {source.Channels} channels of {source.SampleType}, "
                    + $"but {pair.Real} is {real.Width}x{real.Height}");
        }
        // A low-resolution or fluorescence source is a task of its own; a few odd files among comparable ones are a mistake.
        if (comparableSources > 0)
            otherSources.ForEach(problems.Add);
        return otherSources.Count > 0 ? "the source images are not 8-bit colour images of the target's size" : null;
    }

    private static ImageInfo? Header(string path, Problems problems)
    {
        try
        {
            return Image.ReadInfo(path);
        }
        catch (Exception e) when (e is IOException or TinctorException or UnauthorizedAccessException)
        {
            problems.Add(e.Message);
            return null;
        }
    }
}
