using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;
using Tinctor.Evaluation.Report;

namespace Tinctor.Cli;

/// <summary>Options that several commands have, with one name and one meaning.</summary>
internal static class CommonOptions
{
    private const double LargestNumber = 1e6;
    private const string NoViewer = "none";

    /// <summary>Address of the viewer that pages link to.</summary>
    public static readonly Option<string> Viewer = CreateViewer();

    /// <summary>Creates -o, --output.</summary>
    /// <param name="description">Description of the output.</param>
    /// <param name="unit">DIR or FILE.</param>
    public static Option<string> Output(string description, string unit = "DIR") =>
        new("--output", "-o") { Description = description, HelpName = unit, Required = true };

    /// <summary>Creates --overwrite.</summary>
    public static Option<bool> Overwrite(string description = "Replace existing results; otherwise they are kept") =>
        new("--overwrite") { Description = description };

    /// <summary>Creates --slide-mpp.</summary>
    public static Option<double?> SlideMpp() =>
        Above0("--slide-mpp", "Pixel size of the input in micrometres, if its metadata is missing or wrong");

    /// <summary>Creates --slide-pattern.</summary>
    public static Option<string?> SlidePattern(
        string description = "Regular expression that finds the slide in a file name: its first group, or the match") =>
        new("--slide-pattern") { Description = description, HelpName = "REGEX" };

    /// <summary>Creates --device.</summary>
    public static Option<string> Device() =>
        new("--device")
        {
            Description = "auto, cpu, cuda or cuda:N; for ONNX Runtime also dml and coreml",
            HelpName = "DEVICE",
            DefaultValueFactory = _ => "auto"
        };

    /// <summary>Creates --amp.</summary>
    public static Option<bool> Amp() => new("--amp") { Description = "Compute in bfloat16 where it is safe (automatic mixed precision)" };

    /// <summary>Creates an option for names that are separated by commas; empty by default.</summary>
    public static Option<string[]> Names(string name, string description, string unit) => new(name)
    {
        Description = description,
        HelpName = $"{unit},{unit}",
        DefaultValueFactory = _ => [],
        CustomParser = result => [.. Items(result)],
    };

    /// <summary>Splits a comma-separated list.</summary>
    public static IEnumerable<string> Items(ArgumentResult result) => result.Tokens
        .SelectMany(token => token.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>Creates an option for a positive number, such as a pixel size.</summary>
    public static Option<double?> Above0(string name, string description, string unit = "UM")
    {
        var option = new Option<double?>(name) { Description = description, HelpName = unit };
        option.Validators.Add(result =>
        {
            if (double.TryParse(result.Tokens[^1].Value, CultureInfo.InvariantCulture, out double value)
                && value is not (> 0 and < LargestNumber))
                result.AddError($"{name} {result.Tokens[^1].Value}: expected a number above 0");
        });
        return option;
    }

    /// <summary>Restricts an option to a range.</summary>
    public static Option<T> Between<T>(this Option<T> option, T least, T most) where T : INumber<T>
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && T.TryParse(result.Tokens[^1].Value, CultureInfo.InvariantCulture, out T? value)
                && !(value >= least && value <= most))
                result.AddError(string.Create(CultureInfo.InvariantCulture, $"{option.Name} {value}: expected {least} to {most}"));
        });
        return option;
    }

    /// <summary>Gets the address of the viewer that pages link to; null for no links.</summary>
    public static string? ViewerOf(ParseResult parse) => parse.GetValue(Viewer) is { } address && address != NoViewer ? address : null;

    private static Option<string> CreateViewer()
    {
        var option = new Option<string>("--viewer")
        {
            Description = $"Address of the viewer that pages link to, or {NoViewer}",
            HelpName = "URL",
            DefaultValueFactory = _ => ViewerLink.DefaultServer,
        };
        option.Validators.Add(result =>
        {
            string? address = result.GetValueOrDefault<string>();
            bool isHttp = Uri.TryCreate(address, UriKind.Absolute, out Uri? uri) && uri.Scheme is "http" or "https";
            if (address != NoViewer && !isHttp)
                result.AddError($"--viewer {address}: expected an address such as {ViewerLink.DefaultServer}");
        });
        return option;
    }
}
