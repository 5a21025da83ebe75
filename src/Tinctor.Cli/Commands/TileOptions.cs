using System.CommandLine;
using Tinctor.Registration.Pairs;

namespace Tinctor.Cli.Commands;

/// <summary>Options of <c>tinctor pair</c> and <c>tinctor prepare</c>, which cut aligned tiles.</summary>
internal sealed class TileOptions
{
    public readonly Option<int?> Stride =
        new("--stride") { Description = "Distance between tiles [default: tile size]", HelpName = "PX" };
    public readonly Option<double> MinTissue = new("--min-tissue")
    {
        Description = "Least share of tissue of a tile, in source and target",
        HelpName = "SHARE",
        DefaultValueFactory = _ => new TilingOptions().MinTissue,
    };
    public readonly Option<double> MinNcc = new("--min-ncc")
    {
        Description = "Least normalised cross-correlation of a tile",
        HelpName = "NCC",
        DefaultValueFactory = _ => new TilingOptions().MinNcc,
    };
    public readonly Option<double> MaxResidual = new("--max-residual")
    {
        Description = "Largest remaining shift of a tile",
        HelpName = "PX",
        DefaultValueFactory = _ => new TilingOptions().MaxResidual,
    };

    /// <summary>Gets the tiling of a command line, without the size of the tiles.</summary>
    public TilingOptions Read(ParseResult parse) => new()
    {
        Stride = parse.GetValue(Stride),
        MinTissue = parse.GetValue(MinTissue),
        MinNcc = parse.GetValue(MinNcc),
        MaxResidual = parse.GetValue(MaxResidual),
    };
}
