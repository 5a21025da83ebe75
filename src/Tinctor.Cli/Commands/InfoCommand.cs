using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Spectre.Console;
using Tinctor.Slides;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor info</c>: shows the properties of slides.</summary>
internal static class InfoCommand
{
    private const string Description = """
        Show the properties of slides: levels, pixel size and its source, objective, channels, label and macro images.
        Reads SVS, NDPI, MRXS, SCN, BIF, DICOM, TIFF and OME-TIFF, PNG and JPEG.

        Examples:
          tinctor info slide.svs
          tinctor info slides/*.ndpi
          tinctor info case17                                  a folder with the files of one slide in DICOM
          tinctor info slide.svs --properties                  all metadata of the file
          tinctor info slide.svs --json
          tinctor info slide.svs --images pictures             an overview and the associated images, as PNG
          tinctor info scan.tif --slide-mpp 0.25
        """;

    private static readonly Argument<string[]> Slides =
        new("slides") { Description = "Slides or images", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<double?> Mpp = CommonOptions.SlideMpp();
    private static readonly Option<bool> Properties = new("--properties") { Description = "Show all metadata of the file" };
    private static readonly Option<bool> Json = new("--json") { Description = "Print JSON" };
    private static readonly Option<string?> Images =
        new("--images") { Description = "Write an overview and the associated images (label, macro) into this folder", HelpName = "DIR" };

    public static Command Create()
    {
        var command = new Command("info", Description) { Slides, Mpp, Properties, Json, Images };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        int failed = 0;
        var all = new List<object>();
        foreach (string path in parse.GetRequiredValue(Slides))
        {
            try
            {
                using var slide = Slide.Open(path, parse.GetValue(Mpp));
                if (parse.GetValue(Json)) all.Add(Values(slide));
                else Print(slide, parse.GetValue(Properties));
                if (parse.GetValue(Images) is string folder) WriteImages(slide, folder);
            }
            catch (Exception error) when (error is TinctorException or IOException or UnauthorizedAccessException)
            {
                Terminal.Problem(Errors.Text(error));
                failed++;
            }
        }
        if (parse.GetValue(Json)) Terminal.Result(JsonSerializer.Serialize(all, new JsonSerializerOptions { WriteIndented = true }));
        return failed == 0 ? 0 : 1;
    }

    private static void Print(Slide slide, bool properties)
    {
        Grid table = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        void Row(string name, string value) => table.AddRow(new Text(name), new Text(value));
        Row("format", slide.Format);
        Row("size", $"{slide.Width}x{slide.Height}" + (slide.Mpp is double mpp
            ? string.Create(CultureInfo.InvariantCulture, $", {slide.Width * mpp / 1000:0.##} x {slide.Height * mpp / 1000:0.##} mm")
            : ""));
        Row("microns per pixel", slide.Mpp is double known
            ? string.Create(CultureInfo.InvariantCulture, $"{known:0.####} ({slide.MppOrigin})") : "unknown. State it (--slide-mpp).");
        if (slide.Objective is double objective) Row("objective", string.Create(CultureInfo.InvariantCulture, $"{objective:0.##}x"));
        Row("modality", slide.Modality.ToString().ToLowerInvariant());
        Row("channels", $"{slide.Channels} of {Bits(slide)} bits"
            + (slide.ChannelInfo.Count > 0 ? $": {string.Join(", ", slide.ChannelInfo.Select(ChannelText))}" : ""));
        if (slide.ReadIccProfile() is byte[] profile) Row("ICC profile", $"{profile.Length} bytes");
        foreach (string note in slide.Notes) Row("note", note);
        foreach ((SlideLevel level, int i) in slide.Levels.Select((level, i) => (level, i)))
            Row($"level {i}", string.Create(CultureInfo.InvariantCulture, $"{level.Width}x{level.Height}, 1/{level.Downsample:0.###}"));
        if (slide.AssociatedNames.Count > 0) Row("associated images", string.Join(", ", slide.AssociatedNames));
        if (properties)
            foreach ((string name, string value) in slide.Properties.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                Row(name, value.ReplaceLineEndings(" "));
        Terminal.Results.MarkupLineInterpolated($"[bold]{slide.Path}[/]");
        Terminal.Results.Write(table);
        Terminal.Result();
    }

    private static object Values(Slide slide) => new
    {
        path = slide.Path,
        format = slide.Format,
        width = slide.Width,
        height = slide.Height,
        mpp = slide.Mpp,
        mpp_origin = slide.MppOrigin,
        objective = slide.Objective,
        channels = slide.Channels,
        channel_names = slide.ChannelInfo.Select(channel => channel.Name),
        channel_colours = slide.ChannelInfo.Select(channel => channel.Colour is int colour ? $"#{colour:X6}" : null),
        exposures_ms = slide.ChannelInfo.Select(channel => channel.Exposure),
        display_ranges = slide.ChannelInfo.Select(channel => channel.Display is (double low, double high) ? new[] { low, high } : null),
        modality = slide.Modality.ToString().ToLowerInvariant(),
        bits = Bits(slide),
        icc_profile_bytes = slide.ReadIccProfile()?.Length,
        remarks = slide.Notes,
        levels = slide.Levels.Select(level => new { width = level.Width, height = level.Height, downsample = level.Downsample }),
        images = slide.AssociatedNames,
        properties = slide.Properties,
    };

    // Channels in their colours, as PNG holds no more than grey and RGB.
    private static Image Overview(Slide slide)
    {
        Image overview = slide.Thumbnail(1024);
        return slide.IsRgb || slide.Channels == 1 ? overview : overview.ToDisplay(slide.ChannelInfo);
    }

    private static int Bits(Slide slide) => slide.SampleType == SampleType.UInt8 ? 8 : 16;

    private static string ChannelText(SlideChannel channel, int index)
    {
        string[] details =
        [
            .. channel.Colour is int colour ? new[] { $"#{colour:X6}" } : [],
            .. channel.Display is (double low, double high)
                ? new[] { string.Create(CultureInfo.InvariantCulture, $"{low:0.#} to {high:0.#}") } : [],
            .. channel.Exposure is double exposure ? new[] { string.Create(CultureInfo.InvariantCulture, $"{exposure:0.###} ms") } : [],
        ];
        return (channel.Name.Length > 0 ? channel.Name : $"{index + 1}") + (details.Length > 0 ? $" ({string.Join(", ", details)})" : "");
    }

    private static void WriteImages(Slide slide, string folder)
    {
        Directory.CreateDirectory(folder);
        string name = Path.GetFileNameWithoutExtension(slide.Path);
        // Some scanners have an overview of their own.
        string own = slide.AssociatedNames.Contains("overview") ? "slide" : "overview";
        Overview(slide).Write(Path.Combine(folder, $"{name}_{own}.png"));
        foreach (string beside in slide.AssociatedNames)
            slide.ReadAssociated(beside).Write(Path.Combine(folder,
                $"{name}_{string.Concat(beside.Split(Path.GetInvalidFileNameChars()))}.png"));
    }
}
