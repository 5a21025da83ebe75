using System.CommandLine;
using System.CommandLine.Parsing;
using System.Numerics;
using Tinctor.Slides.Tissue;

namespace Tinctor.Cli.Commands;

/// <summary>Options of tissue detection.</summary>
internal static class TissueArguments
{
    private static readonly TissueOptions Defaults = new();

    // The members that are one colour each: not none, not all.
    private static readonly IEnumerable<string> Colours =
        Enum.GetValues<PenColours>().Where(pens => BitOperations.IsPow2((int)pens)).Select(pens => Words.Of(pens));

    private static readonly Option<double?> Density = new("--density")
    {
        Description = "Least optical density of tissue (fluorescence: log10 of brightness) "
            + FormattableString.Invariant($"[default: Otsu's, {Defaults.LeastDensity} to {Defaults.MostDensity}]"),
        HelpName = "OD",
    };

    private static readonly Option<double?> Saturation = new("--saturation")
    {
        Description = FormattableString.Invariant(
            $"Least saturation of tissue [default: Otsu's, {Defaults.LeastSaturation} to {Defaults.MostSaturation}]"),
        HelpName = "0-1",
    };

    private static readonly Option<double> Closing = new("--closing")
    {
        Description = "Gaps up to twice this width are closed",
        HelpName = "UM",
        DefaultValueFactory = _ => Defaults.Closing,
    };

    private static readonly Option<double> LargestHole = new("--largest-hole")
    {
        Description = "Holes up to this area are filled",
        HelpName = "UM2",
        DefaultValueFactory = _ => Defaults.LargestHole,
    };

    private static readonly Option<double> LeastPiece = new("--least-piece")
    {
        Description = "Smaller pieces are dropped",
        HelpName = "UM2",
        DefaultValueFactory = _ => Defaults.LeastPiece,
    };

    private static readonly Option<PenColours> Pens = new("--pens")
    {
        Description = $"Pen colours to leave out: {string.Join(", ", Colours)}; or all, none. Omit blue for blue stains",
        HelpName = "COLOUR,COLOUR",
        DefaultValueFactory = _ => Defaults.Pens,
        CustomParser = ParsePens,
    };

    private static readonly Option<bool> KeepFolds = new("--keep-folds") { Description = "Keep tissue folds; otherwise they are left out" };

    /// <summary>All options.</summary>
    public static IReadOnlyList<Option> All { get; } = [Density, Saturation, Closing, LargestHole, LeastPiece, Pens, KeepFolds];

    private static PenColours ParsePens(ArgumentResult result)
    {
        PenColours pens = PenColours.None;
        const StringSplitOptions split = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;
        foreach (string word in result.Tokens.SelectMany(token => token.Value.Split(',', split)))
        {
            if (Words.TryParse(typeof(PenColours), word, out object? pen)) pens |= (PenColours)pen!;
            else result.AddError(Words.Refusal("--pens", word, Words.Of(typeof(PenColours))));
        }
        return pens;
    }

    /// <summary>Gets the options of tissue detection from a command line.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    public static TissueOptions Of(ParseResult parse)
    {
        TissueOptions options = Defaults with
        {
            Density = parse.GetValue(Density),
            Saturation = parse.GetValue(Saturation),
            Closing = parse.GetValue(Closing),
            LargestHole = parse.GetValue(LargestHole),
            LeastPiece = parse.GetValue(LeastPiece),
            Pens = parse.GetValue(Pens),
            Folds = !parse.GetValue(KeepFolds),
        };
        options.Validate();
        return options;
    }
}
