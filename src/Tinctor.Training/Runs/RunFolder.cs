using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;

namespace Tinctor.Training.Runs;

/// <summary>Files of a run and their paths.</summary>
public sealed class RunFolder
{
    private const string Best = "best.safetensors", LockFile = ".train.lock";
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private RunFolder(string path) => Root = System.IO.Path.GetFullPath(path);

    /// <summary>The folder itself.</summary>
    public string Root { get; }

    /// <summary>The resolved configuration.</summary>
    public string Config => System.IO.Path.Combine(Root, "config.yaml");

    /// <summary>Versions, machine and data.</summary>
    public string EnvironmentFile => System.IO.Path.Combine(Root, "environment.json");

    /// <summary>The losses.</summary>
    public string Metrics => System.IO.Path.Combine(Root, "metrics.csv");

    /// <summary>Pictures of each checkpoint.</summary>
    public string Samples => System.IO.Path.Combine(Root, "samples");

    /// <summary>Checkpoints from which a run resumes.</summary>
    public string Checkpoints => System.IO.Path.Combine(Root, "checkpoints");

    /// <summary>The model of a finished run.</summary>
    public string Model => System.IO.Path.Combine(Root, "model");

    /// <summary>Whether the run has finished and its model is whole.</summary>
    public bool HasModel => File.Exists(System.IO.Path.Combine(Model, "model.safetensors"));

    /// <summary>The folder of a new run; nothing is written yet.</summary>
    /// <exception cref="TinctorException">Something is in it already.</exception>
    public static RunFolder Create(string path)
    {
        var folder = new RunFolder(path);
        folder.RequireEmpty();
        return folder;
    }

    /// <summary>Locks the folder of a new run, which another process may have used since it was created.</summary>
    /// <exception cref="TinctorException">The folder is not empty any more, or another process trains in it.</exception>
    internal FileLock LockNew()
    {
        FileLock access = Lock(Root);
        try
        {
            RequireEmpty();
            return access;
        }
        catch
        {
            access.Dispose();
            throw;
        }
    }

    /// <summary>Locks a folder for the training of one process, until the lock is disposed of.</summary>
    /// <exception cref="TinctorException">Another process trains the run; the message names it.</exception>
    public static FileLock Lock(string path) => FileLock.Acquire(System.IO.Path.Combine(path, LockFile), path);

    /// <summary>As <see cref="Lock"/>, for the folder of an earlier run.</summary>
    /// <exception cref="TinctorException">The folder holds no run, or another process trains it.</exception>
    public static FileLock LockRun(string path)
    {
        RequireRun(new RunFolder(path), path);
        return Lock(path);
    }

    /// <summary>Opens the folder of an earlier run and deletes half-written files of a killed process.</summary>
    /// <exception cref="TinctorException">The folder holds no run, or one of a newer version.</exception>
    public static RunFolder Open(string path)
    {
        var folder = new RunFolder(path);
        RequireRun(folder, path);
        // Newer settings would be reported as unknown ones, so the version is checked before config.yaml is read.
        if (File.Exists(folder.EnvironmentFile)) folder.Environment();
        folder.Prepare();
        if (Directory.Exists(folder.Model)) AtomicFile.DeleteLeftovers(folder.Model);
        return folder;
    }

    /// <summary>
    /// Makes the folder with config.yaml and environment.json; the configuration comes last, as it marks the folder as a run.
    /// </summary>
    /// <returns>The environment that was written.</returns>
    public RunEnvironment Describe(object config, Device device, DataSummary data)
    {
        var environment = RunEnvironment.Create(device, data);
        AtomicFile.WriteText(EnvironmentFile, JsonSerializer.Serialize(environment, Indented));
        AtomicFile.WriteText(Config, ConfigFile.Write(config));
        Prepare();
        return environment;
    }

    /// <summary>Reads the environment in which the run was started.</summary>
    /// <exception cref="TinctorException">environment.json is missing, damaged or of a newer version.</exception>
    public RunEnvironment Environment()
    {
        try
        {
            using FileStream stream = InputFile.Open(EnvironmentFile);
            JsonNode file = JsonNode.Parse(stream) ?? throw new JsonException("the file holds null");
            NewerFormatException.ThrowIfNewer(EnvironmentFile, (int?)file["version"], RunEnvironment.FormatVersion);
            return file.Deserialize<RunEnvironment>(Indented)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(EnvironmentFile, $"damaged: it does not say which data the run began with ({e.Message})",
                "Restore the file, or start a new run.", e);
        }
    }

    /// <summary>Compares the data with that of the run's start.</summary>
    /// <exception cref="TinctorException">Files were changed, added or removed: the run would not be the same run any more.</exception>
    public static void RefuseOtherData(RunEnvironment before, DataSummary data)
    {
        if (before.Data.Sha256 == data.Sha256) return;
        string[] changed = [.. data.Files.Except(before.Data.Files).Concat(before.Data.Files.Except(data.Files))
            .Select(file => file.Key).Distinct().Order()];
        throw new TinctorException($"{data.Root}: the data has changed since the run began ({string.Join(", ", changed.Take(5))}"
            + $"{(changed.Length > 5 ? $" and {changed.Length - 5} more" : "")}); bring it back, or start a new run");
    }

    /// <summary>Saves a checkpoint, drops the oldest ones beyond <paramref name="keep"/>, and keeps the best one apart.</summary>
    internal void Save(TrainingState state, int keep)
    {
        string path = System.IO.Path.Combine(Checkpoints, $"step-{state.Step.ToString("D8", CultureInfo.InvariantCulture)}.safetensors");
        // The best one first: a kill in between repeats both.
        if (state.IsBest) state.Save(System.IO.Path.Combine(Checkpoints, Best));
        state.Save(path);
        foreach (string old in StepFiles().SkipLast(keep)) File.Delete(old);
    }

    /// <summary>Loads the latest checkpoint that is whole; null if there is none.</summary>
    internal string? LatestCheckpoint(TrainingState state)
    {
        foreach (string path in StepFiles().Reverse())
        {
            try
            {
                state.Load(path);
                return System.IO.Path.GetFileName(path);
            }
            catch (TinctorException e) when (e is not NewerFormatException && path != StepFiles().First())
            {
                // A disk that lies about flushing may leave a broken file behind; the one before it is whole.
            }
        }
        return null;
    }

    /// <summary>Loads the checkpoint that scored best; without one the state stays as it is.</summary>
    internal void LoadBest(TrainingState state)
    {
        string path = System.IO.Path.Combine(Checkpoints, Best);
        if (File.Exists(path)) state.Load(path);
    }

    private void Prepare()
    {
        foreach (string folder in new[] { Root, Checkpoints, Samples })
        {
            Directory.CreateDirectory(folder);
            AtomicFile.DeleteLeftovers(folder);
        }
    }

    private string[] StepFiles() => [.. Directory.GetFiles(Checkpoints, "step-*.safetensors").Order(StringComparer.Ordinal)];

    private void RequireEmpty()
    {
        if (File.Exists(Config))
            throw new TinctorException(Root, "already holds a run", "Resume it, or choose another folder") { Option = "Resume" };
        // A start that was cut short may have left its description behind, which is no run yet.
        if (Directory.Exists(Root) && Directory.EnumerateFileSystemEntries(Root)
            .Any(entry => entry != EnvironmentFile && !AtomicFile.IsLeftover(entry) && !IsLock(entry)))
            throw new TinctorException(Root, "is not empty and holds no run", "Choose another folder");
    }

    private static void RequireRun(RunFolder folder, string path)
    {
        if (!File.Exists(folder.Config))
            throw new TinctorException(path, "holds no run to resume, it has no config.yaml", "Start a new run in it");
    }

    private static bool IsLock(string entry) => System.IO.Path.GetFileName(entry).StartsWith(LockFile, StringComparison.Ordinal);
}
