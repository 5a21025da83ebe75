using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;

namespace Tinctor.Training.Runs;

/// <summary>Files of a run and their paths.</summary>
internal sealed class RunFolder
{
    private const string Best = "best.safetensors", LockFile = ".train.lock", Weights = "model.safetensors";

    // Marks of an unfinished model folder, and of the checkpoint that a model was made of.
    private const string Unfinished = ".unfinished", MadeOf = ".checkpoint";
    private RunFolder(string path) => Root = System.IO.Path.GetFullPath(path);

    /// <summary>Full path of the folder.</summary>
    public string Root { get; }

    /// <summary>File of the resolved configuration.</summary>
    public string Config => System.IO.Path.Combine(Root, "config.yaml");

    /// <summary>File of versions, machine and data; see <see cref="RunEnvironment"/>.</summary>
    public string EnvironmentFile => System.IO.Path.Combine(Root, "environment.json");

    /// <summary>File of losses and validation scores.</summary>
    public string Metrics => System.IO.Path.Combine(Root, "metrics.csv");

    /// <summary>Folder of sample images, one per checkpoint.</summary>
    public string Samples => System.IO.Path.Combine(Root, "samples");

    /// <summary>Folder of checkpoints, from which a run resumes.</summary>
    public string Checkpoints => System.IO.Path.Combine(Root, "checkpoints");

    /// <summary>Model folder of a finished run.</summary>
    public string Model => System.IO.Path.Combine(Root, "model");

    /// <summary>Model folder of the best checkpoint, if it was exported.</summary>
    public string BestModel => System.IO.Path.Combine(Root, "best");

    /// <summary>Whether there is a checkpoint to resume from.</summary>
    public bool HasCheckpoint => Directory.Exists(Checkpoints) && StepFiles().Length > 0;

    /// <summary>Whether there is a best checkpoint.</summary>
    public bool HasBest => File.Exists(BestCheckpoint);

    /// <summary>Whether the best checkpoint was exported, and has not changed since.</summary>
    public bool HasCurrentBestModel => File.Exists(System.IO.Path.Combine(BestModel, Weights)) && File.Exists(BestModelSource)
        && File.ReadAllText(BestModelSource) == Fingerprint.OfFile(BestCheckpoint);

    private string BestModelSource => System.IO.Path.Combine(BestModel, MadeOf);

    private string ModelMark => System.IO.Path.Combine(Model, Unfinished);

    private string BestCheckpoint => System.IO.Path.Combine(Checkpoints, Best);

    /// <summary>Whether the run is finished and its model complete.</summary>
    public bool HasModel => File.Exists(System.IO.Path.Combine(Model, Weights)) && !File.Exists(ModelMark);

    /// <summary>
    /// Writes the model folder. If the process ends meanwhile, <see cref="HasModel"/> stays false, and a resumed run repeats it.
    /// </summary>
    internal void WriteModel(Action write)
    {
        AtomicFile.WriteText(ModelMark, "");
        write();
        File.Delete(ModelMark);
    }

    /// <summary>Writes the model folder of the best checkpoint and records the checkpoint.</summary>
    internal void WriteBestModel(Action write)
    {
        string checkpoint = Fingerprint.OfFile(BestCheckpoint);
        write();
        AtomicFile.WriteText(BestModelSource, checkpoint);
    }

    /// <summary>Checks the folder of a new run on rank 0, or in a training by one process; nothing is written.</summary>
    /// <exception cref="TinctorException">The folder is not empty.</exception>
    public static RunFolder Create(string path)
    {
        var folder = new RunFolder(path);
        if (ProcessGroup.IsFirst) folder.RequireEmpty();
        return folder;
    }

    /// <summary>Locks the folder of a new run and checks again that it is empty.</summary>
    /// <exception cref="TinctorException">The folder is no longer empty, or another process trains in it.</exception>
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

    /// <summary>Locks a folder for the training by one process, until the disposal of the lock.</summary>
    /// <exception cref="TinctorException">Another process trains the run; the message names it.</exception>
    public static FileLock Lock(string path) => FileLock.Acquire(System.IO.Path.Combine(path, LockFile), path);

    /// <summary>Locks the folder of an existing run; see <see cref="Lock"/>.</summary>
    /// <exception cref="TinctorException">The folder contains no run, or another process trains it.</exception>
    public static FileLock LockRun(string path)
    {
        RequireRun(new RunFolder(path), path);
        return Lock(path);
    }

    /// <summary>Locks the folder of an existing run on rank 0, or in a training by one process; null on other ranks.</summary>
    /// <exception cref="TinctorException">As <see cref="LockRun"/>.</exception>
    public static FileLock? LockRunOfRanks(string path)
    {
        if (ProcessGroup.IsFirst) return LockRun(path);
        RequireRun(new RunFolder(path), path);
        return null;
    }

    /// <summary>Opens the folder of an existing run and deletes incomplete files, which ranks other than rank 0 leave to it.</summary>
    /// <exception cref="TinctorException">The folder contains no run, or one of a newer version.</exception>
    public static RunFolder Open(string path)
    {
        var folder = new RunFolder(path);
        RequireRun(folder, path);
        if (!ProcessGroup.IsFirst) return folder;
        // The version is checked before config.yaml, whose newer settings would be reported as unknown.
        if (File.Exists(folder.EnvironmentFile)) folder.Environment();
        folder.Prepare();
        if (Directory.Exists(folder.Model)) AtomicFile.DeleteLeftovers(folder.Model);
        return folder;
    }

    /// <summary>
    /// Creates the folder with environment.json and config.yaml. config.yaml is written last: it marks the folder as a run.
    /// </summary>
    /// <returns>Environment of the run.</returns>
    internal RunEnvironment Describe(object config, Device device, DataSummary data)
    {
        var environment = RunEnvironment.Create(device, data);
        AtomicFile.WriteText(EnvironmentFile, JsonSerializer.Serialize(environment, JsonFormat.Readable));
        AtomicFile.WriteText(Config, ConfigFile.Write(config));
        Prepare();
        return environment;
    }

    /// <summary>Reads the environment in which the run was started.</summary>
    /// <exception cref="TinctorException">environment.json is missing, damaged or of a newer version.</exception>
    internal RunEnvironment Environment()
    {
        try
        {
            using FileStream stream = InputFile.Open(EnvironmentFile);
            JsonNode file = JsonNode.Parse(stream, documentOptions: StrictJson.Options) ?? throw new JsonException("the file holds null");
            NewerFormatException.ThrowIfNewer(EnvironmentFile, (int?)file["version"], RunEnvironment.FormatVersion);
            return file.Deserialize<RunEnvironment>(JsonFormat.Readable)!;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(EnvironmentFile,
                $"the file is damaged, so the data at the start of the run is unknown ({e.Message})",
                "Restore the file, or start a new run.", e);
        }
    }

    /// <summary>Checks that the data is that of the start of the run.</summary>
    /// <exception cref="TinctorException">Files were changed, added or removed.</exception>
    internal static void RequireSameData(RunEnvironment before, DataSummary data)
    {
        if (before.Data.Sha256 == data.Sha256) return;
        string[] changed = [.. data.Files.Except(before.Data.Files).Concat(before.Data.Files.Except(data.Files))
            .Select(file => file.Key).Distinct().Order()];
        throw new TinctorException(data.Root, $"the data has changed since the start of the run ({ProblemList.Join(changed, 5)})",
            "Restore the data, or start a new run");
    }

    /// <summary>Checks that the folder is still there; missing folders would be created anew, on another disk.</summary>
    /// <exception cref="TinctorException">config.yaml is missing, because a share was disconnected or the folder moved.</exception>
    internal void RequirePresent()
    {
        if (!File.Exists(Config))
            throw new TinctorException(Root, "the run folder has vanished during the training",
                "Connect the share or disk again, or move the folder back; then resume from its last checkpoint.")
            { Option = "Resume" };
    }

    /// <summary>Saves a checkpoint, also as the best one if it is, and deletes all but the latest <paramref name="keep"/>.</summary>
    internal void Save(TrainingState state, int keep)
    {
        string path = System.IO.Path.Combine(Checkpoints, $"step-{state.Step.ToString("D8", CultureInfo.InvariantCulture)}.safetensors");
        try
        {
            // The best one first: after an interruption, resuming repeats both.
            if (state.IsBest) state.Save(BestCheckpoint);
            state.Save(path);
            foreach (string old in StepFiles().SkipLast(keep)) File.Delete(old);
        }
        catch (Exception e) when (FileErrors.IsFileError(e))
        {
            RequirePresent();
            throw;
        }
    }

    /// <summary>Loads the latest intact checkpoint.</summary>
    /// <returns>Name of its file; null if there is none.</returns>
    internal string? LoadLatest(TrainingState state)
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
                // The latest file may be damaged if the disk did not flush it; the previous one is intact.
            }
        }
        return null;
    }

    /// <summary>Loads the checkpoint of a file name that <see cref="LoadLatest"/> returned on another rank.</summary>
    internal void Load(TrainingState state, string name) => state.Load(System.IO.Path.Combine(Checkpoints, name));

    /// <summary>Loads the checkpoint with the best score, if there is one.</summary>
    internal void LoadBest(TrainingState state)
    {
        if (HasBest) state.Load(BestCheckpoint);
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
        {
            throw new TinctorException(Root, "the folder already contains a run", "Resume it, or choose another folder")
            { Option = "Resume" };
        }
        // An interrupted start may have left environment.json.
        if (Directory.Exists(Root) && Directory.EnumerateFileSystemEntries(Root)
            .Any(entry => entry != EnvironmentFile && !AtomicFile.IsLeftover(entry) && !IsLock(entry)))
            throw new TinctorException(Root, "the folder is not empty and contains no run", "Choose another folder");
    }

    private static void RequireRun(RunFolder folder, string path)
    {
        if (!File.Exists(folder.Config))
            throw new TinctorException(path, "the folder contains no run to resume: config.yaml is missing", "Start a new run in it");
    }

    private static bool IsLock(string entry) => System.IO.Path.GetFileName(entry).StartsWith(LockFile, StringComparison.Ordinal);
}
