using System.Globalization;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.SelfTest;
using Tinctor.Training.Execution;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Training;

/// <summary>
/// Training loop: runs batches, writes logs and checkpoints, stops on request and resumes. It writes a run folder: config.yaml,
/// environment.json, metrics.csv, TensorBoard events, samples/, checkpoints/ and finally model/. An interrupted run resumes from its last
/// checkpoint with the same results.
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

    private protected TrainingLoop(LoopConfig config, ulong seed, RunFolder folder, ITrainingObserver observer)
    {
        (this.config, this.seed, Folder, Observer) = (config, seed, folder, observer);
        (Device, string reason) = DeviceChoice.Resolve(config.Device);
        EngineCheck.Require(Device, config.Amp, training: true);
        observer.Note($"device: {reason}{(config.Amp ? ", mixed precision (bfloat16)" : "")}");
    }

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

    private protected abstract void WriteModel(TLearner learner, TrainingState state);

    /// <summary>Formats a validation score, as in "PSNR 23.10 dB".</summary>
    private protected abstract string Describe(TLearner learner, double score);

    private protected int StepsPerEpoch => Loader.BatchesPerEpoch;

    private protected int TotalSteps => config.Steps > 0 ? config.Steps : Epochs * StepsPerEpoch;

    private protected TrainingResult Run(bool resume, CancellationToken stop)
    {
        torch.manual_seed(seed);
        using TLearner learner = Create();
        using var state = new TrainingState(learner, config, Device, ScoreName(learner), LowerIsBetter);
        WarnOfInitialWeights();
        if (resume && Folder.LoadLatest(state) is string loaded) Observer.Note($"resumed after step {state.Step} from {loaded}");
        if (IsFinished(state) && Folder.HasModel) return Result(learner, state, finished: true);

        using var log = new RunLog(Folder, state.Step, ConfigText, $"val_{ScoreName(learner)}");
        var throughput = new Throughput();
        while (!IsFinished(state))
        {
            int epoch = state.Step / StepsPerEpoch;
            foreach (Batch batch in Loader.Batches(epoch, state.Step % StepsPerEpoch, CancellationToken.None))
            {
                IReadOnlyDictionary<string, double> losses;
                using (batch) losses = Step(learner, state, batch, epoch);
                throughput.Add(batch.Pairs.Count);
                log.Add(losses);
                Report(state.Step, epoch, losses, throughput);
                bool last = state.Step == TotalSteps, stopping = stop.IsCancellationRequested;
                bool validate = IsCheckpoint(state.Step) || last, save = validate || stopping;
                // Averages of the log restart at checkpoints, so a resumed run averages over the same steps.
                if (save || state.Step % config.LogEvery == 0)
                    log.Flush(state.Step, epoch + 1, LearningRate(learner), throughput.PairsPerSecond);
                if (save)
                {
                    RequireFiniteWeights(learner, state.Step, batch);
                    Folder.RequirePresent();
                    // A validation at the place of an interruption would count for patience.
                    if (validate) Validate(learner, state, log, epoch + 1);
                    Folder.Save(state, config.KeepCheckpoints);
                }
                if (IsFinished(state)) break;
                if (stopping) return Result(learner, state, finished: false);
            }
        }
        if (state.IsStale)
            Observer.Note($"stopped early after step {state.Step}: no improvement in {config.Patience} validations");
        TrainingResult result = Result(learner, state, finished: true);
        using (torch.NewDisposeScope()) Folder.WriteModel(() => WriteModel(learner, state));
        return result;
    }

    /// <summary>Replaces the trained network's weights by their running average until disposal; null without averaging.</summary>
    private protected IDisposable? UseAverage(TLearner learner, TrainingState state) => state.UseAverage(() =>
    {
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

    private IReadOnlyDictionary<string, double> Step(TLearner learner, TrainingState state, Batch batch, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        state.ScaleLearningRates(LearningRateFactor(state.Step, epoch) * state.PlateauFactor);
        using (config.Amp ? torch.autocast(Device.type, ScalarType.BFloat16) : null)
        {
            Dictionary<string, double> values;
            try
            {
                values = TrainStep(learner, batch).ToDictionary(loss => loss.Key, loss => loss.Value.item());
            }
            catch (Exception e) when (MemoryShortage.IsCause(e))
            {
                throw new BatchMemoryException(Folder.Root, batch.Pairs.Count, e);
            }
            state.Advance();
            RequireFiniteLosses(values, state.Step, batch);
            return values;
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

    private void Validate(TLearner learner, TrainingState state, RunLog log, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using (UseAverage(learner, state)) Score(learner, state, log, epoch);
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
