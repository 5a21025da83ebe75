using Tinctor.Evaluation.Data;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Uncertainty;

/// <summary>Images that a stochastic model made several times: a folder a run, with the same file names in each.</summary>
/// <param name="Folder">The model and the folder that holds the runs' folders.</param>
public sealed record RepeatedRuns(StainedFolder Folder)
{
    /// <summary>The files of each pair, one a run.</summary>
    /// <exception cref="TinctorException">There are fewer than two runs, or an image is missing or has another size; names all.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    internal (int Runs, string[][] Files) Match(IReadOnlyList<ImagePair> pairs)
    {
        if (!Directory.Exists(Folder.Path)) throw new DirectoryNotFoundException($"{Folder.Path}: no such folder");
        string[] folders = [.. Directory.EnumerateDirectories(Folder.Path).Order(StringComparer.Ordinal)];
        if (folders.Length < 2)
            throw new TinctorException($"{Folder.Path}: {folders.Length} folders here; --repeats needs a folder for each run, at least two");
        var runs = folders.Select(folder => ImagePairs.FilesByStem(folder, "_fake_B")).ToArray();
        var problems = new Problems();
        string[][] files = new string[pairs.Count][];
        foreach (var (i, pair) in pairs.Index())
        {
            foreach (string folder in folders.Where((_, run) => !runs[run].ContainsKey(pair.Name)))
                problems.Add($"{folder}: no image {pair.Name}");
            files[i] = [.. runs.Select(run => run.GetValueOrDefault(pair.Name)?[0]).OfType<string>()];
            CheckSizes(pair, files[i], problems);
        }
        problems.ThrowIfAny("uncertainty was not computed");
        return (folders.Length, files);
    }

    private static void CheckSizes(ImagePair pair, string[] files, Problems problems)
    {
        var real = Image.ReadInfo(pair.Real);
        foreach (string file in files)
        {
            try
            {
                var info = Image.ReadInfo(file);
                if ((info.Width, info.Height) != (real.Width, real.Height))
                    problems.Add($"{file}: {info.Width}x{info.Height}, but {pair.Real} is {real.Width}x{real.Height}");
                else if (!RgbReader.IsColourImage(info))
                    problems.Add($"{file}: {info.Channels} channels of {info.SampleType}; expected 8-bit grey or RGB");
            }
            catch (Exception e) when (e is IOException or TinctorException or UnauthorizedAccessException)
            {
                problems.Add(e.Message);
            }
        }
    }
}
