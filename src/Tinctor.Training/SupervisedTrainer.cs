using System.Security.Cryptography;
using System.Text;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;
using Tinctor.Training.Supervised;

namespace Tinctor.Training;

/// <summary>Trains a network on images with a ground truth: classes, masks or target images.</summary>
public static class SupervisedTrainer
{
    /// <summary>Starts a run. The finished model has the weights with the best score on the held-out fold.</summary>
    /// <param name="config">Configuration of the run.</param>
    /// <param name="runFolder">Run folder, new or empty.</param>
    /// <param name="observer">Receives notes and progress.</param>
    /// <param name="stop">Requests a graceful stop: the run completes its step, saves and returns.</param>
    /// <exception cref="TinctorException">
    /// The data is invalid, the folder is not empty or in use by another process, or the loss became NaN or infinite.
    /// </exception>
    public static TrainingResult Start(
        SupervisedConfig config, string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        RunFolder folder = RunFolder.Create(runFolder);
        // A run may be resumed from another working directory.
        if (config.Data.Path.Length > 0) config = config with { Data = config.Data with { Path = Path.GetFullPath(config.Data.Path) } };
        return new SupervisedLoop(config, folder, observer, stop).Start(stop);
    }

    /// <summary>Resumes a run from its last checkpoint; the configuration is that of the run folder.</summary>
    /// <exception cref="TinctorException">The folder contains no such run, its data has changed, or another process trains it.</exception>
    public static TrainingResult Resume<TConfig>(string runFolder, ITrainingObserver observer, CancellationToken stop = default)
        where TConfig : SupervisedConfig, new()
    {
        using FileLock? access = RunFolder.LockRunOfRanks(runFolder);
        RunFolder folder = RunFolder.Open(runFolder);
        return new SupervisedLoop(ConfigFile.Read<TConfig>(folder.Config), folder, observer, stop).Resume(stop);
    }
}

/// <summary>Training loop of <see cref="SupervisedTrainer"/>.</summary>
internal sealed class SupervisedLoop : TrainingLoop<SupervisedTask>
{
    private readonly SupervisedConfig config;
    private readonly TrainingData data;
    private RunEnvironment? start;

    public SupervisedLoop(SupervisedConfig config, RunFolder folder, ITrainingObserver observer, CancellationToken stop)
        : base(config.Training, config.Seed, folder, observer)
    {
        this.config = config;
        if (config.Data.Path.Length == 0)
            throw new OptionException("Data", "no data set is named", "Name a folder or manifest, or set data.path");
        data = TrainingData.ReadFold(config.ReadData(), config.Data, stop);
        observer.Note($"data: {data.Manifest.Describe()}");
        observer.Note(data.Describe("images"));
        RequireValidation();
        var images = new PairedDataset(data.Train, config.Transform(augment: true), config.Seed, TrainingData.CacheBytes);
        Loader = new PairLoader(images, config.Training.BatchSize, shuffle: true, config.Seed, config.Data.Workers)
        {
            Rank = ProcessGroup.Current?.Rank ?? 0,
            Ranks = ProcessGroup.Processes,
        };
    }

    public TrainingResult Start(CancellationToken stop)
    {
        // Invalid configurations fail before the folder is created.
        config.Create(Device, data).Dispose();
        using FileLock? access = IsWriter ? Folder.LockNew() : null;
        if (IsWriter) start = Folder.Describe(config, Device, DataSummary.Create(data.Manifest, stop));
        return Run(resume: false, stop);
    }

    public TrainingResult Resume(CancellationToken stop)
    {
        if (IsWriter) start = RequireSameStart(DataSummary.Create(data.Manifest, stop));
        return Run(resume: true, stop);
    }

    private protected override PairLoader Loader { get; }

    private protected override int Epochs => config.Training.Epochs;

    private protected override int LeastStepsBetweenCheckpoints => 100;

    private protected override string ScoreName(SupervisedTask task) => task.ScoreName;

    private protected override string ConfigText => ConfigFile.Write(config);

    private protected override SupervisedTask Create() => config.Create(Device, data);

    private protected override double LearningRateFactor(int step, int epoch) =>
        LearningRateSchedule.Factor(config.Training, step, TotalSteps, epoch,
            linear: Math.Min(1, (TotalSteps - step) / (config.Training.DecayShare * TotalSteps)));

    private protected override IReadOnlyDictionary<string, Tensor> TrainStep(SupervisedTask task, Batch batch) => task.TrainStep(batch);

    private protected override bool HasValidation => data.Validation.Count > 0;

    private protected override void Score(SupervisedTask task, TrainingState state, RunLog log, int epoch)
    {
        if (data.Validation.Count > 0) state.RecordScore(InEvaluationMode(task, () => task.Score(Validation())));
        log.Sample(state.Step, epoch, state.LastScore, picture: null);
    }

    private protected override void WriteModel(SupervisedTask task, TrainingState state)
    {
        int steps = state.Step;
        Folder.LoadBest(state);
        using IDisposable? average = UseAverage(task, state);
        if (IsWriter)
            InEvaluationMode(task, () =>
            {
                task.WriteModel(Folder.Model, Record(task, state, steps), Validation());
                if (SupervisedModel.Export(Folder.Model, task.Network, task.OnnxExports) is { } notExported)
                    Observer.Note($"the model has no ONNX file: {notExported}");
                return 0;
            });
    }

    private protected override string Describe(SupervisedTask task, double score) =>
        FormattableString.Invariant($"{task.ScoreName} {score:F4}");

    private static double InEvaluationMode(SupervisedTask task, Func<double> score)
    {
        using Guard mode = torch.inference_mode();
        task.Network.eval();
        double value = score();
        task.Network.train();
        return value;
    }

    private IEnumerable<Batch> Validation()
    {
        var images = new PairedDataset(data.Validation, config.Transform(augment: false));
        var loader = new PairLoader(images, config.Training.BatchSize, workers: config.Data.Workers);
        foreach (Batch batch in loader.Batches(epoch: 0))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using (batch) yield return batch;
        }
    }

    private TrainingRecord Record(SupervisedTask task, TrainingState state, int steps)
    {
        string id = $"{start!.Started:O} {start.Data.Sha256} {ConfigText}";
        return new(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)))[..16],
            config.Seed, config.Data.Fold, config.Data.Folds, steps, state.Step, task.ScoreName, state.LastScore,
            start.Data.Sha256, data.Train.Count, data.Validation.Count,
            Slides(data.Train), Slides(data.Validation), Slides(data.Manifest.InSplit("test")), $"Tinctor {RunEnvironment.Version}")
        {
            Images = TrainingRecord.HashImages(data.Train.Concat(data.Validation).Select(pair => pair.Source)),
        };
    }

    private static string[] Slides(IEnumerable<Pair> pairs) =>
        [.. pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Order(StringComparer.Ordinal)];
}
