using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Tinctor.Cli;

/// <summary>Error line of a command line that cannot be parsed: the problem, and the command that shows the help.</summary>
internal static class ParseProblems
{
    /// <summary>Prints the first problem of a command line.</summary>
    /// <returns>The exit code.</returns>
    public static int Print(ParseResult parse)
    {
        var names = new List<string>();
        for (SymbolResult? result = parse.CommandResult; result is CommandResult command; result = result.Parent)
            names.Insert(0, HelpText.NameOf(command.Command));
        string problem = Errors.Sentence(OneLine(Describe(parse)));
        Terminal.Error.WriteLine($"error: {problem} See {string.Join(' ', names)} --help.");
        return 1;
    }

    /// <summary>An option that does not exist and was taken for an argument; null for none.</summary>
    public static string? UnknownOption(ParseResult parse) => parse.Tokens.Any(token => token.Type == TokenType.DoubleDash)
        || parse.Action is HelpText.Action ? null
        : parse.CommandResult.Command.Arguments.SelectMany(argument => parse.GetResult(argument)?.Tokens ?? [])
            .Select(token => token.Value).FirstOrDefault(value => value.StartsWith("--", StringComparison.Ordinal));

    private static string Describe(ParseResult parse)
    {
        if (UnknownOption(parse) is string option) return DescribeUnknown(parse, option);
        if (parse.CommandResult.Command.Options.Select(known => parse.GetResult(known)).FirstOrDefault(HasWrongValue) is { } wrong)
            return DescribeOption(wrong, "");
        if (parse.UnmatchedTokens is [string unknown, ..]) return DescribeUnknown(parse, unknown);
        if (parse.Errors.FirstOrDefault(error =>
            error.SymbolResult is OptionResult { IdentifierToken: not null }) is { SymbolResult: OptionResult given } problem)
            return DescribeOption(given, problem.Message);
        if (parse.Errors.FirstOrDefault(error =>
            error.SymbolResult is ArgumentResult { Tokens.Count: > 0 }) is { SymbolResult: ArgumentResult argument } other)
            return DescribeValue(argument.Argument.Name, argument.Argument.ValueType, argument.Tokens, other.Message);
        return Missing(parse) ?? parse.Errors[0].Message;
    }

    private static string DescribeOption(OptionResult result, string message)
    {
        Option option = result.Option;
        if (result.Tokens.Count < option.Arity.MinimumNumberOfValues)
            return $"{option.Name} needs a value: {option.Name} {HelpText.ValueOf(option)}";
        return DescribeValue(option.Name, option.ValueType, result.Tokens, message);
    }

    private static string DescribeValue(string name, Type type, IReadOnlyList<Token> tokens, string message)
    {
        Type item = ItemOf(type);
        if (type.IsArray && !item.IsEnum) return message;
        string? wrong = tokens.Select(token => token.Value).FirstOrDefault(value => !IsValid(value, item));
        if (wrong is null) return message;
        string expected = item.IsEnum ? Words.List(Words.Of(item)) : item == typeof(double) ? "a number" : "a whole number";
        return $"{name} {wrong}: expected {expected}";
    }

    // Conversions are lazy: a value may be wrong without an error of its own.
    private static bool HasWrongValue(OptionResult? result) =>
        result is { IdentifierToken: not null, Option.HelpName: not null }
            && (!result.Option.ValueType.IsArray || ItemOf(result.Option.ValueType).IsEnum)
        && result.Tokens.Any(token => !IsValid(token.Value, ItemOf(result.Option.ValueType)));

    private static Type ItemOf(Type type)
    {
        Type item = type.IsArray ? type.GetElementType()! : type;
        return Nullable.GetUnderlyingType(item) ?? item;
    }

    private static bool IsValid(string text, Type type) => type switch
    {
        { IsEnum: true } => type.IsDefined(typeof(FlagsAttribute), false) || Words.TryParse(type, text, out _),
        _ when type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _),
        _ when type == typeof(ulong) => ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out _),
        _ when type == typeof(double) => double.TryParse(text, CultureInfo.InvariantCulture, out _),
        _ => true,
    };

    private static string DescribeUnknown(ParseResult parse, string unknown)
    {
        Command command = parse.CommandResult.Command;
        bool isOption = unknown.StartsWith('-');
        string name = unknown.Split('=')[0];
        IEnumerable<string> known = isOption ? HelpText.OptionsOf(command).Select(option => option.Name)
            : command.Subcommands.Select(inner => inner.Name);
        string what = isOption ? $"there is no option '{name}'"
            : command.Subcommands.Count > 0 ? $"there is no command '{name}'" : $"'{name}' was not expected here";
        return what + (Spelling.Closest(name, known) is string meant ? $". Did you mean {meant}?" : "");
    }

    // Names all missing arguments at once.
    private static string? Missing(ParseResult parse)
    {
        Command command = parse.CommandResult.Command;
        if (command.Subcommands.Count > 0 && command.Action is null)
            return $"name a command: {Words.List(command.Subcommands.Select(inner => inner.Name))}";
        string[] missing =
        [
            .. command.Arguments.Where(argument => (parse.GetResult(argument)?.Tokens.Count ?? 0) < argument.Arity.MinimumNumberOfValues)
                .Select(argument => $"<{argument.Name}> ({LowerFirst(argument.Description)})"),
            .. command.Options.Where(option => option.Required && parse.GetResult(option) is null or { Implicit: true })
                .Select(option => $"{option.Name} {HelpText.ValueOf(option)} ({LowerFirst(option.Description)})"),
        ];
        return missing.Length == 0 ? null : $"missing: {string.Join(", ", missing)}";
    }

    private static string LowerFirst(string? text) => text is { Length: > 1 } && char.IsLower(text[1])
        ? char.ToLowerInvariant(text[0]) + text[1..] : text ?? "";

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
}
