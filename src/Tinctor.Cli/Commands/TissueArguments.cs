using System.CommandLine;
using Tinctor.Slides.Tissue;

namespace Tinctor.Cli.Commands;

/// <summary>Options of what counts as tissue, for the commands that look for it.</summary>
internal static class TissueArguments
{
    private static readonly TissueOptions Defaults = new();

    private static readonly Option<double?> Density = new("--density")
    {
        Description = "Optical density above the glass from which a pixel is tissue (fluorescence: decimal logarithm of its brightness). "
            + $"Default: Otsu's threshold, {Defaults.LeastDensity} to {Defaults.MostDensity}",
        HelpName = "OD",
    };

    private static readonly Option<double?> Saturation = new("--saturation")
    {
        Description = $"Saturation from which a pixel is tissue, however pale. Default: Otsu's, {Defaults.LeastSaturation} to {Defaults.MostSaturation}",
        HelpName = "0-1",
    };

    private static readonly Option<double> Closing = new("--closing")
    {
        Description = "Half the width of gaps that are closed",
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
        Description = "Inks that are no tissue: blue,green,black, some of them, or none (alcian blue, aniline blue: leave out blue)",
        HelpName = "INKS",
        DefaultValueFactory = _ => Defaults.Pens,
    };

    private static readonly Option<bool> KeepFolds = new("--keep-folds") { Description = "Folds are tissue as any other" };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } = [Density, Saturation, Closing, LargestHole, LeastPiece, Pens, KeepFolds];

    /// <summary>What was asked for.</summary>
    /// <exception cref="TinctorException">Values out of range.</exception>
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
        try
        {
            options.Validate();
        }
        catch (ArgumentException error)
        {
            throw new TinctorException(error.Message, error);
        }
        return options;
    }
}
