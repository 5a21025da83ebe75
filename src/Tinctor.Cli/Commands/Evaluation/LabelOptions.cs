using System.CommandLine;
using Tinctor.Evaluation.Analyses;
using Tinctor.Evaluation.Analyses.Encoders;
using Tinctor.Evaluation.Analyses.Labels;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Features;
using Tinctor.Torch;
using Tinctor.Training.Classification;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Supervised;

namespace Tinctor.Cli.Commands.Evaluation;

/// <summary>Options of <c>tinctor evaluate</c> for labels by a classifier and similarity by encoders.</summary>
internal static class LabelOptions
{
    private static readonly Option<string?> ClassifierFolder = new("--classifier")
    {
        Description = "Independent classifier ('tinctor train classifier') of stained images",
        HelpName = "DIR",
    };

    private static readonly Option<string[]> Comparators = new("--comparator")
    {
        Description = "Classifier that a model was trained with, if --run does not name it",
        HelpName = "DIR",
        DefaultValueFactory = _ => [],
    };

    private static readonly Option<LibraryChoice> Library =
        Words.Option("--label-library", "Real images that labels are retrieved from", LibraryChoice.Auto);

    private static readonly Option<string?> Encoder = new("--encoder")
    {
        Description = "Encoder of patches: ONNX or TorchScript file, ceff-encoder or classifier",
        HelpName = "FILE",
    };

    private static readonly Option<string?> SourceEncoder =
        new("--encoder-source") { Description = "Encoder of source images, with --encoder-target", HelpName = "FILE" };

    private static readonly Option<string?> TargetEncoder =
        new("--encoder-target") { Description = "Encoder of real and stained images, with --encoder-source", HelpName = "FILE" };

    private static readonly Option<string> EncoderInput = new("--encoder-input")
    {
        Description = "Input range of an encoder in a file: signed (-1 to 1), unit or imagenet",
        DefaultValueFactory = _ => "signed",
    };

    private static readonly Option<int?> Patch = new("--patch")
    {
        Description = "Patch size; 0 for whole images [default: 256, or the CEFF encoder's]",
        HelpName = "PX",
    };

    /// <summary>All options.</summary>
    public static IReadOnlyList<Option> All { get; } = MakeAll();

    private static Option[] MakeAll()
    {
        EncoderInput.Among("signed", "unit", "imagenet");
        return [ClassifierFolder, Comparators, Library, Encoder, SourceEncoder, TargetEncoder, EncoderInput, Patch];
    }

    /// <summary>Creates the analyses of labels and encoders.</summary>
    /// <exception cref="TinctorException">The classifier is the comparator of a model, or an encoder is missing.</exception>
    public static IEnumerable<IAnalysis> Analyses(ParseResult parse)
    {
        // Not an iterator, so that errors are found before the computation.
        var analyses = new List<IAnalysis>();
        string? classifier = parse.GetValue(ClassifierFolder);
        string? both = parse.GetValue(Encoder), source = parse.GetValue(SourceEncoder), target = parse.GetValue(TargetEncoder);
        bool needsDevice = (classifier ?? both ?? source ?? target) is not null;
        Device device = needsDevice ? FeatureOptions.DeviceOf(parse) : Device.CPU;
        if (classifier is not null)
        {
            var settings = new LabelSettings(classifier, device) { Library = parse.GetValue(Library) };
            settings.RefuseOwn(ComparatorsOf(parse));
            analyses.Add(new LabelAnalysis(settings));
        }
        StainedFolder[] models = [.. parse.GetRequiredValue<string[]>("--stained").Select(StainedFolder.Parse)];
        if (PredictedLevelAnalysis.AreThere(models)) analyses.Add(new PredictedLevelAnalysis(models));
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
        foreach (string folder in parse.GetValue(Comparators) ?? []) yield return ComparatorReference.FromFolder(folder);
        if (parse.GetValue<string?>("--run") is string run && ComparatorReference.ReadFrom(run) is { } named) yield return named;
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
        return () => FeatureFile.Open(path, input, device);
    }
}
