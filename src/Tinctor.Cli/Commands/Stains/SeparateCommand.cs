using System.CommandLine;
using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Cli.Commands.Stains;

/// <summary><c>tinctor stains separate</c>: writes an image of each stain.</summary>
internal static class SeparateCommand
{
    private const string Description = """
        Write each stain of images alone, by colour deconvolution: DIR/H/NAME.png, DIR/DAB/NAME.png. Names and inner folders are
        kept, as are existing results.

        Examples:
          tinctor stains separate ihc.png -o separated --stains hdab
          tinctor stains separate slides/ -o separated --stains estimated --method vahadane
          tinctor stains separate ihc/ -o dab --channels DAB --amounts          optical densities for QuPath, ImageJ, Python
        """;

    private static readonly Dictionary<string, (StainMatrix Matrix, string[] Names)> BuiltIn = new()
    {
        ["hed"] = (StainMatrix.HaematoxylinEosinDab, ["H", "E", "DAB"]),
        ["hdab"] = (StainMatrix.HaematoxylinDab, ["H", "DAB", "R"]),
        ["he"] = (StainMatrix.HaematoxylinEosin, ["H", "E", "R"]),
    };

    private static readonly Argument<string[]> Inputs = ImageJobs.Inputs();
    private static readonly Option<string> Output = CommonOptions.Output("Output folder; each stain has a folder in it");
    private static readonly Option<string> Stains = new("--stains")
    {
        Description = "Stains: hed, hdab, he, estimated (from each image), or a profile",
        HelpName = "NAME|FILE",
        DefaultValueFactory = _ => "hed",
    };
    private static readonly Option<StainMethod?> Method =
        Words.Optional("--method", "Method of --stains estimated [default: macenko]", StainMethod.Macenko, StainMethod.Vahadane);
    private static readonly Option<string?> Channels =
        new("--channels") { Description = "Stains to write, as in H,DAB [default: all but the residual R]", HelpName = "NAME,NAME" };
    private static readonly Option<bool> Amounts = new("--amounts")
    {
        Description = $"Write stain concentrations as 16-bit TIFFs: optical density times {StainImages.StepsPerDensity}",
    };
    private static readonly Option<string> Format = ImageJobs.Format();
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();

    public static Command Create()
    {
        var command = new Command("separate", Description) { Inputs, Output, Stains, Method, Channels, Amounts, Format, Quality,
            Overwrite };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        string folder = parse.GetRequiredValue(Output);
        Separation separation = Choose(parse);
        bool amounts = parse.GetValue(Amounts);
        string format = amounts ? "tif" : parse.GetRequiredValue(Format);
        int quality = parse.GetValue(Quality);

        List<ImageJob> jobs = [.. inputs.SelectMany(input => ImageJobs.Find(input, folder))];
        ImageJobs.RefuseNone(jobs, inputs);
        string OutputOf(ImageJob job, string name) => job.Output(Path.Combine(folder, name), format);
        List<ImageJob> open = ImageJobs.Open(jobs, job => separation.Chosen.Select(name => OutputOf(job, name)),
            parse.GetValue(Overwrite));
        if (open.Count == 0) return 0;
        return ImageJobs.Run(open, "separating", count => $"Separated {count} into {folder}.", job =>
        {
            Image image = job.Read();
            (StainMatrix matrix, string[] names) = separation.StainsOf(image);
            foreach (string name in separation.Chosen)
            {
                int stain = Array.IndexOf(names, name);
                Image picture = amounts ? StainImages.Concentration(image, matrix, stain) : StainImages.Render(image, matrix, stain);
                picture.Write(OutputOf(job, name), quality);
            }
            return ImageJobs.Remarks(image.Notes);
        }, Environment.ProcessorCount, cancel);
    }

    private static Separation Choose(ParseResult parse)
    {
        string stains = parse.GetRequiredValue(Stains);
        if (BuiltIn.TryGetValue(stains.ToLowerInvariant(), out var builtIn)) return Named(builtIn.Matrix, builtIn.Names);
        if (stains == "estimated")
        {
            StainMethod method = parse.GetValue(Method) ?? StainMethod.Macenko;
            string[] own = ["H", "counterstain", "R"];
            return new(Select(parse, own), image => (StainProfile.Estimate(StainedPixels.FromImage(image), method).Matrix(), own));
        }
        StainProfile profile = StainProfile.Read(stains);
        if (profile.Stains.Length == 0)
            throw new TinctorException(stains, "is a profile of reinhard, which has no stains",
                "Estimate a profile with macenko or vahadane.");
        return Named(profile.Matrix(), [.. profile.Stains.Select(stain => stain.Name), "R"]);

        Separation Named(StainMatrix matrix, string[] names) => new(Select(parse, names), _ => (matrix, names));
    }

    private static string[] Select(ParseResult parse, string[] names)
    {
        if (parse.GetValue(Channels) is not string wanted) return [.. names.Where(name => name != "R")];
        string[] chosen = wanted.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? unknown = chosen.FirstOrDefault(name => !names.Contains(name, StringComparer.OrdinalIgnoreCase));
        if (chosen.Length == 0 || unknown is not null)
            throw new TinctorException($"--channels {wanted}: these stains are {string.Join(", ", names)}");
        return [.. names.Where(name => chosen.Contains(name, StringComparer.OrdinalIgnoreCase))];
    }

    /// <summary>Stains to write, and the function that gets the stains of an image.</summary>
    private sealed record Separation(string[] Chosen, Func<Image, (StainMatrix Matrix, string[] Names)> StainsOf);
}
