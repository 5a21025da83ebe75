using System.Text;

namespace Tinctor.Cli.Migration;

/// <summary>Table of the flags of an official repository, as docs/migrating.md has it.</summary>
internal static class FlagTable
{
    /// <summary>Formats the flags of a repository as a table in Markdown.</summary>
    public static string Markdown(OfficialRepository repository)
    {
        var table = new StringBuilder("| flag | here |\n|---|---|\n");
        OfficialFlag[] flags = [.. repository.Flags, .. repository.Models.SelectMany(model => model.Flags)];
        foreach (IGrouping<string, OfficialFlag> group in flags.DistinctBy(flag => flag.Name).GroupBy(Equivalent))
            table.Append($"| {string.Join(", ", group.Select(Name))} | {group.Key} |\n");
        return table.ToString();
    }

    private static string Name(OfficialFlag flag) => string.Join(", ", flag.OlderNames.Prepend(flag.Name).Select(name => $"`--{name}`"));

    private static string Equivalent(OfficialFlag flag) => flag.Effect switch
    {
        FlagEffect.Option => flag.Ours,
        FlagEffect.None => $"no effect: {flag.Ours}",
        FlagEffect.Missing => $"not available: {flag.Ours}",
        _ => $"`{flag.Ours}`{Values(flag)}{(flag.OnlyWith is var (other, values) ? $", only with `--{other}` {Words.List(values)}" : "")}",
    };

    private static string Values(OfficialFlag flag)
    {
        if (flag.Values is null) return "";
        if (flag.Value == FlagValue.Switch && flag.Values.TryGetValue("True", out string? on)) return $": {on}";
        string[] different = [.. flag.Values.Where(pair => !pair.Key.Equals(pair.Value, StringComparison.OrdinalIgnoreCase))
            .Select(pair => $"{pair.Key} is {pair.Value}")];
        return different.Length == 0 ? "" : $": {string.Join("; ", different)}";
    }
}
