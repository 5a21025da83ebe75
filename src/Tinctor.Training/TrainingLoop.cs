using System.Globalization;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Distributed;
using Tinctor.Torch.SelfTest;
using Tinctor.Training.Execution;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Training;

/// <summary>
/// Training loop: runs batches, writes logs and checkpoints, stops on request and resumes. It writes a run folder: config.yaml,
/// environment.json, metrics.csv, TensorBoard events, samples/, checkpoints/ and finally model/. An interrupted run resumes from its last
/// checkpoint with the same results. In a distributed training, all ranks run the loop, each on its part of every batch, and rank 0 writes.
/// </summary>
/// <typeparam name="TLearner">Networks and optimisers.</typeparam>
internal abstract class TrainingLoop<TLearner> where TLearner : Learner
{
    // 32 batches suffice: each channel mean averages over thousands of pixels.
    private const int StatisticsBatches = 32;

    // Share of the initial weights in the running average above which a note is printed.
    private const double LargestInitialShare = 0.01;
    private readonly LoopConfig config;
    private readonly ulong seed;
    private readonly ProcessGroup? ranks = ProcessGroup.Current;

    private protected TrainingLoop(LoopConfig config, ulong seed, RunFolder folder, ITrainingObserver observer)
    {
        (this.config, this.seed, Folder, Observer) = (config, seed, folder, observer);
        (Device, string reason) = DeviceChoice.Resolve(config.Device);
        EngineCheck.Require(Device, config.Amp, training: true);
        observer.Note($"device: {reason}{(config.Amp ? ", mixed precision (bfloat16)" : "")}");
        if (ranks is null) return;
        if (config.BatchSize % ranks.WorldSize != 0)
        {
            int multiple = (config.BatchSize / ranks.WorldSize + 1) * ranks.WorldSize;
            throw new OptionException(nameof(LoopConfig.BatchSize),
                $"training.batch_size is {config.BatchSize}, but the images of a step are spread over {ranks.WorldSize} ranks",
                $"Use a multiple of {ranks.WorldSize}, as in training.batch_size={multiple}")
            { Option = $"training.batch_size={multiple}" };
        }
        ranks.UseDevice(Device);
        observer.Note($"ranks: {ranks.WorldSize}, {config.BatchSize / ranks.WorldSize} of the {config.BatchSize} images of a step each");
    }

    /// <summary>Whether this process writes the run folder.</summary>
    private protected static bool IsWriter => ProcessGroup.IsFirst;

    private protected RunFolder Folder { get; }

    private protected ITrainingObserver Observer { get; }

    private protected Device Device { get; }

    /// <summary>Loader of the training batches.</summary>
    private protected abstract PairLoader Loader { get; }

    /// <summary>Number of epochs, unless the length of the run is set in steps.</summary>
    private protected abstract int Epochs { get; }

    /// <summary>Minimum number of steps between checkpoints; shorter epochs share one.</summary>
    private protected virtual int LeastStepsBetweenCheckpoints => 500;

    /// <summary>Name of the validation score in the log, such as "psnr".</summary>
    private protected abstract string ScoreName(TLearner learner);

    /// <summary>Whether lower validation scores are better.</summary>
    private protected virtual bool LowerIsBetter => false;

    /// <summary>Whether there are validation images.</summary>
    private protected abstract bool HasValidation { get; }

    /// <summary>Text of config.yaml, for the log.</summary>
    private protected abstract string ConfigText { get; }

    private protected abstract TLearner Create();

    /// <summary>Computes the factor of the learning rate, 0 to 1.</summary>
    /// <param name="step">Number of completed steps.</param>
    /// <param name="epoch">Epoch, from 0.</param>
    private protected abstract double LearningRateFactor(int step, int epoch);

    /// <summary>Updates the weights once and returns the detached losses by name.</summary>
    private protected abstract IReadOnlyDictionary<string, Tensor> TrainStep(TLearner learner, Batch batch);

    /// <summary>Scores the current weights (EMA if enabled) on the validation images and logs sample images.</summary>
    private protected abstract void Score(TLearner learner, TrainingState state, RunLog log, int epoch);

    /// <summary>Writes the model of the finished run; ranks other than rank 0 take part, but write nothing.</summary>
    private protected abstract void WriteModel(TLearner learner, TrainingState state);

    /// <summary>Formats a validation score, as in "PSNR 23.10 dB".</summary>
    private protected abstract string Describe(TLearner learner, double score);

    private protected int StepsPerEpoch => Loader.BatchesPerEpoch;

    private protected int TotalSteps => config.Steps > 0 ? config.Steps : Epochs * StepsPerEpoch;

    private protected TrainingResult Run(bool resume, CancellationToken stop)
    {
        RequireSameRun();
        torch.manual_seed(seed);
        using TLearner learner = Create();
        var sizes = learner.Networks.Select(network => $"{network.Key} {Learner.DescribeSize(network.Value)}");
        Observer.Note($"parameters: {string.Join(", ", sizes)}");
        using var state = new TrainingState(learner, config, Device, ScoreName(learner), LowerIsBetter);
        WarnOfInitialWeights();
        if (resume) Load(state);
        if (IsFinished(state) && OfFirst(() => Folder.HasModel)) return Result(learner, state, finished: true);

        using DistributedDataParallel? parallel =
            ranks is null ? null : new(ranks, [.. learner.Networks.Values], [.. learner.Optimizers.Values]);
        using RunLog? log = IsWriter ? new RunLog(Folder, state.Step, ConfigText, $"val_{ScoreName(learner)}") : null;
        var throughput = new Throughput();
        while (!IsFinished(state))
        {
            int epoch = state.Step / StepsPerEpoch;
            foreach (Batch batch in Loader.Batches(epoch, state.Step % StepsPerEpoch, CancellationToken.None))
            {
                IReadOnlyDictionary<string, double> losses;
                bool stopping;
                parallel?.BroadcastBuffers();
                using (batch) (losses, stopping) = Step(learner, state, batch, epoch, stop);
                throughput.Add(batch.Pairs.Count * ProcessGroup.Processes);
                log?.Add(losses);
                Report(state.Step, epoch, losses, throughput);
                // A process alone stops after this step even if its observer asked for it; ranks have agreed before.
                if (ranks is null) stopping = stop.IsCancellationRequested;
                bool last = state.Step == TotalSteps;
                bool validate = IsCheckpoint(state.Step) || last, save = validate || stopping;
                // Averages of the log restart at checkpoints, so a resumed run averages over the same steps.
                if (save || state.Step % config.LogEvery == 0)
                    log?.Flush(state.Step, epoch + 1, LearningRate(learner), throughput.PairsPerSecond);
                if (save)
                {
                    RequireFiniteWeights(learner, state.Step, batch);
                    Folder.RequirePresent();
                    // A validation at the place of an interruption would count for patience.
                    if (validate) Validate(learner, state, log, epoch + 1);
                    if (IsWriter) Folder.Save(state, config.KeepCheckpoints);
                }
                if (IsFinished(state)) break;
                if (stopping) return Result(learner, state, finished: false);
            }
        }
        if (state.IsStale)
            Observer.Note($"stopped early after step {state.Step}: no improvement in {config.Patience} validations");
        TrainingResult result = Result(learner, state, finished: true);
        // The last checkpoint of rank 0 is complete.
        ranks?.Barrier();
        using DisposeScope scope = torch.NewDisposeScope();
        if (IsWriter) Folder.WriteModel(() => WriteModel(learner, state));
        else WriteModel(learner, state);
        return result;
    }

    /// <summary>Replaces the trained network's weights by their running average until disposal; null without averaging.</summary>
    private protected IDisposable? UseAverage(TLearner learner, TrainingState state) => state.UseAverage(() =>
    {
        using Guard? spread = SpreadBatches();
        foreach (Batch batch in Loader.Batches(epoch: 0).Take(StatisticsBatches))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Guard? precision = config.Amp ? torch.autocast(Device.type, ScalarType.BFloat16) : null;
            using (batch) learner.Pass(batch, Device);
        }
    });

    /// <summary>Checks that the data is that of the start of the run; reports a different number of threads.</summary>
    /// <returns>Environment at the start of the run.</returns>
    private protected RunEnvironment RequireSameStart(DataSummary data)
    {
        RunEnvironment before = Folder.Environment();
        RunFolder.RequireSameData(before, data);
        if (before.Ranks != ProcessGroup.Processes)
            Observer.Note($"the run started with {before.Ranks} ranks and resumes with {ProcessGroup.Processes}; "
                + "results may differ from an uninterrupted run in the last digits");
        if (before.Threads != torch.get_num_threads())
            Observer.Note($"the run started with {before.Threads} threads and resumes with {torch.get_num_threads()}; "
                + "results may differ from an uninterrupted run in the last digits");
        return before;
    }

    private TrainingResult Result(TLearner learner, TrainingState state, bool finished) => new(
        state.Step, finished, finished ? Folder.Model : null,
        state.LastScore is double score ? Describe(learner, score) + BestOf(learner, state) : null);

    private string BestOf(TLearner learner, TrainingState state) => state is { BestScore: double best, BestStep: { } step, IsBest: false }
        ? $"; best {Describe(learner, best)} at step {step}" : "";

    // All ranks write the same weights, so they load the same file.
    private void Load(TrainingState state)
    {
        string? loaded = IsWriter ? Folder.LoadLatest(state) : null;
        if (ranks is not null) loaded = ranks.FromFirst(loaded ?? "") is { Length: > 0 } name ? name : null;
        if (loaded is null) return;
        if (!IsWriter) Folder.Load(state, loaded);
        Observer.Note($"resumed after step {state.Step} from {loaded}");
    }

    private bool OfFirst(Func<bool> condition) => ranks is null ? condition() : ranks.FromFirst($"{IsWriter && condition()}") == $"{true}";

    private Guard? SpreadBatches() => ranks is null ? null : BatchAcrossRanks.Use(ranks);

    private void RequireSameRun()
    {
        if (ranks is null) return;
        string[] runs = ranks.Gather($"Tinctor {RunEnvironment.Version}\npairs: {Loader.Dataset.Count}\n{ConfigText}");
        int other = Array.FindIndex(runs, run => run != runs[0]);
        if (other < 0) return;
        (string first, string second) = runs[0].Split('\n').Zip(runs[other].Split('\n')).First(lines => lines.First != lines.Second);
        throw new TinctorException(null, $"rank {other} ({ranks.Places[other]}) has another run than rank 0: "
            + $"\"{second.Trim()}\" instead of \"{first.Trim()}\"", "Start all ranks with the same program, arguments and data");
    }

    private (IReadOnlyDictionary<string, double> Losses, bool Stopping) Step(
        TLearner learner, TrainingState state, Batch batch, int epoch, CancellationToken stop)
    {
        using Guard? spread = SpreadBatches();
        using DisposeScope scope = torch.NewDisposeScope();
        state.ScaleLearningRates(LearningRateFactor(state.Step, epoch) * state.PlateauFactor);
        using (config.Amp ? torch.autocast(Device.type, ScalarType.BFloat16) : null)
        {
            IReadOnlyDictionary<string, double> values;
            try
            {
                values = TrainStep(learner, batch).ToDictionary(loss => loss.Key, loss => loss.Value.item());
            }
            catch (Exception e) when (MemoryShortage.IsCause(e))
            {
                throw new BatchMemoryException(Folder.Root, batch.Pairs.Count, e);
            }
            state.Advance();
            bool stopping = stop.IsCancellationRequested;
            if (ranks is not null) (values, stopping) = RankLosses.Combine(ranks, values, stopping);
            RequireFiniteLosses(values, state.Step, batch);
            return (values, stopping);
        }
    }

    private void WarnOfInitialWeights()
    {
        double share = config.EmaWarmUp ? 0 : Math.Pow(config.Ema, TotalSteps);
        if (share > LargestInitialShare)
            Observer.Note(string.Create(CultureInfo.InvariantCulture,
                $"after {TotalSteps} steps, {100 * share:F0}% of the averaged weights are the random initial ones: train longer, set "
                + $"training.ema below {config.Ema}, or training.ema_warm_up to true"));
    }

    private static double LearningRate(TLearner learner) => learner.Optimizers.Values.First().param_groups[0].lr;

    private void RequireFiniteLosses(IReadOnlyDictionary<string, double> losses, int step, Batch batch)
    {
        if (losses.Values.All(double.IsFinite)) return;
        IEnumerable<string> broken = losses.Where(loss => !double.IsFinite(loss.Value)).Select(loss => $"{loss.Key} = {loss.Value}");
        throw Diverged(string.Join(", ", broken), step, batch);
    }

    // Losses are computed before the update; checkpoints contain the weights after it.
    private void RequireFiniteWeights(TLearner learner, int step, Batch batch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach ((string name, Module network) in learner.Networks)
        {
            if (!network.parameters().All(parameter => double.IsFinite(parameter.sum().item())))
                throw Diverged($"the weights of network {name} are not finite", step, batch);
        }
    }

    private TinctorException Diverged(string problem, int step, Batch batch) => new(
        null, $"training diverged in step {step}: {problem}, images: {string.Join(", ", batch.Pairs.Select(pair => pair.Source))}",
        $"Check these images. If they are correct, reduce the learning rate or disable amp in {Folder.Config} "
            + "and resume from the last checkpoint.")
    { Option = "Resume" };

    // By default checkpoints follow whole epochs, several if they are short.
    private bool IsCheckpoint(int step)
    {
        int epochs = config.CheckpointEpochs > 0 ? config.CheckpointEpochs
            : (LeastStepsBetweenCheckpoints + StepsPerEpoch - 1) / StepsPerEpoch;
        return step % (config.CheckpointEvery > 0 ? config.CheckpointEvery : epochs * StepsPerEpoch) == 0;
    }

    private void Validate(TLearner learner, TrainingState state, RunLog? log, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using (UseAverage(learner, state))
        {
            if (log is not null) Score(learner, state, log, epoch);
            else learner.Trained.train();
        }
        if (ranks is not null) state.ShareValidation(ranks);
    }

    private bool IsFinished(TrainingState state) => state.Step >= TotalSteps || state.IsStale;

    /// <summary>Checks that early stopping and the schedule plateau have validation data.</summary>
    /// <exception cref="OptionException">There is none.</exception>
    private protected void RequireValidation()
    {
        if (config.Patience > 0 && !HasValidation)
            throw new OptionException(nameof(LoopConfig.Patience), "training.patience is set, but there is no validation data",
                "Hold out slides or folds, or use training.patience=0");
        if (config.Schedule == Schedule.Plateau && !HasValidation)
            throw new OptionException(nameof(LoopConfig.Schedule), "training.schedule is plateau, but there is no validation data",
                "Hold out slides or folds, or use training.schedule=linear");
    }

    private void Report(int step, int epoch, IReadOnlyDictionary<string, double> losses, Throughput throughput)
    {
        var remaining = TimeSpan.FromSeconds((TotalSteps - step) / Math.Max(throughput.StepsPerSecond, 1e-9));
        long memory = Device.type == DeviceType.CUDA ? torch.cuda.memory_stats(Math.Max(Device.index, 0)).reserved : Environment.WorkingSet;
        Observer.Step(new(step, TotalSteps, epoch + 1, losses, throughput.PairsPerSecond, remaining, memory));
    }
}
