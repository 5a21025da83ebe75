using System.CommandLine;
using Tinctor.Cli.Commands.Evaluation;
using Tinctor.Cli.Studies;
using Tinctor.Data;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor ablate METHOD</c>: trains a method and the variants of its paper's ablation study, and tabulates them.</summary>
internal static class AblateCommand
{
    private const string Full = "full";

    private const string Description = """
        Run the ablation study of a method's paper: train the full method and its variants (and other methods), with the same seeds, data
        and number of steps; stain the test pairs; evaluate; write the table. The same command resumes an interrupted study.

        Examples:
          tinctor ablate derestainer --data BCI --comparator runs/comparator --classifier runs/judge --label-library paper -o study
          tinctor ablate derestainer --data pairs/manifest.csv --seeds 0,1,2 --peers pix2pix --config small.yaml -o study
          tinctor ablate derestainer --data pairs/manifest.csv --variants full,without_dab --steps 2000 -o study
          tinctor ablate ceff --data BCI --encoders runs/encoders -o study                                        Table 2 of the paper
          tinctor ablate derestainer --data pairs/manifest.csv --peers pix2pix --budget 20m --tune-lr --seeds 0,1,2 --jobs 2 -o study
          tinctor ablate derestainer ... --seeds 2 --variants without_dab --only-train     one job of many; without the option for the table
        """;

    private static readonly Argument<string> MethodName = new("method") { Description = Words.List(Ablated) };
    private static readonly Option<string> Output = CommonOptions.Output("Folder of the study");
    private static readonly Option<string?> Config =
        new("--config") { Description = "YAML file of the full method's settings", HelpName = "FILE" };
    private static readonly Option<string[]> Set =
        SettingOption.Create("Change one setting of the method and its variants, as in model.ngf=32; may be repeated");
    private static readonly Option<string?> Comparator =
        new("--comparator") { Description = "Classifier for the feature loss of derestainer", HelpName = "DIR" };
    private static readonly Option<string?> Encoders =
        new("--encoders") { Description = "Encoders of ceff", HelpName = "DIR" };
    private static readonly Option<string?> Classifier = new("--classifier")
    {
        Description = "Independent classifier that evaluates the labels of stained images",
        HelpName = "DIR",
    };
    private static readonly Option<LibraryChoice> Library =
        Words.Option("--label-library", "Real images that labels are retrieved from", LibraryChoice.Auto);
    private static readonly Option<string[]> Variants = new("--variants")
    {
        Description = "Variants or other methods, as in full,pix2pix [default: the variants of the paper's table]",
        HelpName = "NAME,NAME",
        CustomParser = result => [.. CommonOptions.Items(result)],
    };
    private static readonly Option<string[]> Peers = new("--peers")
    {
        Description = "Other methods to compare with, as in pix2pix,cgan",
        HelpName = "NAME,NAME",
        CustomParser = result => [.. CommonOptions.Items(result)],
    };
    private static readonly Option<string[]> PeerSet = new("--peer-set")
    {
        Description = "Change one setting of all other methods or, as in pix2pix:model.ngf=32, of one; may be repeated",
        HelpName = "[METHOD:]KEY=VALUE",
    };
    private static readonly Option<bool> OnlyTrain = new("--only-train")
    {
        Description = "Train and stain without evaluating; parallel jobs may share the folder",
    };

    private static IEnumerable<string> Ablated =>
        RunConfig.Methods.Where(method => method.Value.Model.Ablations.Count > 0).Select(method => method.Key);

    public static Command Create()
    {
        MethodName.Among([.. Ablated]);
        var command = new GroupedCommand("ablate", Description)
        {
            MethodName,
            { "Input", StudyOptions.Data },
            { "Output", Output, OnlyTrain },
            { "Models", Variants, Peers },
            { "Training", StudyOptions.Training },
            { "Settings", Config, Set, PeerSet, Comparator, Encoders },
            { "Evaluation", [Classifier, Library, .. FeatureOptions.OfMetrics] },
            { "IHC", IhcOptions.OfStudies },
            { "Computation", StudyOptions.Computation },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        string method = parse.GetRequiredValue(MethodName);
        string[]? judges = parse.GetValue(OnlyTrain) ? null : Judge(parse);
        RunConfig full = ConfigFile.Load(parse.GetValue(Config), method, Overrides(parse));
        PairManifest pairs = TrainingData.Read(full.Data, full.Seed, full.Model.Upscaling, full.Model.AdviseCrop, cancel).Manifest;
        StudyModel[] models = [.. Chosen(parse, full)];
        if (judges is not null) judges = [.. judges, .. ClassifierCheck.Run(parse.GetValue(Classifier), models, pairs)];
        var study = new Study(Path.GetFullPath(parse.GetRequiredValue(Output)), pairs, models, cancel);

        return await StudyRunner.Run(parse, study, $"Ablation of {method}", judges, cancel);
    }

    // Options are short names of settings; --set overrides options.
    private static IEnumerable<string> Overrides(ParseResult parse)
    {
        foreach (string setting in StudyOptions.Overrides(parse, parse.GetRequiredValue(StudyOptions.Data))) yield return setting;
        if (parse.GetValue(Comparator) is string comparator) yield return $"model.comparator.path={Path.GetFullPath(comparator)}";
        if (parse.GetValue(Encoders) is string encoders) yield return $"model.encoders.path={Path.GetFullPath(encoders)}";
        foreach (string setting in parse.GetValue(Set) ?? []) yield return setting;
    }

    // The full method, its variants with a part removed, and the peers, each with all of its settings.
    private static IEnumerable<StudyModel> Chosen(ParseResult parse, RunConfig full)
    {
        string[] others = [.. RunConfig.Methods.Keys.Where(name => name != full.Method)], asked = parse.GetValue(Variants) ?? [];
        string[] peers = [.. (parse.GetValue(Peers) ?? []).Union(asked.Intersect(others))];
        string text = ConfigFile.Write(full);
        string shared = ConfigFile.Write(new Dictionary<string, object> { ["data"] = full.Data, ["training"] = full.Training });
        (StudyModel Model, bool Published)[] own =
        [
            (new(Full, $"{full.Method} (full)", full), true),
            .. full.Model.Ablations.Select(ablation => (new StudyModel(ablation.Key, ablation.Title,
                ConfigFile.LoadText(text, full.Method, ablation.Settings)), ablation.Published)),
        ];
        string[] keys = [.. own.Select(variant => variant.Model.Key)];
        if (asked.Except(keys).Except(others).FirstOrDefault() is string unknown)
            throw new TinctorException(
                $"--variants {unknown}: there is no such variant. Those of {full.Method} are {string.Join(", ", keys)}");
        if (peers.Except(others).FirstOrDefault() is string stranger)
            throw new TinctorException($"--peers {stranger}: there is no such peer. Choose among {string.Join(", ", others)}");
        return own.Where(variant => asked.Length == 0 ? variant.Published : asked.Contains(variant.Model.Key))
            .Select(variant => variant.Model)
            .Concat(peers.Select(peer => new StudyModel(peer, peer,
                ConfigFile.LoadText(shared, peer, SettingOption.Of(peer, PeerSet, parse)))));
    }

    private static string[] Judge(ParseResult parse)
    {
        string[] metrics = [.. FeatureOptions.Arguments(parse), .. PassedOptions.Arguments(parse, IhcOptions.OfStudies)];
        if (parse.GetValue(Classifier) is not string classifier) return metrics;
        return ["--classifier", classifier, "--label-library", Words.Of(parse.GetRequiredValue(Library)), .. metrics];
    }
}
