using System.CommandLine;
using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Analyses.Encoders;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Training.Classification;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Supervised;
using Tinctor.Torch;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for what images mean: labels by a classifier, similarity by encoders.</summary>
internal static class LabelOptions
{
    private static readonly Option<string?> ClassifierFolder = new("--classifier")
    {
        Description = "Model of 'tinctor train classifier' that judges the labels of stained images; not the model's own comparator",
        HelpName = "MODEL",
    };

    private static readonly Option<string[]> Comparators = new("--comparator")
    {
        Description = "Classifier that an evaluated model was trained with, where --run does not tell; it must not judge",
        HelpName = "MODEL",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<LibraryChoice> Library = new("--label-library")
    {
        Description = "Real images that labels are retrieved from: train, test (without the query's own), paper (all test images), "
            + "or auto: train where known, else test",
        HelpName = "IMAGES",
    };

    private static readonly Option<string?> Encoder = new("--encoder")
    {
        Description = "Encoder of patches, TorchScript file or model of 'tinctor train ceff-encoder' or of 'tinctor train classifier': "
            + "do paired patches resemble each other?",
        HelpName = "FILE",
    };

    private static readonly Option<string?> SourceEncoder =
        new("--encoder-source") { Description = "Encoder of source images, with --encoder-target", HelpName = "FILE" };

    private static readonly Option<string?> TargetEncoder =
        new("--encoder-target") { Description = "Encoder of real and stained images, with --encoder-source", HelpName = "FILE" };

    private static readonly Option<string> EncoderInput = new("--encoder-input")
    {
        Description = "What a TorchScript encoder takes: signed (-1 to 1), unit (0 to 1) or imagenet (its mean and deviation)",
        DefaultValueFactory = _ => "signed",
    };

    private static readonly Option<int?> Patch = new("--patch")
    {
        Description = "Side of the patches in pixels, 0 for whole images; by default 256, or what CEFF's encoders were trained on",
        HelpName = "PX",
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Option> All { get; } = MakeAll();

    private static Option[] MakeAll()
    {
        EncoderInput.AcceptOnlyFromAmong("signed", "unit", "imagenet");
        return [ClassifierFolder, Comparators, Library, Encoder, SourceEncoder, TargetEncoder, EncoderInput, Patch];
    }

    /// <summary>What was asked for.</summary>
    /// <exception cref="TinctorException">The classifier is a model's own comparator, or an encoder is missing.</exception>
    public static IEnumerable<IAnalysis> Analyses(ParseResult parse)
    {
        // A list, so that mistakes are found before anything is computed.
        var analyses = new List<IAnalysis>();
        Device device = FeatureOptions.DeviceOf(parse);
        if (parse.GetValue(ClassifierFolder) is string classifier)
        {
            var settings = new LabelSettings(classifier, device) { Library = parse.GetValue(Library) };
            settings.RefuseOwn(ComparatorsOf(parse));
            analyses.Add(new LabelAnalysis(settings));
        }
        StainedFolder[] models = [.. parse.GetRequiredValue<string[]>("--stained").Select(StainedFolder.Parse)];
        if (PredictedLevelAnalysis.AreThere(models)) analyses.Add(new PredictedLevelAnalysis(models));
        string? both = parse.GetValue(Encoder), source = parse.GetValue(SourceEncoder), target = parse.GetValue(TargetEncoder);
        if (source is null != target is null)
            throw new TinctorException("--encoder-source and --encoder-target go together; one encoder for both is --encoder FILE");
        if (both is not null && source is not null)
            throw new TinctorException("give --encoder, or --encoder-source and --encoder-target, not both");
        if (both is not null && SupervisedModel.KindOf(both) == EncoderCard.EncoderKind)
            analyses.Add(new EncoderAnalysis(() => new CeffEncoderFeatures(both, target: false, device),
                () => new CeffEncoderFeatures(both, target: true, device), parse.GetValue(Patch) ?? EncoderReference.ReadCard(both).Patch));
        else if ((both ?? target) is string path)
            analyses.Add(new EncoderAnalysis(
                source is null ? null : Opener(source, parse, device), Opener(path, parse, device), parse.GetValue(Patch) ?? 256));
        return analyses;
    }

    private static IEnumerable<ComparatorReference> ComparatorsOf(ParseResult parse)
    {
        foreach (string folder in parse.GetValue(Comparators) ?? []) yield return ComparatorReference.Of(folder);
        if (parse.GetValue<string?>("--run") is string run && ComparatorReference.NamedIn(run) is { } named) yield return named;
    }

    private static Func<FeatureExtractor> Opener(string path, ParseResult parse, Device device)
    {
        if (Directory.Exists(path)) return () => new ClassifierFeatures(Classifier.Load(path, device));
        FeatureInput input = parse.GetValue(EncoderInput) switch
        {
            "unit" => new(0, [0, 0, 0], [1, 1, 1]),
            "imagenet" => FeatureInput.ImageNet with { Size = 0 },
            _ => new(0, [0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        };
        return () => new TorchScriptFeatures(path, input, device);
    }
}
