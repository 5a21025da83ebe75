using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Staining.Models;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Runs;

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
        config = config with { Model = config.Model.Completed() };
        return new MethodLoop(config, folder, observer, stop, resumes: false).Start(stop);
    }

    /// <summary>Resumes a run from its last checkpoint; the configuration is that of the run folder.</summary>
    /// <exception cref="TinctorException">The folder contains no run, its data has changed, or another process trains it.</exception>
    public static TrainingResult Resume(string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        using FileLock access = RunFolder.LockRun(runFolder);
        RunFolder folder = RunFolder.Open(runFolder);
        RunConfig config = ConfigFile.LoadRun(folder.Config, out bool namesMethod);
        if (!namesMethod) observer.Note($"{folder.Config} names no method; assuming {config.Method}");
        return new MethodLoop(config, folder, observer, stop, resumes: true).Resume(stop);
    }
}

/// <summary>Training loop of <see cref="Trainer"/>.</summary>
internal sealed class MethodLoop : TrainingLoop<Method>
{
    // Maximum number of training sources for the detector of unfamiliar sources.
    private const int MostSources = 200;
    private readonly RunConfig config;
    private readonly TrainingData data;

    public MethodLoop(RunConfig config, RunFolder folder, ITrainingObserver observer, CancellationToken stop, bool resumes)
        : base(config.Training, config.Seed, folder, observer)
    {
        data = TrainingData.Read(config.Data, config.Seed, config.Model.Upscaling, config.Model.AdviseCrop, stop);
        observer.Note($"data: {data.Manifest.Describe()}");
        RequireChannels(data.Train[0], config);
        observer.Note(data.Describe("pairs"));
        if (data.Validation.Count > Preview.MostValidationPairs)
            observer.Note($"checkpoints are scored on {Preview.MostValidationPairs} of {data.Validation.Count} validation pairs");
        if (!resumes)
        {
            config = config.Model.CompletedFor(config, data, observer.Note);
            config = config with
            {
                Data = config.Data with { LoadSize = config.Data.LoadSize ?? 0 },
                Model = config.Model with { Inference = config.Model.Inference with { Scale = config.Model.Inference.Scale ?? 1 } },
            };
        }
        foreach (string remark in config.Model.Remarks(data.Train, data.Manifest.InSplit("test"))) observer.Note(remark);
        if (config.Model.RemarkOnBatch(config.Training.PairsAtATime) is { } onBatch) observer.Note(onBatch);
        InferenceConfig inference = config.Model.Inference;
        this.config = config = config with
        {
            Stains = config.Stains ?? StainProfiles.Read(config.Data, data.Train),
            Model = config.Model with { Inference = inference with { Mpp = inference.Mpp ?? data.Mpp } },
        };
        if (config.Stains is not null) observer.Note(config.Stains.Describe());
        PairedDataset pairs = data.TrainingSet(config.Data, config.Seed, config.Stains, config.Model.Upscaling,
            config.Model.StandardizesSource);
        Loader = new PairLoader(pairs, config.Training.BatchSize, shuffle: true, config.Seed, config.Data.Workers);
    }

    public TrainingResult Start(CancellationToken stop)
    {
        using FileLock access = Folder.LockNew();
        Folder.Describe(config, Device, DataSummary.Create(data.Manifest, stop));
        return Run(resume: false, stop);
    }

    public TrainingResult Resume(CancellationToken stop)
    {
        RequireSameStart(DataSummary.Create(data.Manifest, stop));
        return Run(resume: true, stop);
    }

    private protected override PairLoader Loader { get; }

    private protected override int Epochs => config.Training.Epochs + config.Training.EpochsDecay;

    private protected override string ScoreName(Method method) => "psnr";

    private protected override string ConfigText => ConfigFile.Write(config);

    private protected override Method Create()
    {
        Method method = config.Model.Create(Device);
        method.Microbatch = config.Training.Microbatch;
        return method;
    }

    private protected override double LearningRateFactor(int step, int epoch) => LearningRateSchedule.Factor(
        config.Training, step, TotalSteps, config.Training.Steps > 0 ? null : LinearByEpoch(config.Training, epoch));

    /// <summary>Computes the factor of the linear schedule in an epoch, from 0: 1, then decreasing over epochs_decay as in pix2pix.</summary>
    internal static double LinearByEpoch(TrainingConfig training, int epoch) =>
        1 - Math.Max(0, epoch + 1 - training.Epochs) / (double)(training.EpochsDecay + 1);

    private protected override IReadOnlyDictionary<string, Tensor> TrainStep(Method method, Batch batch) =>
        method.TrainStep(batch.Source.to(Device), batch.Target.to(Device), [.. batch.Pairs.Select(pair => pair.Label)]);

    private protected override void Validate(Method method, TrainingState state, RunLog log, int epoch)
    {
        using var preview = new Preview(method.Generator, config, data, Device);
        if (data.Validation.Count > 0) state.RecordScore(preview.ValidationPsnr());
        log.Sample(state.Step, epoch, state.LastScore, preview.Picture());
    }

    private protected override void WriteModel(Method method, TrainingState state)
    {
        using IDisposable? average = UseAverage(method, state);
        string? notExported = TrainedModel.Write(Folder.Model,
            new ModelConfig { Method = config.Method, Direction = config.Data.Direction, Model = config.Model, Stains = config.Stains },
            state.ModelWeights(), ModelCard.Write(config, data, state), Novelty());
        if (notExported is not null) Observer.Note($"the model has no model.onnx: {notExported}");
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

    private protected override string Describe(Method method, double score) => FormattableString.Invariant($"PSNR {score:F2} dB");

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
