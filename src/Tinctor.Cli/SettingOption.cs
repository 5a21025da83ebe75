using System.CommandLine;
using System.CommandLine.Completions;
using Tinctor.Training.Configuration;

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

    /// <summary>Selects a method's settings of an option: those without METHOD: first, then those with its name.</summary>
    /// <param name="method">Name of the method.</param>
    /// <param name="option">Option with values of the form [METHOD:]KEY=VALUE.</param>
    /// <param name="parse">The command line.</param>
    /// <exception cref="TinctorException">A setting names an unknown method.</exception>
    public static IEnumerable<string> Of(string method, Option<string[]> option, ParseResult parse)
    {
        (string Method, string Setting)[] settings = [.. (parse.GetValue(option) ?? []).Select(Split)];
        if (settings.FirstOrDefault(setting => setting.Method.Length > 0
            && !RunConfig.Methods.ContainsKey(setting.Method)) is { Method: string name })
            throw new TinctorException(
                $"{option.Name} {name}: there is no such method. The methods are {string.Join(", ", RunConfig.Methods.Keys)}");
        return settings.Where(setting => setting.Method.Length == 0).Concat(settings.Where(setting => setting.Method == method))
            .Select(setting => setting.Setting);
    }

    private static (string Method, string Setting) Split(string text)
    {
        int colon = text.IndexOf(':'), equals = text.IndexOf('=');
        return colon > 0 && colon < equals ? (text[..colon], text[(colon + 1)..]) : ("", text);
    }

    private static IEnumerable<CompletionItem> Keys(CompletionContext context)
    {
        string? name = context.ParseResult.Tokens.Select(token => token.Value).FirstOrDefault(SettingsCatalog.Names.Contains);
        return SettingsCatalog.List(name ?? SettingsCatalog.Names[0]).Select(setting => new CompletionItem($"{setting.Key}="));
    }
}
