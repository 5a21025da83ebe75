using Tinctor.Evaluation.Data;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>Results of repeated runs of a stochastic model: one folder per run, with the same file names in each.</summary>
/// <param name="Folder">The model, and the folder that contains the folders of the runs.</param>
internal sealed record RepeatedRuns(StainedFolder Folder)
{
    /// <summary>Finds the files of each pair, one per run.</summary>
    /// <exception cref="TinctorException">
    /// The folder does not exist, has fewer than two runs, or an image is missing or has another size.
    /// </exception>
    internal (int Runs, string[][] Files) Match(IReadOnlyList<ImagePair> pairs)
    {
        if (!Directory.Exists(Folder.Path)) throw new TinctorException(Folder.Path, "no such folder", "Check its path");
        string[] folders = [.. Directory.EnumerateDirectories(Folder.Path).Order(StringComparer.Ordinal)];
        if (folders.Length < 2)
            throw new TinctorException(Folder.Path, $"{folders.Length} folders, but repeated runs need one folder per run, at least two");
        var runs = folders.Select(folder => ImagePairs.FilesByStem(folder, "_fake_B")).ToArray();
        var problems = new ProblemList();
        string[][] files = new string[pairs.Count][];
        foreach (var (i, pair) in pairs.Index())
        {
            foreach (string folder in folders.Where((_, run) => !runs[run].ContainsKey(pair.Name)))
                problems.Add(folder, $"no image {pair.Name}");
            files[i] = [.. runs.Select(run => run.GetValueOrDefault(pair.Name)?[0]).OfType<string>()];
            CheckSizes(pair, files[i], problems);
        }
        problems.ThrowIfAny(Folder.Path);
        return (folders.Length, files);
    }

    private static void CheckSizes(ImagePair pair, string[] files, ProblemList problems)
    {
        var real = Image.ReadInfo(pair.Real);
        foreach (string file in files)
        {
            try
            {
                var info = Image.ReadInfo(file);
                if ((info.Width, info.Height) != (real.Width, real.Height))
                    problems.Add(file, $"{info.Width}x{info.Height} pixels, but the real image has {real.Width}x{real.Height}");
                else if (!RgbReader.IsColourImage(info))
                    problems.Add(file, $"{info.Channels} channels of {info.SampleType}, but 8-bit grey or RGB is expected");
            }
            catch (Exception e) when (e is IOException or TinctorException or UnauthorizedAccessException)
            {
                problems.Add(e);
            }
        }
    }
}
