using System.CommandLine;

namespace Tinctor.Cli.Studies;

/// <summary>Runs a study from the measurement of its budget to its table; every part resumes.</summary>
internal static class StudyRunner
{
    /// <summary>Runs a study.</summary>
    /// <param name="parse">Command line with the options of <see cref="StudyOptions"/>.</param>
    /// <param name="study">The study.</param>
    /// <param name="subject">Subject of the study, for captions.</param>
    /// <param name="evaluation">Further options of the evaluation; null to train and stain only.</param>
    /// <param name="cancel">Stops the study.</param>
    /// <returns>Exit code.</returns>
    public static async Task<int> Run(ParseResult parse, Study study, string subject, string[]? evaluation, CancellationToken cancel)
    {
        Study settled = await Settle(parse, study, cancel);
        ulong[] seeds = parse.GetRequiredValue(StudyOptions.Seeds);
        IReadOnlyCollection<string> failed = await RunJobs(parse, settled, [.. seeds.SelectMany(seed =>
            settled.Jobs(seed, StudyOptions.OfTraining(parse), StudyOptions.OfStaining(parse)))], cancel);
        int code = failed.Count == 0 ? 0 : 1;
        ulong[] stained = [.. seeds.Where(seed => settled.Finished(seed, failed).Any())];
        if (evaluation is null || stained.Length == 0) return code;
        if (failed.Count > 0) Terminal.Note($"without results: {string.Join(", ", failed.Order())}; the same command tries them again");
        int evaluated = await CommandSteps.Run(parse,
            [.. stained.Select(seed => settled.Evaluation(seed, failed, [.. evaluation, "--title", $"{subject}, seed {seed}"]))], cancel);
        if (evaluated != 0) return evaluated;
        settled.Conclude(stained, failed, subject);
        return code;
    }

    // Sets lengths and learning rates.
    private static async Task<Study> Settle(ParseResult parse, Study study, CancellationToken cancel)
    {
        if (parse.GetValue(StudyOptions.Budget) is { } budget)
            study = StepBudget.Apply(study, budget, StudyOptions.ThreadsOfJob(parse), cancel);
        double[] rates = parse.GetValue(StudyOptions.TuneLr) ?? [];
        if (rates.Length == 0) return study;
        var tuning = new LearningRateTuning(study, rates, parse.GetValue(StudyOptions.TuneShare),
            parse.GetRequiredValue(StudyOptions.Seeds)[0]);
        // High rates may diverge.
        await ParallelJobs.Run([.. tuning.Jobs(StudyOptions.OfTraining(parse))], parse.GetValue(StudyOptions.JobCount), Logs(study),
            Terminal.Warning, cancel);
        return tuning.Apply();
    }

    private static Task<IReadOnlyCollection<string>> RunJobs(ParseResult parse, Study study, StudyJob[] jobs, CancellationToken cancel)
    {
        int most = parse.GetValue(StudyOptions.JobCount);
        return most > 1 ? ParallelJobs.Run(jobs, most, Logs(study), Terminal.Problem, cancel) : RunInTurn(parse, jobs, cancel);
    }

    // A failed job, such as a training that diverged, does not stop the others.
    private static async Task<IReadOnlyCollection<string>> RunInTurn(ParseResult parse, StudyJob[] jobs, CancellationToken cancel)
    {
        var failed = new List<string>();
        foreach (StudyJob job in jobs)
        {
            int code;
            try
            {
                code = await CommandSteps.Run(parse, job.Steps, cancel);
            }
            catch (Exception e) when (!Errors.IsCancellation(e))
            {
                Terminal.Problem($"{job.Name}: {Errors.Text(e)}");
                code = 1;
            }
            if (code is Errors.Cancelled or Errors.Terminated) throw new OperationCanceledException(cancel);
            if (code != 0) failed.Add(job.Name);
        }
        return failed;
    }

    private static string Logs(Study study) => Path.Combine(study.Folder, "logs");
}
