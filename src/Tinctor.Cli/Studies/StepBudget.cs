using Tinctor.Training;

namespace Tinctor.Cli.Studies;

/// <summary>
/// Number of steps that fit a time budget, measured once for each method: variants of a method are trained for as many steps as its first
/// model. The measurements are kept in budget.csv, so that a resumed study has the same lengths.
/// </summary>
internal static class StepBudget
{
    /// <summary>Sets the number of steps of every model.</summary>
    /// <param name="study">The study.</param>
    /// <param name="budget">Length of each training.</param>
    /// <param name="threads">Number of threads of each training; 0 for the default.</param>
    /// <param name="cancel">Cancels the measurements.</param>
    public static Study Apply(Study study, TrainingBudget budget, int threads, CancellationToken cancel)
    {
        var costs = new Dictionary<string, double>();
        if (budget.Steps is null)
        {
            Threads.Use(threads);
            foreach (StudyModel first in study.Models.DistinctBy(model => model.Config.Method))
                costs[first.Config.Method] = Cost(study.Folder, first, cancel);
        }
        return study.With([.. study.Models.Select(model => model with
        {
            Config = model.Config with
            {
                Training = model.Config.Training with { Steps = budget.StepsAt(costs.GetValueOrDefault(model.Config.Method, 1)) },
            },
        })]);
    }

    private static double Cost(string folder, StudyModel model, CancellationToken cancel)
    {
        string method = model.Config.Method, path = Path.Combine(folder, "budget.csv");
        (string Method, double Seconds)[] known = File.Exists(path)
            ? [.. CsvFile.Read(path).Rows.Select(row => (row.Text("method"), row.Number("seconds_per_step") ?? 0))] : [];
        double cost = known.FirstOrDefault(row => row.Method == method).Seconds;
        if (cost > 0) return cost;
        Terminal.Note($"measuring the time of a step of {method}");
        cost = StepCost.Measure(model.Config, Path.Combine(folder, "tuning", method, "measurement"), cancel);
        CsvFile.Write(path, ["method", "seconds_per_step"],
            [.. known.Append((Method: method, Seconds: cost)).Select(row => (object?[])[row.Method, row.Seconds])]);
        return cost;
    }
}
