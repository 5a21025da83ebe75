using System.CommandLine;
using Tinctor.Cli.Ranks;

namespace Tinctor.Cli.Commands;

/// <summary>
/// Base of the commands that train classifiers, segmenters and encoders: options that are short names of settings, <c>--set</c>,
/// <c>--amp</c>, and <c>--resume</c>, which excludes the others.
/// </summary>
internal sealed class SupervisedCommand
{
    private readonly (Option<string?> Option, string Key)[] settings;
    private readonly string[] paths;

    private readonly Option<string> output = new("--output", "-o") { Description = "Run folder", HelpName = "DIR", Required = true };
    private readonly Option<string[]> set = SettingOption.Create("Change another setting, as in data.stain_jitter=0; may be repeated");
    private readonly Option<bool> amp = CommonOptions.Amp();
    private readonly Option<int> threads = Threads.Option();
    private readonly TrainingRanks ranks = new();
    private readonly Option<bool> resume = new("--resume") { Description = "Resume the run in the output folder with its own settings" };

    /// <param name="settings">Option, name of its value, key of the setting (which states the range), description.</param>
    /// <param name="paths">Keys of settings that are paths.</param>
    public SupervisedCommand(IEnumerable<(string Name, string Value, string Key, string Description)> settings, params string[] paths)
    {
        this.settings =
            [.. settings.Select(s => (new Option<string?>(s.Name) { Description = s.Description, HelpName = s.Value }, s.Key))];
        this.paths = paths;
    }

    /// <summary>Creates the command.</summary>
    /// <param name="name">Name of the command under train.</param>
    /// <param name="description">Help text.</param>
    /// <param name="run">Trains in the run folder with the given settings, or resumes if they are null; returns the exit code.</param>
    public Command Create(string name, string description, Func<string, IReadOnlyList<string>?, CancellationToken, int> run)
    {
        bool IsComputation((Option Option, string Key) setting) => setting.Key == "training.device";
        bool IsInput((Option Option, string Key) setting) => paths.Contains(setting.Key)
            || setting.Key is "data.slide_pattern" or "data.fold" or "data.folds";
        var command = new GroupedCommand(name, description)
        {
            { "Input", settings.Where(setting => IsInput(setting)).Select(setting => setting.Option) },
            { "Output", output, resume },
            { "Settings", [.. settings.Where(setting => !IsInput(setting) && !IsComputation(setting)).Select(setting => setting.Option),
                set] },
            { "Computation", [.. settings.Where(setting => IsComputation(setting)).Select(setting => setting.Option), amp, threads,
                .. ranks.Options] },
        };
        command.Validators.Add(result =>
        {
            // Settings must not be ignored silently.
            IEnumerable<Option> given = [.. settings.Select(setting => setting.Option), set, amp];
            if (result.GetValue(resume) && given.FirstOrDefault(option => result.GetResult(option) is { Implicit: false }) is { } ignored)
                result.AddError($"{ignored.Name} does not go with --resume: "
                    + "a run resumes with the settings in its config.yaml, which can be edited");
        });
        command.SetAction((parse, cancel) => Task.Run(() =>
        {
            string folder = parse.GetRequiredValue(output);
            return ranks.Run(parse, parse.GetValue(threads),
                () => run(folder, parse.GetValue(resume) ? null : [.. Overrides(parse)], cancel), cancel);
        }));
        return command;
    }

    // --set overrides options.
    private IEnumerable<string> Overrides(ParseResult parse)
    {
        foreach ((Option<string?> option, string key) in settings)
            if (parse.GetValue(option) is string value)
                yield return $"{key}={(paths.Contains(key) ? Path.GetFullPath(value) : value)}";
        if (parse.GetValue(amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(set) ?? []) yield return setting;
    }
}
