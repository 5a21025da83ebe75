using Tinctor.Slides;
using Tinctor.Staining.Data;
using Tinctor.Staining.Methods;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Training;

/// <summary>
/// Trains a method on pairs and leaves a run folder: config.yaml, environment.json, metrics.csv, TensorBoard events, samples/, checkpoints/
/// and, at the end, model/. A run that was cut short at any moment goes on from its last checkpoint as if nothing had happened.
/// </summary>
public sealed class Trainer
{
    private const int LeastStepsBetweenCheckpoints = 500;
    private readonly RunConfig config;
    private readonly RunFolder folder;
    private readonly ITrainingObserver observer;
    private readonly TrainingData data;
    private readonly Device device;
    private readonly PairLoader loader;

    private Trainer(RunConfig config, RunFolder folder, ITrainingObserver observer, CancellationToken stop)
    {
        this.config = config;
        this.folder = folder;
        this.observer = observer;
        (device, string reason) = DeviceChoice.Resolve(config.Training.Device);
        observer.Note($"device: {reason}{(config.Training.Amp ? ", bfloat16 where it suits" : "")}");
        data = TrainingData.Read(config.Data, config.Seed, stop);
        observer.Note($"data: {data.Manifest.Describe()}");
        RefuseOtherChannels(data.Train[0], config.Model);
        observer.Note($"training on {data.Train.Count} pairs; validation: "
            + $"{(data.Validation.Count > 0 ? $"{data.Validation.Count} pairs, " : "")}{data.ValidationNote}");
        loader = new PairLoader(
            data.TrainingSet(config.Data, config.Seed), config.Training.BatchSize, shuffle: true, config.Seed, config.Data.Workers);
    }

    /// <summary>Trains from the start.</summary>
    /// <param name="config">What to train and how.</param>
    /// <param name="runFolder">A new or empty folder.</param>
    /// <param name="observer">Receives notes and progress.</param>
    /// <param name="stop">Asks the run to finish its step, save and return.</param>
    /// <exception cref="InvalidDataException">The data is broken, the folder is taken, or a loss became NaN or infinite.</exception>
    public static TrainingResult Start(RunConfig config, string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        RunFolder folder = RunFolder.Create(runFolder);
        // A run goes on from wherever it is resumed.
        if (config.Data.Path.Length > 0) config = config with { Data = config.Data with { Path = Path.GetFullPath(config.Data.Path) } };
        var trainer = new Trainer(config, folder, observer, stop);
        folder.Describe(config, trainer.device, DataSummary.Of(trainer.data.Manifest, stop));
        return trainer.Run(resume: false, stop);
    }

    /// <summary>Goes on with a run from its last checkpoint; the configuration is the run folder's own.</summary>
    /// <exception cref="InvalidDataException">The folder is no run, or its data has changed.</exception>
    public static TrainingResult Resume(string runFolder, ITrainingObserver observer, CancellationToken stop = default)
    {
        RunFolder folder = RunFolder.Open(runFolder);
        RunConfig config = ConfigFile.Load(folder.Config);
        var trainer = new Trainer(config, folder, observer, stop);
        RunEnvironment before = folder.Environment();
        RunFolder.RefuseOtherData(before, DataSummary.Of(trainer.data.Manifest, stop));
        if (before.Threads != torch.get_num_threads())
            observer.Note($"the run began with {before.Threads} threads, now there are {torch.get_num_threads()}: "
                + "its last digits will differ from those of an uninterrupted one");
        return trainer.Run(resume: true, stop);
    }

    private int StepsPerEpoch => loader.BatchesPerEpoch;

    private int TotalSteps =>
        config.Training.Steps > 0 ? config.Training.Steps : (config.Training.Epochs + config.Training.EpochsDecay) * StepsPerEpoch;

    private TrainingResult Run(bool resume, CancellationToken stop)
    {
        torch.manual_seed(config.Seed);
        using Method method = config.Model.Create(device);
        using var state = new TrainingState(method, config.Training.Ema, device);
        if (resume && folder.LatestCheckpoint(state) is string loaded) observer.Note($"resumed after step {state.Step} from {loaded}");
        if (state.Step >= TotalSteps && folder.HasModel) return new(state.Step, true, folder.Model, state.LastPsnr);

        using var log = new RunLog(folder, state.Step, ConfigFile.Write(config));
        var throughput = new Throughput();
        while (state.Step < TotalSteps)
        {
            int epoch = state.Step / StepsPerEpoch;
            foreach (Batch batch in loader.Batches(epoch, state.Step % StepsPerEpoch, CancellationToken.None))
            {
                IReadOnlyDictionary<string, double> losses;
                using (batch) losses = Step(method, state, batch, epoch);
                throughput.Add(batch.Pairs.Count);
                log.Add(losses);
                Report(state.Step, epoch, losses, throughput);
                bool last = state.Step == TotalSteps, stopping = stop.IsCancellationRequested;
                bool save = IsCheckpoint(state.Step) || last || stopping;
                // A checkpoint begins a new line of the log, so that a resumed run averages over the same steps.
                if (save || state.Step % config.Training.LogEvery == 0)
                    log.Flush(state.Step, epoch + 1, LearningRate(method), throughput.PairsPerSecond);
                if (save)
                {
                    RefuseBrokenWeights(method, state.Step, batch);
                    Checkpoint(method, state, log, epoch + 1);
                }
                if (stopping && !last) return new(state.Step, false, null, state.LastPsnr);
                if (last) break;
            }
        }
        using (torch.NewDisposeScope()) folder.WriteModel(config, state.StainingWeights(), data, state);
        return new(state.Step, true, folder.Model, state.LastPsnr);
    }

    private IReadOnlyDictionary<string, double> Step(Method method, TrainingState state, Batch batch, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        state.ScaleLearningRates(LearningRateFactor(config.Training, state.Step, epoch));
        using (config.Training.Amp ? torch.autocast(device.type, ScalarType.BFloat16) : null)
        {
            IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(batch.Source.to(device), batch.Target.to(device));
            state.Advance();
            var values = losses.ToDictionary(loss => loss.Key, loss => loss.Value.item());
            RefuseDivergence(values, state.Step, batch);
            return values;
        }
    }

    /// <summary>1 for the first epochs, then down to zero in a straight line, as in pix2pix; by steps where a run is that long.</summary>
    /// <param name="training">How long the run is.</param>
    /// <param name="step">Steps done.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    internal static double LearningRateFactor(TrainingConfig training, int step, int epoch) =>
        training.Steps > 0 ? Math.Min(1, 2.0 * (training.Steps - step) / training.Steps)
            : 1 - Math.Max(0, epoch + 1 - training.Epochs) / (double)(training.EpochsDecay + 1);

    private static double LearningRate(Method method) => method.Optimizers.Values.First().param_groups[0].lr;

    private void RefuseDivergence(IReadOnlyDictionary<string, double> losses, int step, Batch batch)
    {
        if (losses.Values.All(double.IsFinite)) return;
        IEnumerable<string> broken = losses.Where(loss => !double.IsFinite(loss.Value)).Select(loss => $"{loss.Key} = {loss.Value}");
        throw Diverged(string.Join(", ", broken), step, batch);
    }

    // A loss is of the weights before the step; those after it are what a checkpoint would keep.
    private void RefuseBrokenWeights(Method method, int step, Batch batch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach ((string name, Module network) in method.Networks)
        {
            if (!network.parameters().All(parameter => double.IsFinite(parameter.sum().item())))
                throw Diverged($"the weights of network {name} are no longer finite", step, batch);
        }
    }

    private InvalidDataException Diverged(string what, int step, Batch batch) => new(
        $"step {step}: {what}, on {string.Join(", ", batch.Pairs.Select(pair => pair.Source))}; look at these images; "
        + $"if they are good, lower the learning rate or switch amp off in {folder.Config} "
        + "and go on from the last checkpoint with --resume");

    private static void RefuseOtherChannels(Pair pair, MethodConfig model)
    {
        (Image source, Image target) = PairedDataset.ReadPair(pair);
        if ((source.Channels, target.Channels) == (model.InputChannels, model.OutputChannels)) return;
        throw new InvalidDataException($"{pair.Source}: has {source.Channels} channels and its target {target.Channels}; "
            + $"set model.input_channels={source.Channels} and model.output_channels={target.Channels}");
    }

    // Whole epochs, unless told otherwise; several where they are short, as writing takes its time.
    private bool IsCheckpoint(int step)
    {
        int epochs = (LeastStepsBetweenCheckpoints + StepsPerEpoch - 1) / StepsPerEpoch;
        return step % (config.Training.CheckpointEvery > 0 ? config.Training.CheckpointEvery : epochs * StepsPerEpoch) == 0;
    }

    private void Checkpoint(Method method, TrainingState state, RunLog log, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using (state.UseAverage())
        {
            using var preview = new Preview(method.Generator, config, data, device);
            if (data.Validation.Count > 0) state.Score(preview.ValidationPsnr());
            log.Sample(state.Step, epoch, state.LastPsnr, preview.Picture());
        }
        folder.Save(state, config.Training.KeepCheckpoints);
    }

    private void Report(int step, int epoch, IReadOnlyDictionary<string, double> losses, Throughput throughput)
    {
        var remaining = TimeSpan.FromSeconds((TotalSteps - step) / Math.Max(throughput.StepsPerSecond, 1e-9));
        long memory = device.type == DeviceType.CUDA ? torch.cuda.memory_stats(Math.Max(device.index, 0)).reserved : Environment.WorkingSet;
        observer.Step(new(step, TotalSteps, epoch + 1, losses, throughput.PairsPerSecond, remaining, memory));
    }
}
