using System.Globalization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Runs;

namespace Tinctor.Cli.Studies;

/// <summary>
/// Choice of each method's learning rate by trial trainings, scored on validation pairs. Every method gets the same rates and the same
/// share of its length; variants of a method take the rate of its first model. Test pairs are not used.
/// </summary>
internal sealed class LearningRateTuning
{
    private readonly Study study;
    private readonly IReadOnlyList<double> rates;
    private readonly StudyModel[] firsts;

    /// <summary>Defines the trials.</summary>
    /// <param name="study">The study, with the length of its trainings.</param>
    /// <param name="rates">Learning rates to try.</param>
    /// <param name="share">Length of a trial relative to a training, 0 to 1.</param>
    /// <param name="seed">Random seed of the trials.</param>
    /// <exception cref="TinctorException">There are no validation pairs, or the length is not set in steps.</exception>
    public LearningRateTuning(Study study, IReadOnlyList<double> rates, double share, ulong seed)
    {
        (this.study, this.rates) = (study, rates);
        RunConfig any = study.Models[0].Config;
        if (study.ValidationPairs == 0)
            throw new TinctorException(any.Data.Path, "there are no validation pairs to choose learning rates by",
                "Assign some slides to the split val");
        firsts = [.. study.Models.DistinctBy(model => model.Config.Method).Select(model => Shortened(model, share, seed))];
    }

    /// <summary>Gets the trial trainings.</summary>
    /// <param name="training">Further options of every training.</param>
    public IEnumerable<StudyJob> Jobs(string[] training) =>
        from model in firsts
        from rate in rates
        select new StudyJob($"tuning-{model.Config.Method}-{Text(rate)}",
            [($"{model.Config.Method}, learning rate {Text(rate)}: train a trial",
                Study.TrainCommand(WithRate(model.Config, rate), Run(model, rate), training))]);

    /// <summary>
    /// Gets the study with the best rate of each method; writes tuning.csv. A method whose trials all failed keeps its rate.
    /// </summary>
    public Study Apply()
    {
        var best = new Dictionary<string, double>();
        var rows = new List<object?[]>();
        foreach (StudyModel model in firsts)
        {
            string method = model.Config.Method;
            (double Rate, ValidationScore? Score)[] trials = [.. rates.Select(rate => (rate, ValidationScore.Last(Run(model, rate))))];
            double? chosen = Best(trials);
            if (chosen is double rate) best[method] = rate;
            rows.AddRange(trials.Select(trial => (object?[])
                [method, trial.Rate, trial.Score?.Name, trial.Score?.Value, Words.YesNo(trial.Rate == chosen)]));
            Terminal.Note($"{method}: {(chosen is double by ? $"learning rate {Text(by)} by validation" : "its own learning rate")} "
                + $"({string.Join(", ", trials.Select(trial => $"{Text(trial.Rate)}: {trial.Score?.ToString() ?? "failed"}"))})");
            if (rates.Count > 1 && chosen is double outermost && (chosen == rates.Min() || chosen == rates.Max()))
            {
                Terminal.Note($"{Text(outermost)} is the outermost learning rate that was tried with {method}: a rate beyond may be "
                    + "better");
            }
        }
        CsvFile.Write(Path.Combine(study.Folder, "tuning.csv"), ["method", "lr", "score", "value", "chosen"], rows);
        return study.With([.. study.Models.Select(model => best.TryGetValue(model.Config.Method, out double rate)
            ? model with { Config = WithRate(model.Config, rate) } : model)]);
    }

    // Null if all trials failed.
    private static double? Best((double Rate, ValidationScore? Score)[] trials)
    {
        (double Rate, ValidationScore? Score)[] scored = [.. trials.Where(trial => trial.Score is not null)];
        return scored.Length > 0 ? scored.MaxBy(trial => trial.Score!.Merit).Rate : null;
    }

    private static StudyModel Shortened(StudyModel model, double share, ulong seed)
    {
        int steps = model.Config.Training.Steps;
        if (steps == 0)
            throw new TinctorException("--tune-lr: trials are a share of the number of steps, which is not set. Use --budget or --steps");
        return model with
        {
            Config = model.Config with { Seed = seed, Training = model.Config.Training with { Steps = Math.Max(1, (int)(steps * share)) } },
        };
    }

    private string Folder(string method) => Path.Combine(study.Folder, "tuning", method);

    private string Run(StudyModel model, double rate) => Path.Combine(Folder(model.Config.Method), $"lr-{Text(rate)}", "run");

    private static RunConfig WithRate(RunConfig config, double rate) =>
        ConfigFile.LoadText(ConfigFile.Write(config), config.Method, [$"model.lr={Text(rate)}"]);

    private static string Text(double rate) => rate.ToString("G4", CultureInfo.InvariantCulture);
}
