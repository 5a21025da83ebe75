using System.CommandLine;
using System.Globalization;

namespace Tinctor.Cli;

/// <summary>What commands that run a <see cref="Study"/> share.</summary>
internal static class StudyOptions
{
    /// <summary>One training each.</summary>
    public static Option<ulong[]> Seeds() => new("--seeds")
    {
        Description = "One training each, as in 0,1,2",
        HelpName = "N,N",
        DefaultValueFactory = _ => [0],
        CustomParser = result => [.. Items(result.Tokens.Select(token => token.Value)).Select(item =>
        {
            if (!ulong.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
                result.AddError($"--seeds {item}: write whole numbers, as in 0,1,2");
            return seed;
        })],
    };

    /// <summary>Names, or what else is listed with commas.</summary>
    public static IEnumerable<string> Items(IEnumerable<string> values) =>
        values.SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
}
