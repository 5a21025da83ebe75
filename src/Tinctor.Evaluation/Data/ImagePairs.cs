using System.Globalization;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Data;

/// <summary>Test set: images of all folders, matched by name and checked before anything is computed.</summary>
/// <param name="Pairs">The images to score, ordered by name.</param>
/// <param name="Skipped">Images that cannot be scored; the others are.</param>
/// <param name="TrainingTargets">Real images of the training set; empty if unknown.</param>
/// <param name="LabelsFrom">Origin of the labels; null without labels.</param>
/// <param name="NoIdentity">Reason why the identity baseline is not computed; null if it is.</param>
internal sealed record ImagePairs(IReadOnlyList<ImagePair> Pairs, IReadOnlyList<SkippedImage> Skipped,
    IReadOnlyList<LabelledImage> TrainingTargets, string? LabelsFrom, string? NoIdentity)
{
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".tif", ".tiff"];

    /// <summary>Matches the folders and checks the headers of all images.</summary>
    /// <param name="folders">The folders.</param>
    /// <param name="requirements">Conditions that the images must meet; others are skipped.</param>
    /// <exception cref="TinctorException">Files are missing, unreadable or differ in size, or all images are too small.</exception>
    public static ImagePairs Match(ImageFolders folders, ImageRequirements requirements)
    {
        RequireDistinctNames(folders.Stained);
        var stained = folders.Stained.ToDictionary(model => model.Name, model => FilesByStem(model.Path, "_fake_B"));
        var real = FilesByStem(folders.Real, "_real_B");
        var source = folders.Source is null ? null : FilesByStem(folders.Source, "_real_A");
        LabelTable? labels = folders.Labels is null ? null : LabelTable.Read(folders.Labels);
        Dictionary<string, List<string>>[] all = source is null ? [.. stained.Values, real] : [.. stained.Values, real, source];
        if (labels is { HasSplits: true })
            foreach (var files in all) KeepTestSplit(files, labels);

        var problems = new ProblemList();
        foreach (StainedFolder model in folders.Stained) AddUnmatched(stained[model.Name], model, real, folders, problems);
        string[] names = [.. real.Keys.Where(name => stained.Values.All(files => files.ContainsKey(name))).Order(StringComparer.Ordinal)];
        AddIncomplete(names, all, real, source, labels, folders, problems);
        ImagePair[] pairs = Pair(names, stained, real, source, labels, requirements.Crop);
        string? otherSources = CheckHeaders(pairs, problems);
        problems.ThrowIfAny(folders.Real);
        SkippedImage[] skipped = [.. pairs.Select(pair => Unsuitable(pair, requirements)).OfType<SkippedImage>()];
        if (skipped.Length == pairs.Length) throw new TinctorException(folders.Real, skipped[0].Reason,
            "Choose other images, another SSIM or another protocol");
        pairs = [.. pairs.ExceptBy(skipped.Select(image => image.Name), pair => pair.Name)];
        string? labelsFrom = !pairs.Any(p => p.Label is not null) ? null : folders.Labels ?? "file names (level suffixes of BCI)";
        return new(pairs, skipped, FindTrainingTargets(folders, labels), labelsFrom,
            folders.Source is null ? "no source images were given" : otherSources);
    }

    private static void RequireDistinctNames(IReadOnlyList<StainedFolder> models)
    {
        var twice = models.GroupBy(model => model.Name).FirstOrDefault(group => group.Count() > 1);
        if (twice is not null)
        {
            throw new OptionException(nameof(ImageFolders.Stained), $"two models are named \"{twice.Key}\": "
                + string.Join(" and ", twice.Select(model => model.Path)), "Name each model as NAME=DIR");
        }
    }

    private static void AddUnmatched(Dictionary<string, List<string>> stained, StainedFolder model, Dictionary<string, List<string>> real,
        ImageFolders folders, ProblemList problems)
    {
        string[] extra = [.. stained.Keys.Except(real.Keys)], missing = [.. real.Keys.Except(stained.Keys)];
        foreach (string name in extra) problems.Add(stained[name][0], $"no real image of this name in {folders.Real}");
        if (extra.Length == stained.Count)
            problems.Add(null, $"{model.Path} and {folders.Real} have no file name in common (extensions aside)");
        // Only one split was stained, but the folder of real images has all splits.
        bool isPart = extra.Length == 0 && missing.Length > 0 && folders.Labels is null;
        foreach (string name in missing)
        {
            problems.Add(real[name][0], $"no stained image of this name in {model.Path}", isPart ? PartRemedy(folders.Real) : null,
                isPart ? nameof(ImageFolders.Labels) : null);
        }
    }

    private static string PartRemedy(string real)
    {
        string full = Path.GetFullPath(Path.TrimEndingDirectorySeparator(real));
        string? manifest = new[] { full, Path.GetDirectoryName(full)! }.Select(folder => Path.Combine(folder, "manifest.csv"))
            .FirstOrDefault(File.Exists);
        return manifest is null ? "If only the test split was stained, give the manifest of the data set as labels"
            : $"If only the test split was stained, give {manifest} as labels";
    }

    private static void AddIncomplete(string[] names, Dictionary<string, List<string>>[] all, Dictionary<string, List<string>> real,
        Dictionary<string, List<string>>? source, LabelTable? labels, ImageFolders folders, ProblemList problems)
    {
        foreach (string name in names)
        {
            if (source is not null && !source.ContainsKey(name))
                problems.Add(real[name][0], $"no source image of this name in {folders.Source}");
            if (labels is not null && !labels.Rows.ContainsKey(name))
                problems.Add(real[name][0], $"no row of this name in {folders.Labels}");
            foreach (List<string> same in all.Select(files => files.GetValueOrDefault(name)).OfType<List<string>>().Where(f => f.Count > 1))
                problems.Add(string.Join(", ", same), "more than one file of this name");
        }
    }

    private static ImagePair[] Pair(string[] names, Dictionary<string, Dictionary<string, List<string>>> stained,
        Dictionary<string, List<string>> real, Dictionary<string, List<string>>? source, LabelTable? labels, int crop)
    {
        Func<string, LabelRow> rowOf = labels is not null ? name => labels.Rows.GetValueOrDefault(name)
            : FileNameLabels.AllHaveOne(names) ? FileNameLabels.Find : _ => default;
        return
        [
            .. from name in names
               let row = rowOf(name)
               select new ImagePair(name, stained.ToDictionary(model => model.Key, model => model.Value[name][0]), real[name][0],
                   source?.GetValueOrDefault(name)?[0], row.Label, row.SlideId)
               {
                   Crop = crop,
                   Dataset = row.Dataset,
               },
        ];
    }

    private static void KeepTestSplit(Dictionary<string, List<string>> files, LabelTable labels)
    {
        foreach (string name in files.Keys.Where(name => labels.Rows.ContainsKey(name) && !labels.IsIn("test", name)).ToArray())
            files.Remove(name);
    }

    /// <summary>
    /// Training images for the mean colour and for feature libraries: the given folder, or the training split of a manifest.
    /// </summary>
    private static IReadOnlyList<LabelledImage> FindTrainingTargets(ImageFolders folders, LabelTable? labels)
    {
        if (labels is { HasSplits: true })
        {
            var files = FilesByStem(folders.TrainReal ?? folders.Real, "_real_B");
            return
            [
                .. from file in files
                   where labels.IsIn("train", file.Key)
                   let row = labels.Rows[file.Key]
                   from path in file.Value
                   select new LabelledImage(path, row.Label, row.SlideId),
            ];
        }
        if (folders.TrainReal is null) return [];
        var byStem = FilesByStem(folders.TrainReal, "_real_B");
        Func<string, LabelRow> rowOf = FileNameLabels.AllHaveOne(byStem.Keys) ? FileNameLabels.Find
            : name => labels?.Rows.GetValueOrDefault(name) ?? default;
        return [.. byStem.SelectMany(file => file.Value, (file, path) => (file.Key, path))
            .Select(file => new LabelledImage(file.path, rowOf(file.Key).Label, rowOf(file.Key).SlideId))];
    }

    private static string[] FilesOf(string folder)
    {
        if (!Directory.Exists(folder)) throw new TinctorException(folder, "no such folder", "Check its path");
        string[] files =
        [
            .. Directory.EnumerateFiles(folder)
                .Where(f => Extensions.Contains(Path.GetExtension(f).ToLowerInvariant()) && !Path.GetFileName(f).StartsWith('.'))
                .Order(StringComparer.Ordinal),
        ];
        return files.Length > 0 ? files
            : throw new TinctorException(folder, $"no images; expected files that end in {string.Join(" ", Extensions)}");
    }

    /// <summary>
    /// Lists the images of a folder by name. pix2pix and CycleGAN write all versions into one folder with a suffix for each role: if there
    /// are files with the suffix, only these count, and the suffix is not part of the name.
    /// </summary>
    /// <exception cref="TinctorException">The folder does not exist or holds no images.</exception>
    internal static Dictionary<string, List<string>> FilesByStem(string folder, string roleSuffix)
    {
        string[] files = FilesOf(folder);
        bool HasSuffix(string file) => Path.GetFileNameWithoutExtension(file).EndsWith(roleSuffix, StringComparison.Ordinal);
        if (files.Any(HasSuffix)) files = [.. files.Where(HasSuffix)];
        string Stem(string file)
        {
            string stem = Path.GetFileNameWithoutExtension(file);
            return HasSuffix(file) ? stem[..^roleSuffix.Length] : stem;
        }
        return files.GroupBy(Stem).ToDictionary(g => g.Key, g => g.ToList());
    }

    private static SkippedImage? Unsuitable(ImagePair pair, ImageRequirements requirements)
    {
        ImageInfo real = Image.ReadInfo(pair.Real);
        string? needed = requirements.Unmet(real.Width, real.Height);
        return needed is null ? null
            : new(pair.Name, string.Create(CultureInfo.InvariantCulture, $"{real.Width}x{real.Height} pixels, but {needed}"));
    }

    private static string? CheckHeaders(ImagePair[] pairs, ProblemList problems)
    {
        int comparableSources = 0;
        var otherSources = new List<(string File, string Problem)>();
        foreach (ImagePair pair in pairs)
        {
            ImageInfo? real = Header(pair.Real, problems);
            ImageInfo? source = pair.Source is null ? null : Header(pair.Source, problems);
            var stained = pair.Stained.Values.Select(path => (Path: path, Info: Header(path, problems))).ToArray();
            if (real is null) continue;
            foreach (var (path, info) in stained.Append((pair.Real, real)))
                if (info is not null && !RgbReader.IsColourImage(info))
                    problems.Add(path, Format(info), "Convert these files to 8-bit RGB");
            foreach (var (path, info) in stained)
                if (info is not null && OtherSize(info, real) is { } problem) problems.Add(path, problem);
            if (source is null) continue;
            if (RgbReader.IsColourImage(source) && OtherSize(source, real) is null) comparableSources++;
            else otherSources.Add((pair.Source!, OtherSize(source, real) ?? Format(source)));
        }
        // All sources may have low resolution or fluorescence; single such files among RGB images are a mistake.
        if (comparableSources > 0)
            foreach (var (file, problem) in otherSources) problems.Add(file, problem);
        return otherSources.Count > 0 ? "the source images are not 8-bit colour images of the same size as the real ones" : null;
    }

    private static string? OtherSize(ImageInfo info, ImageInfo real) => (info.Width, info.Height) == (real.Width, real.Height) ? null
        : $"{info.Width}x{info.Height} pixels, but the real image has {real.Width}x{real.Height}";

    private static string Format(ImageInfo info) => $"{info.Channels} channels of {info.SampleType}, but 8-bit grey or RGB is expected";

    private static ImageInfo? Header(string path, ProblemList problems)
    {
        try
        {
            return Image.ReadInfo(path);
        }
        catch (Exception e) when (e is IOException or TinctorException or UnauthorizedAccessException)
        {
            problems.Add(e);
            return null;
        }
    }
}
