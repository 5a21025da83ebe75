using System.CommandLine;
using Tinctor.Cli.Startup;

namespace Tinctor.Cli.Tests;

public sealed partial class HelpTests
{
    private const int LongestLine = 140;

    public static TheoryData<string> Commands => [.. Walk(CommandLineApp.Root, "")];

    [Theory]
    [MemberData(nameof(Commands))]
    public void Help_has_examples_and_one_short_line_per_option(string command)
    {
        string help = Help(command);
        Assert.Contains($"tinctor {command}", help);
        if (Find(command).Action is not null)
            Assert.Contains($"tinctor {command} ", help[help.IndexOf("Examples:", StringComparison.Ordinal)..]);
        Assert.All(help.Split('\n'), line => Assert.True(line.Length <= LongestLine, line));
        // No list of the names of an enum, and no type.
        Assert.DoesNotMatch(@"default: [^\]]*\|", help);
        Assert.DoesNotMatch(@"System\.|Tinctor\.|\[\]|Nullable", help);
        Assert.DoesNotContain("\u001b", help);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Options_have_description_and_unit(string command) =>
        Assert.All(HelpText.OptionsOf(Find(command)), option =>
        {
            Assert.Matches("^[A-Za-z-]", option.Description);
            Assert.DoesNotContain('\n', option.Description!);
            Assert.False(option.Description!.EndsWith('.'), $"{option.Name}: {option.Description}");
            Assert.True(option.ValueType == typeof(bool) || option.Arity.MaximumNumberOfValues == 0
                || option.HelpName is not null, $"{option.Name} of {command} has no unit");
        });

    [Theory]
    [MemberData(nameof(Commands))]
    public void Descriptions_are_sentences(string command) =>
        Assert.Matches(@"\.(\s*Examples:[\s\S]*)?$", Find(command).Description!.Trim());

    [Theory]
    [MemberData(nameof(Commands))]
    public void Commands_with_many_options_group_them(string command)
    {
        Command found = Find(command);
        if (found.Options.Count > 12) Assert.IsType<GroupedCommand>(found);
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Invalid_values_are_refused_without_type_names(string command)
    {
        foreach (Option option in Find(command)
            .Options.Where(option => option.ValueType != typeof(string) && option.ValueType != typeof(string[])
                && option.ValueType != typeof(bool)))
        {
            ParseResult parse = CommandLineApp.Root.Parse([.. command.Split(' '), option.Name, "§"]);
            Assert.NotEmpty(parse.Errors);
            string line = CommandLine.RunInProcess([.. command.Split(' '), option.Name, "§"]).OneError();
            Assert.Contains(option.Name, line);
            Assert.DoesNotMatch(@"System\.|Tinctor\.|as expected type", line);
        }
    }

    [Fact]
    public void Options_of_one_name_have_one_description()
    {
        string[] names = ["--output", "--overwrite", "--slide-mpp", "--threads", "--amp"];
        foreach (string name in names)
        {
            Option[] same = [.. Walk(CommandLineApp.Root, "").SelectMany(command => Find(command).Options)
                .Where(option => option.Name == name).Distinct()];
            Assert.True(same.Length > 1);
            if (name == "--output") Assert.All(same, option => Assert.Contains("-o", option.Aliases));
            else if (name != "--overwrite" && name != "--threads") Assert.Single(same.Select(option => option.Description).Distinct());
        }
        string[] former = ["--out", "--mpp", "--tile", "--crop", "--lr", "--evaluations", "--repeats", "--model-mpp", "--ramp"];
        // The size of an exported network is no tile size of slides.
        Assert.All(Walk(CommandLineApp.Root, "").Except(["export"]).SelectMany(command => Find(command).Options), option =>
        {
            Assert.DoesNotContain(option.Name, former);
            Assert.Empty(option.Aliases.Intersect(former));
        });
    }

    [Fact]
    public void Options_that_replace_results_are_called_overwrite()
    {
        string[] paths = [.. Walk(CommandLineApp.Root, "")];
        Assert.Contains("register", paths);
        foreach (Option option in paths.SelectMany(path => Find(path).Options))
        {
            Assert.NotEqual("--force", option.Name);
            if (option.Description?.StartsWith("Replace ", StringComparison.Ordinal) == true) Assert.Equal("--overwrite", option.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Former))]
    public void Former_option_names_work_with_a_note(string command, string old, string name)
    {
        using StringWriter output = new(), error = new();
        using IDisposable use = Terminal.ForText(output, error).Use();
        string[] translated = RenamedOptions.Translate(CommandLineApp.Root, [.. command.Split(' '), old, "1", $"{old}=2"]);
        Assert.Equal([.. command.Split(' '), name, "1", $"{name}=2"], translated);
        Assert.Equal($"note: {old} is now called {name}; the former name will be removed in the next release.\n", error.ToString());
        Assert.Contains(Find(command).Options, option => option.Name == name);
    }

    public static TheoryData<string, string, string> Former()
    {
        var data = new TheoryData<string, string, string>();
        foreach ((string command, string old, string name) in RenamedOptions.Names)
        {
            string[] commands = command.Length > 0 ? [command]
                : [.. Walk(CommandLineApp.Root, "").Where(path => Find(path).Options.Any(option => option.Name == name)
                    && !RenamedOptions.Names.Any(other => other.Command == path && other.Old == old))];
            foreach (string path in commands) data.Add(path, old, name);
        }
        return data;
    }

    private static string Help(string command) =>
        CommandLine.RunInProcess([.. command.Split(' '), "--help"]) is { Code: 0, Messages: "" } outcome ? outcome.Out
        : throw new InvalidOperationException(command);

    private static Command Find(string path) =>
        path.Split(' ').Aggregate((Command)CommandLineApp.Root, (command, name) => command.Subcommands.Single(inner => inner.Name == name));

    private static IEnumerable<string> Walk(Command command, string prefix) =>
        command.Subcommands.SelectMany(inner => Walk(inner, $"{prefix}{inner.Name} ").Prepend(prefix + inner.Name));
}
