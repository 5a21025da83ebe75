using System.Globalization;
using System.Text.RegularExpressions;
using Tinctor.Staining.Models;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Tinctor.Viewer.Folders;

/// <summary>State of a training run.</summary>
internal enum RunState
{
    /// <summary>A process trains it.</summary>
    Running,

    /// <summary>Its model is complete.</summary>
    Finished,

    /// <summary>No process trains it, and it has no model.</summary>
    Stopped,
}

/// <summary>Training run in the folders.</summary>
/// <param name="Path">The run folder.</param>
/// <param name="Id">Identifier in addresses.</param>
/// <param name="Folders">Folders that its files must be in.</param>
internal sealed partial record CatalogueRun(string Path, string Id, SafeFolders Folders)
{
    private const string ConfigFile = "config.yaml", LockFile = ".train.lock", CheckpointFolder = "checkpoints", SampleFolder = "samples";
    private const long LargestConfig = 1 << 20;

    /// <summary>Name of the folder.</summary>
    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Losses and validation scores of the run.</summary>
    public RunMetrics Metrics => new(System.IO.Path.Combine(Path, "metrics.csv"), Folders);

    /// <summary>State of the run at present.</summary>
    public RunState State => FileLock.IsHeld(System.IO.Path.Combine(Path, LockFile)) ? RunState.Running
        : ModelFolder.Resolve(Path) != Path ? RunState.Finished : RunState.Stopped;

    /// <summary>Lists the runs of folders.</summary>
    public static IReadOnlyDictionary<string, CatalogueRun> Read(SafeFolders folders)
    {
        var runs = new SortedDictionary<string, CatalogueRun>(StringComparer.Ordinal);
        foreach (string folder in folders.Roots.Where(Directory.Exists).SelectMany(folders.Subfolders))
        {
            bool isRun = File.Exists(System.IO.Path.Combine(folder, ConfigFile))
                && Directory.Exists(System.IO.Path.Combine(folder, CheckpointFolder));
            if (isRun) runs[SafeFolders.IdOf(folder)] = new(folder, SafeFolders.IdOf(folder), folders);
        }
        return runs;
    }

    /// <summary>Reads the method and the number of steps from config.yaml; null for each that is not known.</summary>
    public (string? Method, long? Steps) ReadConfig()
    {
        string path = System.IO.Path.Combine(Path, ConfigFile);
        if (new FileInfo(path) is not { Exists: true, Length: <= LargestConfig } || !Folders.Contains(path)) return (null, null);
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(InputFile.ReadText(path)));
            if (yaml.Documents is not [{ RootNode: YamlMappingNode root }, ..]) return (null, null);
            string? steps = Child(root, "training") is YamlMappingNode training ? Text(training, "steps") : null;
            return (Text(root, "method"), long.TryParse(steps, CultureInfo.InvariantCulture, out long count) && count > 0 ? count : null);
        }
        catch (Exception e) when (e is YamlException or TinctorException)
        {
            return (null, null);
        }
    }

    /// <summary>Lists the sample images with their steps, in the order of the steps.</summary>
    public IReadOnlyList<(long Step, string File)> Samples()
    {
        string folder = System.IO.Path.Combine(Path, SampleFolder);
        if (!Directory.Exists(folder) || !Folders.Contains(folder)) return [];
        return [.. Directory.EnumerateFiles(folder).Select(file => System.IO.Path.GetFileName(file))
            .Select(file => (File: file, Match: SampleName().Match(file)))
            .Where(sample => sample.Match.Success)
            .Select(sample => (long.Parse(sample.Match.Groups[1].Value, CultureInfo.InvariantCulture), sample.File)).Order()];
    }

    /// <summary>Returns the path of a sample image; null if there is none of that name.</summary>
    public string? SamplePath(string file)
    {
        if (!SampleName().IsMatch(file)) return null;
        string path = System.IO.Path.Combine(Path, SampleFolder, file);
        return File.Exists(path) && Folders.Contains(path) ? path : null;
    }

    private static YamlNode? Child(YamlMappingNode node, string name) =>
        node.Children.TryGetValue(new YamlScalarNode(name), out YamlNode? child) ? child : null;

    private static string? Text(YamlMappingNode node, string name) => (Child(node, name) as YamlScalarNode)?.Value;

    [GeneratedRegex(@"^step-(\d{1,15})\.png\z")]
    private static partial Regex SampleName();
}
