using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Training;

/// <summary>
/// The loop of every training: batches, log, checkpoints, an end that is asked for, and going on afterwards. It fills a run folder:
/// config.yaml, environment.json, metrics.csv, TensorBoard events, samples/, checkpoints/ and, at the end, model/. A run that was cut
/// short at any moment goes on from its last checkpoint as if nothing had happened.
/// </summary>
/// <typeparam name="TLearner">What is trained.</typeparam>
public abstract class TrainingLoop<TLearner> where TLearner : Learner
{
    // Enough for means over channels that are taken of many pixels each.
    private const int StatisticsBatches = 32;
    private readonly LoopConfig config;
    private readonly ulong seed;

    private protected TrainingLoop(LoopConfig config, ulong seed, RunFolder folder, ITrainingObserver observer)
    {
        (this.config, this.seed, Folder, Observer) = (config, seed, folder, observer);
        (Device, string reason) = DeviceChoice.Resolve(config.Device);
        observer.Note($"device: {reason}{(config.Amp ? ", bfloat16 where it suits" : "")}");
    }

    private protected RunFolder Folder { get; }

    private protected ITrainingObserver Observer { get; }

    private protected Device Device { get; }

    /// <summary>The training images, batch by batch.</summary>
    private protected abstract PairLoader Loader { get; }

    /// <summary>Epochs, where no number of steps is set.</summary>
    private protected abstract int Epochs { get; }

    /// <summary>Checkpoints take their time: short epochs share one.</summary>
    private protected virtual int LeastStepsBetweenCheckpoints => 500;

    /// <summary>The name of the validation score in the log: "psnr".</summary>
    private protected abstract string ScoreName(TLearner learner);

    /// <summary>config.yaml, for the log.</summary>
    private protected abstract string ConfigText { get; }

    private protected abstract TLearner Create();

    /// <summary>The learning rate as a share of the full one.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="epoch">The epoch, from 0.</param>
    private protected abstract double LearningRateFactor(int step, int epoch);

    /// <summary>One update; the losses by name, without history.</summary>
    private protected abstract IReadOnlyDictionary<string, Tensor> TrainStep(TLearner learner, Batch batch);

    /// <summary>Scores the present weights (with the running average in place) and logs what can be seen of them.</summary>
    private protected abstract void Validate(TLearner learner, TrainingState state, RunLog log, int epoch);

    private protected abstract void WriteModel(TLearner learner, TrainingState state);

    /// <summary>A score in words.</summary>
    private protected abstract string Describe(TLearner learner, double score);

    private protected int StepsPerEpoch => Loader.BatchesPerEpoch;

    private protected int TotalSteps => config.Steps > 0 ? config.Steps : Epochs * StepsPerEpoch;

    private protected TrainingResult Run(bool resume, CancellationToken stop)
    {
        torch.manual_seed(seed);
        using TLearner learner = Create();
        using var state = new TrainingState(learner, config.Ema, Device, ScoreName(learner));
        if (resume && Folder.LatestCheckpoint(state) is string loaded) Observer.Note($"resumed after step {state.Step} from {loaded}");
        if (state.Step >= TotalSteps && Folder.HasModel) return Result(learner, state, finished: true);

        using var log = new RunLog(Folder, state.Step, ConfigText, $"val_{ScoreName(learner)}");
        var throughput = new Throughput();
        while (state.Step < TotalSteps)
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
                bool save = IsCheckpoint(state.Step) || last || stopping;
                // A checkpoint begins a new line of the log, so that a resumed run averages over the same steps.
                if (save || state.Step % config.LogEvery == 0)
                    log.Flush(state.Step, epoch + 1, LearningRate(learner), throughput.PairsPerSecond);
                if (save)
                {
                    RefuseBrokenWeights(learner, state.Step, batch);
                    Checkpoint(learner, state, log, epoch + 1);
                }
                if (stopping && !last) return Result(learner, state, finished: false);
                if (last) break;
            }
        }
        using (torch.NewDisposeScope()) WriteModel(learner, state);
        return Result(learner, state, finished: true);
    }

    /// <summary>Puts the running average, if there is one, into the trained network for a using block.</summary>
    private protected IDisposable? UseAverage(TLearner learner, TrainingState state) => state.UseAverage(() =>
    {
        foreach (Batch batch in Loader.Batches(epoch: 0).Take(StatisticsBatches))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Guard? precision = config.Amp ? torch.autocast(Device.type, ScalarType.BFloat16) : null;
            using (batch) learner.Pass(batch, Device);
        }
    });

    /// <summary>A run goes on only with the data of its start; another number of threads is worth a remark.</summary>
    /// <returns>What the run was begun with.</returns>
    private protected RunEnvironment RefuseOtherStart(DataSummary data)
    {
        RunEnvironment before = Folder.Environment();
        RunFolder.RefuseOtherData(before, data);
        if (before.Threads != torch.get_num_threads())
            Observer.Note($"the run began with {before.Threads} threads, now there are {torch.get_num_threads()}: "
                + "its last digits will differ from those of an uninterrupted one");
        return before;
    }

    private TrainingResult Result(TLearner learner, TrainingState state, bool finished) => new(
        state.Step, finished, finished ? Folder.Model : null, state.LastScore is double score ? Describe(learner, score) : null);

    private IReadOnlyDictionary<string, double> Step(TLearner learner, TrainingState state, Batch batch, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        state.ScaleLearningRates(LearningRateFactor(state.Step, epoch));
        using (config.Amp ? torch.autocast(Device.type, ScalarType.BFloat16) : null)
        {
            IReadOnlyDictionary<string, Tensor> losses = TrainStep(learner, batch);
            state.Advance();
            var values = losses.ToDictionary(loss => loss.Key, loss => loss.Value.item());
            RefuseDivergence(values, state.Step, batch);
            return values;
        }
    }

    private static double LearningRate(TLearner learner) => learner.Optimizers.Values.First().param_groups[0].lr;

    private void RefuseDivergence(IReadOnlyDictionary<string, double> losses, int step, Batch batch)
    {
        if (losses.Values.All(double.IsFinite)) return;
        IEnumerable<string> broken = losses.Where(loss => !double.IsFinite(loss.Value)).Select(loss => $"{loss.Key} = {loss.Value}");
        throw Diverged(string.Join(", ", broken), step, batch);
    }

    // A loss is of the weights before the step; those after it are what a checkpoint would keep.
    private void RefuseBrokenWeights(TLearner learner, int step, Batch batch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach ((string name, Module network) in learner.Networks)
        {
            if (!network.parameters().All(parameter => double.IsFinite(parameter.sum().item())))
                throw Diverged($"the weights of network {name} are no longer finite", step, batch);
        }
    }

    private TinctorException Diverged(string what, int step, Batch batch) => new(
        $"step {step}: {what}, on {string.Join(", ", batch.Pairs.Select(pair => pair.Source))}; look at these images; "
        + $"if they are good, lower the learning rate or switch amp off in {Folder.Config} "
        + "and resume from the last checkpoint")
    { Option = "Resume" };

    // Whole epochs, unless told otherwise; several where they are short, as writing takes its time.
    private bool IsCheckpoint(int step)
    {
        int epochs = (LeastStepsBetweenCheckpoints + StepsPerEpoch - 1) / StepsPerEpoch;
        return step % (config.CheckpointEvery > 0 ? config.CheckpointEvery : epochs * StepsPerEpoch) == 0;
    }

    private void Checkpoint(TLearner learner, TrainingState state, RunLog log, int epoch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using (UseAverage(learner, state)) Validate(learner, state, log, epoch);
        Folder.Save(state, config.KeepCheckpoints);
    }

    private void Report(int step, int epoch, IReadOnlyDictionary<string, double> losses, Throughput throughput)
    {
        var remaining = TimeSpan.FromSeconds((TotalSteps - step) / Math.Max(throughput.StepsPerSecond, 1e-9));
        long memory = Device.type == DeviceType.CUDA ? torch.cuda.memory_stats(Math.Max(Device.index, 0)).reserved : Environment.WorkingSet;
        Observer.Step(new(step, TotalSteps, epoch + 1, losses, throughput.PairsPerSecond, remaining, memory));
    }
}
