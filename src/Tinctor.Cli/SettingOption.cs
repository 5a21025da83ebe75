using System.CommandLine;
using System.CommandLine.Completions;

namespace Tinctor.Cli;

/// <summary>The --set option, which completes the keys of settings.</summary>
internal static class SettingOption
{
    /// <summary>Creates --set.</summary>
    /// <param name="description">Help.</param>
    /// <param name="unit">Form of the value.</param>
    public static Option<string[]> Create(string description, string unit = "KEY=VALUE")
    {
        var option = new Option<string[]>("--set") { Description = description, HelpName = unit };
        option.CompletionSources.Add(Keys);
        return option;
    }

    private static IEnumerable<CompletionItem> Keys(CompletionContext context)
    {
        string? name = context.ParseResult.Tokens.Select(token => token.Value).FirstOrDefault(SettingsCatalog.Names.Contains);
        return SettingsCatalog.List(name ?? SettingsCatalog.Names[0]).Select(setting => new CompletionItem($"{setting.Key}="));
    }
}
