using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Files;
using Tinctor.Training.Learners;

namespace Tinctor.Training.Runs;

/// <summary>
/// State of a training: networks, optimisers, running average, random states and step. A checkpoint is a safetensors file with the tensors;
/// its metadata contains the numbers as JSON. Batches have no state: they depend on seed, epoch and position only.
/// </summary>
internal sealed class TrainingState : IDisposable
{
    private const string Numbers = "training_state", Format = "tinctor-checkpoint";
    private const int Version = 2; // version 1 has neither format nor version, and its scores are named psnr
    private readonly Learner learner;
    private readonly string scoreName;
    private readonly bool lowerIsBetter;
    private readonly LoopConfig stopping;
    private double? improvedScore;
    private int validations, staleValidations;
    private readonly Device device;
    private readonly ExponentialMovingAverage? average;
    private readonly PlateauSchedule? plateau;
    private readonly Dictionary<ParamGroup, double> fullLearningRates;

    /// <summary>Creates the state of a new training.</summary>
    /// <param name="learner">Networks and optimisers.</param>
    /// <param name="config">Decay of the running average of the trained network, and early stopping.</param>
    /// <param name="device">Device of the training.</param>
    /// <param name="scoreName">Name of the validation score, such as "psnr" or "accuracy".</param>
    /// <param name="lowerIsBetter">Whether lower scores are better.</param>
    public TrainingState(Learner learner, LoopConfig config, Device device, string scoreName, bool lowerIsBetter = false)
    {
        (this.learner, this.device, this.scoreName, this.lowerIsBetter, stopping) = (learner, device, scoreName, lowerIsBetter, config);
        average = config.Ema > 0 ? new ExponentialMovingAverage(learner.Trained.parameters(), config.Ema,
            config.EmaWarmUp ? ExponentialMovingAverage.Ratio : null) : null;
        plateau = config.Schedule == Schedule.Plateau ? new PlateauSchedule(config, lowerIsBetter) : null;
        fullLearningRates =
            learner.Optimizers.Values.SelectMany(optimizer => optimizer.param_groups).ToDictionary(group => group, group => group.lr);
    }

    /// <summary>Number of completed steps.</summary>
    public int Step { get; private set; }

    /// <summary>Score of the last validation; null without validation.</summary>
    public double? LastScore { get; private set; }

    /// <summary>Best validation score so far; null without validation.</summary>
    public double? BestScore { get; private set; }

    /// <summary>Number of completed steps at the best score; null if unknown.</summary>
    public int? BestStep { get; private set; }

    /// <summary>Whether the current weights have the best score.</summary>
    public bool IsBest => BestStep == Step;

    /// <summary>Whether the score has not improved for the patience of early stopping.</summary>
    public bool IsStale => stopping.Patience > 0 && staleValidations >= stopping.Patience;

    /// <summary>Factor of the learning rate by the schedule plateau; 1 for other schedules.</summary>
    public double PlateauFactor => plateau?.Factor ?? 1;

    /// <summary>Multiplies the initial learning rates by a factor.</summary>
    public void ScaleLearningRates(double factor)
    {
        foreach ((ParamGroup group, double full) in fullLearningRates) group.lr = full * factor;
    }

    /// <summary>Counts a step and updates the running average.</summary>
    public void Advance()
    {
        average?.update();
        Step++;
    }

    /// <summary>Records the validation score of the current weights. A score that is not finite is never the best one.</summary>
    public void RecordScore(double score)
    {
        LastScore = double.IsFinite(score) ? score : null;
        plateau?.Record(score);
        // Of equal scores, the later weights are trained longer.
        if (LastScore is not null && (LastScore == BestScore || IsBetter(LastScore, BestScore, 0)))
            (BestScore, BestStep) = (LastScore, Step);
        if (++validations <= stopping.PatienceWarmUp) return;
        if (IsBetter(LastScore, improvedScore, stopping.MinImprovement)) (improvedScore, staleValidations) = (LastScore, 0);
        else staleValidations++;
    }

    private bool IsBetter(double? score, double? other, double least) => score is double value
        && (other is not double best || (lowerIsBetter ? best - value : value - best) > least);

    /// <summary>Replaces the trained network's weights by their running average until disposal; null without averaging.</summary>
    /// <param name="pass">Passes batches through the network, to recompute the statistics of its batch norms.</param>
    public IDisposable? UseAverage(Action pass) => average is null ? null : new AveragedNetwork(average, learner.Trained, pass);

    /// <summary>Copies the current weights; the caller disposes them.</summary>
    public OrderedDictionary<string, Tensor> ModelWeights() =>
        new(learner.Trained.state_dict().Select(pair => KeyValuePair.Create(pair.Key, pair.Value.detach().cpu().clone())));

    /// <summary>Writes a checkpoint atomically.</summary>
    public void Save(string path)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var tensors = new OrderedDictionary<string, Tensor>();
        JsonObject numbers = Scores();
        numbers["format"] = Format;
        numbers["version"] = Version;
        numbers["step"] = Step;
        foreach ((string name, Module network) in learner.Networks) Add(tensors, $"networks.{name}", network.state_dict());
        foreach ((string name, OptimizerState state) in OptimizerStates())
        {
            Add(tensors, name, state.tensors);
            numbers[name] = state.numbers;
        }
        Add(tensors, "method", learner.State);
        foreach (Generator generator in RandomStates.Generators(device))
            tensors.Add($"random.{tensors.Count(pair => pair.Key.StartsWith("random."))}", generator.get_state());
        SafeTensors.Save(path, tensors, new Dictionary<string, string> { [Numbers] = numbers.ToJsonString() });
    }

    /// <summary>Copies the scores and the random states of rank 0, which validates, to the other ranks.</summary>
    public void ShareValidation(ProcessGroup ranks)
    {
        JsonObject scores = JsonNode.Parse(ranks.FromFirst(Scores().ToJsonString()))!.AsObject();
        if (ranks.Rank > 0) LoadScores(scores, "score");
        using DisposeScope scope = torch.NewDisposeScope();
        foreach (Generator generator in RandomStates.Generators(device))
        {
            Tensor state = generator.get_state();
            ranks.Broadcast(state);
            generator.set_state(state);
        }
    }

    private JsonObject Scores()
    {
        var numbers = new JsonObject
        {
            ["score"] = scoreName,
            ["last_score"] = LastScore,
            ["best_score"] = BestScore,
            ["best_step"] = BestStep,
            ["improved_score"] = improvedScore,
            ["validations"] = validations,
            ["stale_validations"] = staleValidations,
        };
        if (plateau is not null) numbers["plateau"] = plateau.State();
        return numbers;
    }

    /// <summary>Loads a checkpoint.</summary>
    /// <exception cref="NewerFormatException">The file was written by a newer version.</exception>
    /// <exception cref="TinctorException">The file is damaged, or belongs to another configuration.</exception>
    public void Load(string path)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> tensors = SafeTensors.Load(path, out OrderedDictionary<string, string> metadata);
        if (!metadata.TryGetValue(Numbers, out string? json))
            throw new TinctorException(path, "the file is not a checkpoint of a training run", "Name a file in checkpoints/ of a run");
        try
        {
            JsonObject numbers = JsonNode.Parse(json, documentOptions: StrictJson.Options)!.AsObject();
            int? version = (int?)numbers["version"];
            NewerFormatException.ThrowIfNewer(path, version, Version);
            foreach ((string name, Module network) in learner.Networks) network.load_state_dict(Part(tensors, $"networks.{name}"));
            foreach ((string name, Action<OptimizerState> load) in OptimizerLoaders())
                load(new(Part(tensors, name), numbers[name]!.AsObject()));
            learner.LoadState(Part(tensors, "method").ToDictionary(pair => pair.Key, pair => pair.Value.to(device)));
            foreach ((int i, Generator generator) in RandomStates.Generators(device).Index()) generator.set_state(tensors[$"random.{i}"]);
            Step = (int)numbers["step"]!;
            LoadScores(numbers, version is null ? "psnr" : "score");
        }
        catch (Exception e) when (e is KeyNotFoundException or JsonException or NullReferenceException or InvalidOperationException)
        {
            throw new TinctorException(path, $"the checkpoint is incomplete or of another configuration ({e.Message})",
                "Resume from another checkpoint, or start a new run", e);
        }
    }

    // Scores of another kind are not comparable: the best one is then searched again.
    private void LoadScores(JsonObject numbers, string suffix)
    {
        if (numbers["plateau"] is JsonObject schedule) plateau?.Load(schedule);
        if ((string?)numbers["score"] is { } name && name != scoreName)
        {
            (LastScore, BestScore, BestStep, improvedScore, validations, staleValidations) = (null, null, null, null, 0, 0);
            return;
        }
        (LastScore, BestScore, BestStep) =
            ((double?)numbers[$"last_{suffix}"], (double?)numbers[$"best_{suffix}"], (int?)numbers["best_step"]);
        (improvedScore, validations, staleValidations) =
            ((double?)numbers["improved_score"], (int?)numbers["validations"] ?? 0, (int?)numbers["stale_validations"] ?? 0);
    }

    /// <summary>Frees the running average and the states of the optimisers.</summary>
    public void Dispose()
    {
        average?.Dispose();
        plateau?.Dispose();
        foreach (Optimizer optimizer in learner.Optimizers.Values) optimizer.Dispose();
    }

    private IEnumerable<(string name, OptimizerState state)> OptimizerStates()
    {
        foreach ((string name, Optimizer optimizer) in learner.Optimizers) yield return ($"optimizers.{name}", optimizer.state_dict());
        if (average is not null) yield return ("average", average.state_dict());
    }

    private IEnumerable<(string name, Action<OptimizerState> load)> OptimizerLoaders()
    {
        foreach ((string name, Optimizer optimizer) in learner.Optimizers) yield return ($"optimizers.{name}", optimizer.load_state_dict);
        if (average is not null) yield return ("average", average.load_state_dict);
    }

    private static void Add(OrderedDictionary<string, Tensor> tensors, string prefix, IEnumerable<KeyValuePair<string, Tensor>> part)
    {
        foreach ((string name, Tensor tensor) in part) tensors.Add($"{prefix}.{name}", tensor.detach().cpu());
    }

    private static OrderedDictionary<string, Tensor> Part(OrderedDictionary<string, Tensor> tensors, string prefix) => new(tensors
        .Where(pair => pair.Key.StartsWith(prefix + "."))
        .Select(pair => KeyValuePair.Create(pair.Key[(prefix.Length + 1)..], pair.Value)));
}
