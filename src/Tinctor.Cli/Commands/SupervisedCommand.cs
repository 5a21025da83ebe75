using System.CommandLine;

namespace Tinctor.Cli.Commands;

/// <summary>
/// What the commands that train a judge of images share: options that are short names of settings, <c>--set</c>, <c>--amp</c>, and
/// <c>--resume</c>, with which none of them goes.
/// </summary>
internal sealed class SupervisedCommand
{
    private readonly (Option<string?> Option, string Key)[] settings;
    private readonly string[] paths;

    private readonly Option<string> output = new("--out", "-o") { Description = "The run folder", HelpName = "RUN", Required = true };
    private readonly Option<string[]> set =
        new("--set") { Description = "Override any other setting, as in data.stain_jitter=0; may be given often", HelpName = "KEY=VALUE" };
    private readonly Option<bool> amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private readonly Option<int> threads = Threads.Option();
    private readonly Option<bool> resume = new("--resume") { Description = "Go on with the run in --out; needs no other option" };

    /// <param name="settings">Option, name of its value, key of the setting (which says what is allowed), description.</param>
    /// <param name="paths">Keys of settings that are paths.</param>
    public SupervisedCommand(IEnumerable<(string Name, string Value, string Key, string Description)> settings, params string[] paths)
    {
        this.settings =
            [.. settings.Select(s => (new Option<string?>(s.Name) { Description = s.Description, HelpName = s.Value }, s.Key))];
        this.paths = paths;
    }

    /// <summary>Makes the command.</summary>
    /// <param name="name">Its name under train.</param>
    /// <param name="description">Its help.</param>
    /// <param name="run">Trains in the run folder, with overrides of settings or, where they are null, going on; gives the exit code.</param>
    public Command Create(string name, string description, Func<string, IReadOnlyList<string>?, CancellationToken, int> run)
    {
        var command = new Command(name, description) { output, set, amp, threads, resume };
        foreach ((Option<string?> option, _) in settings) command.Add(option);
        command.Validators.Add(result =>
        {
            // Silently ignored settings would be worse.
            IEnumerable<Option> given = [.. settings.Select(setting => setting.Option), set, amp];
            if (result.GetValue(resume) && given.FirstOrDefault(option => result.GetResult(option) is { Implicit: false }) is { } ignored)
                result.AddError($"{ignored.Name} does not go with --resume: "
                    + "a run goes on with the settings in its config.yaml, which can be edited.");
        });
        command.SetAction((parse, cancel) => Task.Run(() =>
        {
            Threads.Use(parse.GetValue(threads));
            return run(parse.GetRequiredValue(output), parse.GetValue(resume) ? null : [.. Overrides(parse)], cancel);
        }));
        return command;
    }

    // --set has the last word.
    private IEnumerable<string> Overrides(ParseResult parse)
    {
        foreach ((Option<string?> option, string key) in settings)
            if (parse.GetValue(option) is string value)
                yield return $"{key}={(paths.Contains(key) ? Path.GetFullPath(value) : value)}";
        if (parse.GetValue(amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(set) ?? []) yield return setting;
    }
}
