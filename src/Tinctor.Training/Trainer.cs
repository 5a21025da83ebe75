using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Import;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Networks;
using Tinctor.Training.Runs;
using Tinctor.Training.Validation;

namespace Tinctor.Training;

/// <summary>Trains a staining method on image pairs.</summary>
public static class Trainer
{
    /// <summary>Starts a run.</summary>
    /// <param name="config">Configuration of the run.</param>
    /// <param name="runFolder">Run folder, new or empty.</param>
    /// <param name="observer">Receives notes and progress.</param>
    /// <param name="stop">Requests a graceful stop: the run completes its step, saves and returns.</param>
    /// <exception cref="TinctorException">
    /// The data is invalid, the folder is not empty or in use by another process, or a loss became NaN or infinite.
    /// </exception>
    public static TrainingResult Start(RunConfig config, string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        RunFolder folder = RunFolder.Create(runFolder);
        // A run may be resumed from another working directory.
        config = config with { Data = config.Data.WithFullPaths() };
        config = config with { Model = config.Model.Completed(), Training = config.Training.WithFullPaths() };
        try
        {
            using var loop = new MethodLoop(config, folder, observer, stop, resumes: false);
            return loop.Start(stop);
        }
        catch (BatchMemoryException e) when (ProcessGroup.Current is null)
        {
            HalveMicrobatch(folder, observer, e);
        }
        return Resume(runFolder, observer, stop);
    }

    /// <summary>Resumes a run from its last checkpoint; the configuration is that of the run folder.</summary>
    /// <exception cref="TinctorException">The folder contains no run, its data has changed, or another process trains it.</exception>
    public static TrainingResult Resume(string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        using FileLock? access = RunFolder.LockRunOfRanks(runFolder);
        RunFolder folder = RunFolder.Open(runFolder);
        while (true)
        {
            try
            {
                using MethodLoop loop = Open(folder, observer, stop);
                return loop.Resume(stop);
            }
            catch (BatchMemoryException e) when (ProcessGroup.Current is null)
            {
                HalveMicrobatch(folder, observer, e);
            }
        }
    }

    // The run then resumes from its last checkpoint, because the step that failed may have changed some of the networks.
    private static void HalveMicrobatch(RunFolder folder, ITrainingObserver observer, Exception cause)
    {
        RunConfig config = ConfigFile.LoadRun(folder.Config, out _);
        int pairs = config.Training.PairsAtATime;
        if (pairs < 2)
            throw new TinctorException(folder.Root, "memory is too short to train on one pair at a time",
                "Start a run with smaller crops (data.crop_size) or a smaller network, or end other programs and resume", cause);
        AtomicFile.WriteText(folder.Config,
            ConfigFile.Write(config with { Training = config.Training with { Microbatch = pairs / 2 } }));
        observer.Note($"memory is too short for {pairs} pairs at a time: the run goes on from its last checkpoint with "
            + $"training.microbatch={pairs / 2}, and the same batch of {config.Training.BatchSize} pairs for each step");
    }

    /// <summary>Writes the best checkpoint of a run as a model folder in its folder best/, unless it is there already.</summary>
    /// <param name="runFolder">Run folder, with its data in place.</param>
    /// <param name="observer">Receives notes.</param>
    /// <param name="stop">Cancels the check of the data.</param>
    /// <returns>Path of the model folder.</returns>
    /// <exception cref="TinctorException">The folder contains no run or no best checkpoint, or another process trains it.</exception>
    public static string ExportBest(string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        using FileLock access = RunFolder.LockRun(runFolder);
        RunFolder folder = RunFolder.Open(runFolder);
        if (!folder.HasBest)
            throw new TinctorException(runFolder, "the run has no best checkpoint, as it had no validation yet",
                "Use the model of the last step");
        if (folder.HasCurrentBestModel) return folder.BestModel;
        using MethodLoop loop = Open(folder, observer, stop);
        loop.WriteBest();
        return folder.BestModel;
    }

    private static MethodLoop Open(RunFolder folder, ITrainingObserver observer, CancellationToken stop)
    {
        RunConfig config = ConfigFile.LoadRun(folder.Config, out bool namesMethod);
        if (!namesMethod) observer.Note($"{folder.Config} names no method; assuming {config.Method}");
        return new(config, folder, observer, stop, resumes: true);
    }
}

/// <summary>Training loop of <see cref="Trainer"/>.</summary>
internal sealed class MethodLoop : TrainingLoop<Method>, IDisposable
{
    // Maximum number of training sources for the detector of unfamiliar sources.
    private const int MostSources = 200;

    // Name of the model from targets to sources, behind that of the model.
    private const string ReverseSuffix = "_reverse";
    private readonly RunConfig config;
    private readonly TrainingData data;
    private readonly PairScore score;
    private readonly IReadOnlyList<Pair> scored;
    private Method? prepared;

    public MethodLoop(RunConfig config, RunFolder folder, ITrainingObserver observer, CancellationToken stop, bool resumes)
        : base(config.Training, config.Seed, folder, observer)
    {
        data = TrainingData.Read(config.Data, config.Seed, config.Model.Upscaling, config.Model.AdviseCrop, stop);
        if (!resumes) config = config with { Model = config.Model.WithStains(config.Method, data.Manifest.Stains) };
        data = data.KeepStains(config.Model.Stains, observer.Note);
        observer.Note($"data: {data.Manifest.Describe()}");
        RequireChannels(data.Train[0], config);
        observer.Note(data.Describe("pairs"));
        if (!resumes)
        {
            config = Completed(config, data, observer.Note);
            config = config with
            {
                Data = config.Data with { LoadSize = config.Data.LoadSize ?? 0 },
                Model = config.Model with { Inference = config.Model.Inference with { Scale = config.Model.Inference.Scale ?? 1 } },
            };
        }
        score = PairScore.Create(config, data.Validation, Device, () => PixelScale.Read(data, config.Data.LoadSize ?? 0));
        scored = Preview.Select(data.Validation, score, config.Training.BestPairs);
        RequireValidation();
        if (scored.Count < data.Validation.Count)
            observer.Note($"checkpoints are scored on {scored.Count} of {data.Validation.Count} validation pairs");
        foreach (string remark in config.Model.Remarks(data.Train, data.Manifest.InSplit("test"))) observer.Note(remark);
        RequireSeveralPairsForPlanes(config);
        if (config.Model.RemarkOnBatch(config.Training.PairsAtATime) is { } onBatch) observer.Note(onBatch);
        InferenceConfig inference = config.Model.Inference.WithStatisticsFor(config.Training.PairsAtATime);
        this.config = config = config with
        {
            Stains = config.Stains ?? StainProfiles.Read(config.Data, data.Train),
            Model = config.Model with { Inference = inference with { Mpp = inference.Mpp ?? data.Mpp } },
        };
        if (config.Stains is not null) observer.Note(config.Stains.Describe());
        PairedDataset pairs = data.TrainingSet(config.Data, config.Seed, config.Stains, config.Model.Upscaling,
            config.Model.StandardizesSource, new CropRule(config.Model).NearestTo);
        Loader = new PairLoader(pairs, config.Training.BatchSize, shuffle: !config.Data.SerialBatches, config.Seed, config.Data.Workers)
        {
            Balance = config.Data.Balance,
            Rank = ProcessGroup.Current?.Rank ?? 0,
            Ranks = ProcessGroup.Processes,
        };
    }

    public TrainingResult Start(CancellationToken stop)
    {
        if (config.Training.StartFrom is not null)
        {
            // Weights of another architecture fail before the folder is created.
            torch.manual_seed(config.Seed);
            prepared = Create();
        }
        using FileLock? access = IsWriter ? Folder.LockNew() : null;
        if (IsWriter) Folder.Describe(config, Device, DataSummary.Create(data.Manifest, stop));
        return Run(resume: false, stop);
    }

    public TrainingResult Resume(CancellationToken stop)
    {
        if (IsWriter) RequireSameStart(DataSummary.Create(data.Manifest, stop));
        return Run(resume: true, stop);
    }

    /// <summary>Frees the networks of the score.</summary>
    public void Dispose()
    {
        prepared?.Dispose();
        score.Dispose();
    }

    /// <summary>Writes the best checkpoint as a model folder.</summary>
    public void WriteBest()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Create();
        using var state = new TrainingState(method, config.Training, Device, score.Name, score.LowerIsBetter);
        Folder.LoadBest(state);
        Folder.WriteBestModel(() => Write(Folder.BestModel, method, state));
    }

    /// <summary>Completes the settings of a new run with those that depend on its data.</summary>
    /// <exception cref="TinctorException">The method cannot be trained on this data.</exception>
    internal static RunConfig Completed(RunConfig config, TrainingData data, Action<string> note)
    {
        TrainingConfig training = config.Training;
        int perEpoch = (data.Train.Count + training.BatchSize - 1) / training.BatchSize;
        int steps = training.Steps > 0 ? training.Steps : training.TotalEpochs * perEpoch;
        var settings = new RunSettings(config.Data, training, config.Model, steps);
        if (training.Steps == 0)
            settings = settings with { StepsPerEpoch = perEpoch, DecayShare = (double)training.EpochsDecay / training.TotalEpochs };
        RunSettings run = config.Model.CompletedFor(settings, data, note);
        return config with { Data = run.Data, Training = (TrainingConfig)run.Training, Model = run.Model };
    }

    private protected override PairLoader Loader { get; }

    private protected override int Epochs => config.Training.TotalEpochs;

    private protected override string ScoreName(Method method) => score.Name;

    private protected override bool LowerIsBetter => score.LowerIsBetter;

    private protected override bool HasValidation => scored.Count > 0;

    private protected override string ConfigText => ConfigFile.Write(config);

    private protected override Method Create()
    {
        if (prepared is { } ready)
        {
            prepared = null;
            return ready;
        }
        Method method = config.Model.Create(Device);
        method.Microbatch = config.Training.Microbatch;
        method.Stains = config.Model.Stains;
        if (config.Training.StartFrom is null || Folder.HasCheckpoint) return method;
        try
        {
            foreach (string note in StartWeights.Load(method, config.Training.StartFrom)) Observer.Note(note);
            torch.manual_seed(config.Seed);
            return method;
        }
        catch
        {
            method.Dispose();
            throw;
        }
    }

    private protected override double LearningRateFactor(int step, int epoch) => LearningRateSchedule.Factor(
        config.Training, step, TotalSteps, epoch, config.Training.Steps > 0 ? null : LinearByEpoch(config.Training, epoch));

    /// <summary>
    /// Computes the factor of the linear schedule in an epoch of the run, from 0: decreasing over epochs_decay, as in pix2pix.
    /// </summary>
    internal static double LinearByEpoch(TrainingConfig training, int epoch) =>
        1 - Math.Max(0, epoch + training.EpochCount - training.Epochs) / (double)(training.EpochsDecay + 1);

    private protected override IReadOnlyDictionary<string, Tensor> TrainStep(Method method, Batch batch)
    {
        using StainContext? stains = method.UseStains(batch.Pairs, Device);
        return method.TrainStep(batch.Source.to(Device), batch.Target.to(Device), [.. batch.Pairs.Select(pair => pair.Label)]);
    }

    private protected override void Score(Method method, TrainingState state, RunLog log, int epoch)
    {
        using var preview = new Preview(method.Generator, config, data, Device);
        var others = new Dictionary<string, double>(preview.Measure(method, data.Validation));
        if (scored.Count > 0)
        {
            GroupedScore validation = preview.Score(score, scored);
            state.RecordScore(validation.Mean);
            foreach ((string name, double value) in validation.Parts) others[$"{score.Name}_{name}"] = value;
        }
        log.Sample(state.Step, epoch, state.LastScore, preview.Picture(), others);
    }

    private protected override void WriteModel(Method method, TrainingState state)
    {
        // With early stopping, the last weights are those without an improvement.
        if (config.Training.Patience > 0) Folder.LoadBest(state);
        Write(Folder.Model, method, state);
    }

    private void Write(string folder, Method method, TrainingState state)
    {
        // First, because a run with its model is complete.
        if (IsWriter && method.ReverseGenerator is { } reverse) WriteReverse(folder + ReverseSuffix, reverse, state);
        using IDisposable? average = UseAverage(method, state);
        if (!IsWriter) return;
        string? notExported = TrainedModel.Write(folder,
            new ModelConfig { Method = config.Method, Direction = config.Data.Direction, Model = config.Model, Stains = config.Stains },
            state.ModelWeights(), ModelCard.Write(config, method.Trained, data, state, score, scored.Count), Novelty());
        config.Model.TrainedWith?.WriteTraining(Folder.Model);
        if (notExported is not null) Observer.Note($"the model has no model.onnx: {notExported}");
    }

    // Model from targets to sources.
    private void WriteReverse(string folder, Module<Tensor, Tensor> generator, TrainingState state)
    {
        RunConfig reversed = config with
        {
            Data = config.Data with { Direction = config.Data.Direction == "AtoB" ? "BtoA" : "AtoB" },
            Model = config.Model.Reversed(),
            Stains = config.Stains is null ? null : new() { Source = config.Stains.Target, Target = config.Stains.Source },
        };
        using DisposeScope scope = torch.NewDisposeScope();
        string? notExported = TrainedModel.Write(folder,
            new ModelConfig
            {
                Method = config.Method,
                Direction = reversed.Data.Direction,
                Model = reversed.Model,
                Stains = reversed.Stains,
            },
            new OrderedDictionary<string, Tensor>(generator.state_dict()),
            ModelCard.Write(reversed, generator, data, state, score, scored.Count));
        Observer.Note($"the model from targets to sources is {folder}");
        if (notExported is not null) Observer.Note($"the model from targets to sources has no model.onnx: {notExported}");
    }

    // Null if there are too few patches.
    private SourceNovelty? Novelty()
    {
        int count = Math.Min(MostSources, data.Train.Count);
        StainNormalizer? normalizer = config.Stains?.SourceNormalizer();
        try
        {
            return SourceNovelty.FromSources(Enumerable.Range(0, count)
                .Select(i => Normalised(data.Train[i * data.Train.Count / count].ReadImages().Source)));
        }
        catch (TinctorException reason)
        {
            Observer.Note($"detection of unfamiliar sources is disabled for this model: {reason.Problem}");
            return null;
        }

        Image Normalised(Image source)
        {
            source = normalizer?.Normalize(source, out _) ?? source;
            double scale = config.Model.Inference.Scale ?? 1;
            return scale == 1 ? source : source.Resize(Math.Max(1, (int)(source.Width * scale)), Math.Max(1, (int)(source.Height * scale)));
        }
    }

    private protected override string Describe(Method method, double value) => score.Format(value);

    // Batch norm of a single image removes constant planes.
    private static void RequireSeveralPairsForPlanes(RunConfig config)
    {
        if (config.Model is not { Stains.Count: > 1, StainCondition: StainInput.Planes } || config.Training.PairsAtATime > 1) return;
        using Module network = config.Model.CreateGenerator();
        if (StainCondition.NormAfterPlanes(network) is null) return;
        throw new OptionException(nameof(LoopConfig.BatchSize),
            "model.stain_condition is planes, but batch norm of one pair at a time removes constant planes",
            "Use training.batch_size=4, or model.stain_condition=embedding")
        { Option = "training.batch_size=4" };
    }

    private static void RequireChannels(Pair pair, RunConfig config)
    {
        MethodConfig model = config.Model;
        if ((config.Data.Normalize.Length > 0 && model.InputChannels != 3)
            || (config.Data.NormalizeTarget.Length > 0 && model.OutputChannels != 3))
            throw new TinctorException(null, $"stain normalisation needs RGB images, but the model maps {model.InputChannels} channels to "
                + $"{model.OutputChannels}", "Leave data.normalize and data.normalize_target empty");
        (Image source, Image target) = pair.ReadImages();
        if ((source.Channels, target.Channels) == (model.InputChannels, model.OutputChannels)) return;
        throw new TinctorException(pair.Source, $"{source.Channels} channels, and its target has {target.Channels}, but the model maps "
            + $"{model.InputChannels} channels to {model.OutputChannels}",
            $"Use model.input_channels={source.Channels} and model.output_channels={target.Channels}");
    }
}
