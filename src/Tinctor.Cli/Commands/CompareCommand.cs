using System.CommandLine;
using Tinctor.Cli.Commands.Evaluation;
using Tinctor.Cli.Studies;
using Tinctor.Data;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Transforms;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor compare METHODS</c>: trains methods on the same tiles and reports on them together.</summary>
internal static class CompareCommand
{
    private const string Description = """
        Train methods on the same pairs from the same seeds, stain the test slides with each, and compare them with the real stain in one
        report:
        SSIM and PSNR, and with --segmenter the F1 of its maps of stained and of real tissue, with --inception FID and Inception Score,
        with --lpips-trunk LPIPS.
        With --register, sections are registered and cut into tiles first. The same command resumes an interrupted comparison.

        Examples:
          tinctor compare i2sb pix2pix --data pairs/manifest.csv -o comparison --segmenter runs/tissue --inception inception.pt
          tinctor compare i2sb pix2pix --data sections/manifest.csv --register --tile-size 256 --reverse -o comparison    IHC to H&E
          tinctor compare bbdm pix2pix --data pairs --steps 20000 --set bbdm:model.sampling.evaluations=10 --seeds 0,1,2 -o comparison
          tinctor compare i2sb pix2pix --data pairs --budget 2h --seeds 0,1,2 --tune-lr 1e-4,3e-4,1e-3 --jobs 2 -o comparison
        """;

    private static readonly Argument<string[]> Methods = new("methods")
    {
        Description = "Two or more methods",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string> Output = CommonOptions.Output("Folder of the comparison");
    private static readonly Option<bool> Reverse = new("--reverse") { Description = "Exchange source and target, as for IHC to H&E" };
    private static readonly Option<bool> Register =
        new("--register") { Description = "Register the pairs and cut tiles first (see 'tinctor pair')" };
    private static readonly Option<int> Tile =
        new("--tile-size") { Description = "Tile size", HelpName = "PX", DefaultValueFactory = _ => 256 };
    private static readonly Option<TransformModel> Transform =
        Words.Option("--transform", "Transform model; sections differ by more than the fields of 'tinctor pair'", TransformModel.Affine);
    private static readonly Option<string[]> Configs =
        new("--config") { Description = "YAML file of a method's settings, as in i2sb=small.yaml", HelpName = "METHOD=FILE" };
    private static readonly Option<string[]> Set =
        SettingOption.Create("Change one setting of all methods or, as in pix2pix:model.ngf=32, of one; may be repeated",
            "[METHOD:]KEY=VALUE");
    private static readonly Option<string?> Segmenter =
        new("--segmenter")
        {
            Description = "Segmenter ('tinctor train segmenter') that is applied to stained and real images",
            HelpName = "DIR"
        };
    private static readonly Option<string?> Classifier =
        new("--classifier") { Description = "Classifier ('tinctor train classifier') that evaluates labels", HelpName = "DIR" };

    public static Command Create()
    {
        Methods.Among([.. RunConfig.Methods.Keys]);
        var command = new GroupedCommand("compare", MethodNames.AddTo(Description, RunConfig.Methods.Keys))
        {
            Methods,
            { "Input", StudyOptions.Data, Reverse },
            { "Output", Output },
            { "Registration", Register, Transform, Tile },
            { "Settings", Configs, Set },
            { "Training", StudyOptions.Training },
            { "Evaluation", [Segmenter, Classifier, .. FeatureOptions.OfMetrics] },
            { "IHC", IhcOptions.OfStudies },
            { "Computation", StudyOptions.Computation },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = Path.GetFullPath(parse.GetRequiredValue(Output)),
            data = Path.GetFullPath(parse.GetRequiredValue(StudyOptions.Data));
        string[] methods = [.. parse.GetRequiredValue(Methods).Distinct()];
        if (methods.Length < 2) throw new TinctorException($"only one method is named, {methods[0]}. Name two or more");
        string[] judges = [.. Judges(parse)];
        if (parse.GetValue(Register))
        {
            string tiles = Path.Combine(folder, "pairs");
            int registered = await CommandSteps.Run(parse, [("Register the sections and cut tiles", Registration(parse, data, tiles))],
                cancel);
            if (registered != 0) return registered;
            data = Path.Combine(tiles, "manifest.csv");
        }
        StudyModel[] models = [.. methods.Select(method => new StudyModel(method, method, ConfigOf(parse, method, data)))];
        RunConfig first = models[0].Config;
        if (models.FirstOrDefault(model => model.Config.Model.Upscaling != first.Model.Upscaling) is { } other)
            throw new TinctorException($"{methods[0]} and {other.Key}: the results have different resolutions (model.factor). "
                + "Compare methods of one resolution");
        PairManifest pairs = TrainingData.Read(first.Data, first.Seed, first.Model.Upscaling, first.Model.AdviseCrop, cancel).Manifest;
        judges = [.. judges, .. ClassifierCheck.Run(parse.GetValue(Classifier), models, pairs)];
        var study = new Study(folder, pairs, models, cancel);

        return await StudyRunner.Run(parse, study, $"Comparison of {string.Join(", ", methods)}", judges, cancel);
    }

    // Null if the data set is complete: its manifest is written last.
    private static string[]? Registration(ParseResult parse, string data, string tiles) =>
        File.Exists(Path.Combine(tiles, "manifest.csv")) ? null
            : ["pair", data, "-o", tiles, "--tile-size", $"{parse.GetValue(Tile)}", "--transform", Words.Of(parse.GetValue(Transform)),
                "--overwrite"];

    private static RunConfig ConfigOf(ParseResult parse, string method, string data)
    {
        string? file = (parse.GetValue(Configs) ?? []).Select(text => text.Split('=', 2)).Where(parts => parts[0] == method)
            .Select(parts => parts.Length == 2 ? parts[1] : throw new TinctorException($"--config {parts[0]}: expected METHOD=FILE"))
            .LastOrDefault();
        string[] direction = parse.GetValue(Reverse) ? ["data.direction=BtoA"] : [];
        string[] settings = [.. StudyOptions.Overrides(parse, data), .. direction, .. SettingOption.Of(method, Set, parse)];
        try
        {
            return ConfigFile.Load(file, method, settings);
        }
        catch (TinctorException e)
        {
            // The others may well have this setting.
            throw new TinctorException(e.File is null ? method : $"{method}, {e.File}", e.Problem, e.Remedy, e)
            { Option = e.Option?.Contains('.') == true ? $"{method}:{e.Option}" : e.Option };
        }
    }

    private static IEnumerable<string> Judges(ParseResult parse) =>
        new[] { ("--segmenter", parse.GetValue(Segmenter)), ("--classifier", parse.GetValue(Classifier)) }
            .SelectMany(option => option.Item2 is null ? Array.Empty<string>() : [option.Item1, Path.GetFullPath(option.Item2)])
            .Concat(FeatureOptions.Arguments(parse)).Concat(PassedOptions.Arguments(parse, IhcOptions.OfStudies));
}
