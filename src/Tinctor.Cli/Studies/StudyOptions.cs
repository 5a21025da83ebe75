using System.CommandLine;
using System.Globalization;

namespace Tinctor.Cli.Studies;

/// <summary>Options common to the commands that run a <see cref="Study"/>.</summary>
internal static class StudyOptions
{
    private static readonly double[] DefaultRates = [5e-5, 2e-4, 8e-4, 3.2e-3];

    /// <summary>Data set of the pairs.</summary>
    public static Option<string> Data { get; } =
        new("--data") { Description = "Folder or manifest of pairs with a test split", HelpName = "DIR", Required = true };

    /// <summary>Random seeds, one training each.</summary>
    public static Option<ulong[]> Seeds { get; } = new("--seeds")
    {
        Description = "Random seeds; one training per seed, as in 0,1,2",
        HelpName = "N,N",
        DefaultValueFactory = _ => [0],
        CustomParser = result => [.. CommonOptions.Items(result).Select(item =>
        {
            if (!ulong.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
                result.AddError($"--seeds {item}: expected whole numbers, as in 0,1,2");
            return seed;
        })],
    };

    /// <summary>Number of steps of each training.</summary>
    public static Option<int?> Steps { get; } = new("--steps") { Description = "Number of training steps of each model", HelpName = "N" };

    /// <summary>Length of each training.</summary>
    public static Option<TrainingBudget?> Budget { get; } = new("--budget")
    {
        Description = "Length of each training: 3000-steps, or processor time as in 20m or 2h (elapsed time on a GPU)",
        HelpName = "TIME|N-steps",
        CustomParser = result =>
        {
            TrainingBudget? budget = TrainingBudget.Parse(result.Tokens[0].Value);
            if (budget is null) result.AddError($"--budget {result.Tokens[0].Value}: expected a length such as 3000-steps, 90s, 20m or 2h");
            return budget;
        },
    };

    /// <summary>Learning rates to try; empty for none.</summary>
    public static Option<double[]?> TuneLr { get; } = new("--tune-lr")
    {
        Description = "Choose each method's learning rate by validation [without rates: 5e-5,2e-4,8e-4,3.2e-3]",
        HelpName = "LR,LR",
        Arity = new ArgumentArity(0, 100),
        CustomParser = result => result.Tokens.Count == 0 ? DefaultRates : [.. CommonOptions.Items(result).Select(item =>
        {
            if (!double.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) || rate is not (> 0 and < 1))
                result.AddError($"--tune-lr {item}: expected learning rates between 0 and 1, as in 1e-4,1e-3");
            return rate;
        })],
    };

    /// <summary>Length of a trial of <see cref="TuneLr"/>, relative to a training.</summary>
    public static Option<double> TuneShare { get; } = new("--tune-share")
    {
        Description = "Length of each trial of --tune-lr, relative to a training",
        HelpName = "SHARE",
        DefaultValueFactory = _ => 0.25,
        CustomParser = result =>
        {
            if (!double.TryParse(result.Tokens[0].Value, NumberStyles.Float, CultureInfo.InvariantCulture, out double share)
                || share is not (> 0 and <= 1))
                result.AddError($"--tune-share {result.Tokens[0].Value}: expected a number above 0 and up to 1");
            return share;
        },
    };

    /// <summary>Number of trainings at the same time.</summary>
    public static Option<int> JobCount { get; } = new("--jobs")
    {
        Description = "Number of trainings at the same time, each with a log file",
        HelpName = "N",
        DefaultValueFactory = _ => 1,
        CustomParser = result =>
        {
            string text = result.Tokens[0].Value;
            if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int jobs) || jobs is < 1 or > 256)
                result.AddError($"--jobs {text}: expected a whole number from 1 to 256");
            return jobs;
        },
    };

    private static readonly Option<string?> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto [default: auto]", HelpName = "DEVICE" };
    private static readonly Option<bool> Amp = CommonOptions.Amp();
    private static readonly Option<int> ThreadCount = Threads.Option();

    /// <summary>Device and threads.</summary>
    public static IReadOnlyList<Option> Computation { get; } = [Device, Amp, ThreadCount, JobCount];

    /// <summary>Length of the trainings, seeds and learning rates.</summary>
    public static IReadOnlyList<Option> Training { get; } = [Steps, Budget, Seeds, TuneLr, TuneShare];

    /// <summary>Gets the options as settings of a run.</summary>
    /// <param name="parse">The command line.</param>
    /// <param name="data">Data set of the pairs.</param>
    public static IEnumerable<string> Overrides(ParseResult parse, string data)
    {
        yield return $"data.path={Path.GetFullPath(data)}";
        if (parse.GetValue(Steps) is int steps)
        {
            if (parse.GetValue(Budget) is not null)
                throw new TinctorException("--steps and --budget both set the length of the trainings. Use one of them");
            yield return $"training.steps={steps}";
        }
        if (parse.GetValue(Device) is string device) yield return $"training.device={device}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
    }

    /// <summary>Number of threads of each job; 0 for the default.</summary>
    public static int ThreadsOfJob(ParseResult parse)
    {
        int threads = parse.GetValue(ThreadCount), jobs = parse.GetValue(JobCount);
        return threads > 0 || jobs == 1 ? threads : Math.Max(1, Environment.ProcessorCount / jobs);
    }

    /// <summary>Options of each training.</summary>
    public static string[] OfTraining(ParseResult parse) =>
        ThreadsOfJob(parse) is > 0 and int threads ? ["--threads", $"{threads}"] : [];

    /// <summary>Options of each staining.</summary>
    public static string[] OfStaining(ParseResult parse) =>
        parse.GetValue(Device) is string device ? ["--device", device, .. OfTraining(parse)] : OfTraining(parse);
}
