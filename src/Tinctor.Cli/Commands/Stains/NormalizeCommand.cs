using System.CommandLine;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Training;

namespace Tinctor.Cli.Commands.Stains;

/// <summary><c>tinctor stains normalize</c>: normalises images to the colours of a reference.</summary>
internal static class NormalizeCommand
{
    private const string Description = """
        Normalize images to the colours of a reference: a profile of 'tinctor stains estimate', or an image. Background is not changed.
        Images with too little tissue are copied with a warning. Names and subfolders are kept; existing results are kept.
        With a model folder for --to, real images get the colours of a model trained with data.normalize_target.

        Examples:
          tinctor stains normalize slides/ --to reference.json -o normalized
          tinctor stains normalize tile.png --to other.png --method reinhard -o normalized
          tinctor stains normalize tiles-of-A/ --from A.json --to reference.json -o normalized    keeps the tiles' proportions
        """;

    private static readonly Argument<string[]> Inputs = ImageJobs.Inputs();
    private static readonly Option<string> To = new("--to")
    {
        Description = "Reference: a profile (.json), an image, or a model folder",
        HelpName = "FILE|DIR",
        Required = true,
    };
    private static readonly Option<string?> From = new("--from")
    {
        Description = "Profile of the inputs' slide or laboratory [default: each image's own]",
        HelpName = "FILE",
    };
    private static readonly Option<StainMethod?> Method =
        Words.Optional<StainMethod>("--method", "Method [default: macenko; for a profile its own]");
    private static readonly Option<string> Output = CommonOptions.Output("Output folder");
    private static readonly Option<string> Format = ImageJobs.Format();
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();

    public static Command Create()
    {
        var command = new Command("normalize", Description) { Inputs, To, From, Method, Output, Format, Quality, Overwrite };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        string folder = parse.GetRequiredValue(Output), format = parse.GetRequiredValue(Format);
        List<ImageJob> jobs = [.. inputs.SelectMany(input => ImageJobs.Find(input, folder))];
        ImageJobs.RefuseNone(jobs, inputs);
        StainNormalizer normalizer = Normalizer(parse);
        List<ImageJob> open = ImageJobs.Open(jobs, job => [job.Output(folder, format)], parse.GetValue(Overwrite));
        if (open.Count == 0) return 0;
        return ImageJobs.Run(open, "normalizing", count => $"Normalized {count} into {folder}.", job =>
        {
            Image image = job.Read();
            normalizer.Normalize(image, out string? skipped).Write(job.Output(folder, format), parse.GetValue(Quality));
            return ImageJobs.Remarks(skipped is null ? image.Notes : [.. image.Notes, $"not normalised: {skipped}"]);
        }, Environment.ProcessorCount, cancel);
    }

    private static StainNormalizer Normalizer(ParseResult parse)
    {
        string to = parse.GetRequiredValue(To);
        StainProfile? from = parse.GetValue(From) is string common ? StainProfile.Read(common) : null;
        if (!Directory.Exists(to)) return StainsCommand.Naming(to, () => new StainNormalizer(Reference(to, parse.GetValue(Method)), from));
        if (from is not null || parse.GetValue(Method) is not null)
            throw new TinctorException($"{to}: a model knows how its targets were normalised; leave --from and --method out");
        return TrainedModel.ReadConfig(to).Stains?.TargetNormalizer()
            ?? throw new TinctorException($"{to}: the targets of this model were not normalised (data.normalize_target)");
    }

    private static StainProfile Reference(string path, StainMethod? method)
    {
        if (!Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase))
            return StainsCommand.Naming(path, () =>
                StainProfile.Estimate(StainedPixels.FromImage(Image.Read(path)), method ?? StainMethod.Macenko));
        StainProfile profile = StainProfile.Read(path);
        if (method is null || method == profile.Method) return profile;
        return method == StainMethod.Reinhard
            ? profile with { Method = StainMethod.Reinhard, Stains = [] }
            : throw new TinctorException($"{path}: its stains come from {profile.Method.ToString().ToLowerInvariant()}, "
                + $"not from {method.ToString()!.ToLowerInvariant()}; estimate it again with that method");
    }
}
