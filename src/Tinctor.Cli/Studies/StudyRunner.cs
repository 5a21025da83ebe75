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
        int code = await RunJobs(parse, settled, [.. seeds.SelectMany(seed =>
            settled.Jobs(seed, StudyOptions.OfTraining(parse), StudyOptions.OfStaining(parse)))], cancel);
        if (code != 0 || evaluation is null) return code;
        code = await CommandSteps.Run(parse,
            [.. seeds.Select(seed => settled.Evaluation(seed, [.. evaluation, "--title", $"{subject}, seed {seed}"]))], cancel);
        if (code == 0) settled.Conclude(seeds, subject);
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
        await ParallelJobs.Run([.. tuning.Jobs(StudyOptions.OfTraining(parse))], parse.GetValue(StudyOptions.JobCount), Logs(study),
            cancel);
        return tuning.Apply();
    }

    private static Task<int> RunJobs(ParseResult parse, Study study, StudyJob[] jobs, CancellationToken cancel)
    {
        int most = parse.GetValue(StudyOptions.JobCount);
        return most > 1 ? ParallelJobs.Run(jobs, most, Logs(study), cancel)
            : CommandSteps.Run(parse, [.. jobs.SelectMany(job => job.Steps)], cancel);
    }

    private static string Logs(Study study) => Path.Combine(study.Folder, "logs");
}
