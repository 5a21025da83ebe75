using System.CommandLine;
using System.CommandLine.Parsing;

namespace Tinctor.Cli;

/// <summary>Options and arguments with a fixed set of words. Enum values are written with hyphens.</summary>
internal static class Words
{
    /// <summary>Gets the words of an enum: mutual-information for MutualInformation.</summary>
    public static IReadOnlyList<string> Of(Type type) => [.. Enum.GetNames(type).Select(Errors.Kebab)];

    /// <summary>Gets the word of an enum value.</summary>
    public static string Of(Enum value) => Errors.Kebab(value.ToString());

    /// <summary>Formats a flag as "yes" or "no".</summary>
    public static string YesNo(bool value) => value ? "yes" : "no";

    /// <summary>Formats a list as "rigid, affine or nonrigid".</summary>
    public static string List(IEnumerable<string> words)
    {
        string[] all = [.. words];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} or {all[^1]}";
    }

    /// <summary>Creates an option with an enum as its value.</summary>
    /// <param name="name">Name with its hyphens.</param>
    /// <param name="description">Help.</param>
    /// <param name="value">Default.</param>
    public static Option<T> Option<T>(string name, string description, T value) where T : struct, Enum
    {
        var option = new Option<T>(name)
        {
            Description = description,
            HelpName = string.Join('|', Of(typeof(T))),
            DefaultValueFactory = _ => value,
            CustomParser = result => Parse<T>(name, result),
        };
        option.CompletionSources.Add([.. Of(typeof(T))]);
        return option;
    }

    /// <summary>Creates an option with an enum as its value, or none.</summary>
    /// <param name="name">Name with its hyphens.</param>
    /// <param name="description">Help; states the default.</param>
    /// <param name="among">Allowed values; all if empty.</param>
    public static Option<T?> Optional<T>(string name, string description, params T[] among) where T : struct, Enum
    {
        string[] words = among.Length == 0 ? [.. Of(typeof(T))] : [.. among.Select(value => Of(value))];
        var option = new Option<T?>(name)
        {
            Description = description,
            HelpName = string.Join('|', words),
            CustomParser = result => Parse<T>(name, result, words),
        };
        option.CompletionSources.Add(words);
        return option;
    }

    /// <summary>Restricts an option to a set of words.</summary>
    public static Option<T> Among<T>(this Option<T> option, params string[] words)
    {
        option.HelpName ??= string.Join('|', words);
        option.CompletionSources.Add(words);
        option.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !words.Contains(token.Value)) is { } wrong)
                result.AddError(Refusal(option.Name, wrong.Value, words));
        });
        return option;
    }

    /// <summary>Restricts an argument to a set of words.</summary>
    public static Argument<T> Among<T>(this Argument<T> argument, params string[] words)
    {
        argument.CompletionSources.Add(words);
        argument.Validators.Add(result =>
        {
            if (result.Tokens.FirstOrDefault(token => !words.Contains(token.Value)) is { } wrong)
                result.AddError(Refusal(argument.Name, wrong.Value, words));
        });
        return argument;
    }

    /// <summary>Reads a word of an enum; the C# name is accepted as well.</summary>
    public static bool TryParse(Type type, string text, out object? value)
    {
        string plain = text.Replace("-", "");
        string? name = Enum.GetNames(type).FirstOrDefault(name => name.Equals(plain, StringComparison.OrdinalIgnoreCase));
        value = name is null ? null : Enum.Parse(type, name);
        return name is not null;
    }

    /// <summary>Formats the problem of a word that is not allowed.</summary>
    public static string Refusal(string name, string word, IReadOnlyList<string> words) =>
        $"{name} {word}: expected {List(words)}" + (Spelling.Closest(word, words) is string meant ? $". Did you mean {meant}?" : "");

    private static T Parse<T>(string name, ArgumentResult result, IReadOnlyList<string>? words = null) where T : struct, Enum
    {
        string text = result.Tokens[^1].Value;
        if (TryParse(typeof(T), text, out object? value) && words?.Contains(Of((T)value!)) != false) return (T)value!;
        result.AddError(Refusal(name, text, words ?? Of(typeof(T))));
        return default;
    }
}
