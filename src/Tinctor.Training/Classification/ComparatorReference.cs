using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Tinctor.Training.Loading;
using Tinctor.Training.Supervised;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Tinctor.Training.Classification;

/// <summary>
/// Reference to the classifier whose features the loss of a staining model compares; in config.yaml under <c>model.comparator</c> (or
/// <c>comparator</c>). Such a model must be evaluated by an independently trained classifier.
/// </summary>
public sealed record ComparatorReference
{
    // Record of the comparator's training in a model folder.
    private const string RecordFile = "comparator.json";

    /// <summary>Folder of the classifier.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 of the weights.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>ID of the training; see <see cref="TrainingRecord.TrainingId"/>.</summary>
    public string TrainingId { get; init; } = "";

    /// <summary>Random seed of the training; null if unknown.</summary>
    public ulong? Seed { get; init; }

    /// <summary>Held-out fold of the training; null if unknown.</summary>
    public int? Fold { get; init; }

    /// <summary>Comparator pixels per pixel of the model's training images: the factor by which images are resampled for it.</summary>
    [Range(0.01, 100)]
    public double Scale { get; init; } = 1;

    /// <summary>Record of the training; null if unknown.</summary>
    internal TrainingRecord? Training { get; init; }

    /// <summary>Creates the reference to the classifier in a folder.</summary>
    /// <exception cref="TinctorException">The folder contains no classifier.</exception>
    public static ComparatorReference FromFolder(string folder)
    {
        ClassifierCard card = Classifier.ReadCard(folder);
        return new()
        {
            Path = System.IO.Path.GetFullPath(folder),
            Sha256 = SupervisedModel.Sha256(folder),
            TrainingId = card.Training.TrainingId,
            Seed = card.Training.Seed,
            Fold = card.Training.Fold,
            Training = card.Training,
        };
    }

    /// <summary>Writes the record of the comparator's training into the folder of a model.</summary>
    internal void WriteTraining(string folder)
    {
        if ((Training ?? OwnTraining()) is { } training) SupervisedModel.WriteRecord(System.IO.Path.Combine(folder, RecordFile), training);
    }

    // Null if the comparator is not where it was, or is another one.
    private TrainingRecord? OwnTraining() => Directory.Exists(Path)
        && SupervisedModel.KindOf(Path) == ClassifierCard.ClassifierKind && SupervisedModel.Sha256(Path) == Sha256
            ? Classifier.ReadCard(Path).Training : null;

    /// <summary>Computes the factor by which images of a model are resampled to the pixels that the comparator was trained on.</summary>
    /// <param name="model">Scale of the model's training images.</param>
    /// <param name="crop">Side of the model's training images in pixels.</param>
    /// <exception cref="TinctorException">
    /// Nothing relates the pixels of comparator and model, the images are too coarse for the comparator, or they become too small.
    /// </exception>
    internal ComparatorReference ScaledFor(PixelScale model, int crop)
    {
        ClassifierCard card = Classifier.ReadCard(Path);
        const string Train = "Train a comparator on the same images, resized to the same size as the model's";
        if (card.PixelScale is not { } own || model.FactorTo(own) is not { } factor)
        {
            return card.TrainedSize == crop ? this with { Scale = 1 } : throw new TinctorException(Path,
                $"the comparator was trained on images of {(card.TrainedSize is { } size ? $"{size} pixels" : "unknown size")}, the model "
                    + $"on {crop}, and neither the sizes of the stored images nor micrometres per pixel relate them", Train);
        }
        if (model.IsCoarserThan(own))
        {
            throw new TinctorException(Path, string.Create(CultureInfo.InvariantCulture,
                $"the comparator was trained on finer pixels: the model's would be enlarged {factor:0.##} times"), Train);
        }
        return crop * factor >= ClassifierConfig.SmallestSize ? this with { Scale = factor } : throw new TinctorException(Path,
            string.Create(CultureInfo.InvariantCulture, $"crops of {crop} pixels are {crop * factor:0.#} pixels at the comparator's scale, "
                + $"expected {ClassifierConfig.SmallestSize} or more"), $"Use larger crops. {Train}");
    }

    /// <summary>Reads the comparator in config.yaml of a model folder or run folder; null if there is none.</summary>
    /// <exception cref="TinctorException">config.yaml is malformed.</exception>
    public static ComparatorReference? ReadFrom(string folder)
    {
        string path = System.IO.Path.Combine(folder, "config.yaml");
        if (!File.Exists(path)) return null;
        try
        {
            IDeserializer yaml = new DeserializerBuilder()
                .WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build();
            using var reader = new StreamReader(InputFile.Open(path));
            Settings? settings = yaml.Deserialize<Settings?>(reader);
            if ((settings?.Model?.Comparator ?? settings?.Comparator) is not { } named) return null;
            string? record = new[] { folder, System.IO.Path.Combine(folder, "model") }
                .Select(place => System.IO.Path.Combine(place, RecordFile)).FirstOrDefault(File.Exists);
            return named with { Training = record is null ? named.OwnTraining() : SupervisedModel.ReadRecord(record) };
        }
        catch (YamlException e)
        {
            throw new TinctorException(path, $"line {e.Start.Line} is malformed, so the comparator is unknown",
                "Correct the line", e);
        }
    }

    /// <summary>Gets the reason why another classifier is not independent of this one; null if it is independent.</summary>
    public string? ReasonOfDependence(ComparatorReference evaluator) =>
        evaluator.Sha256 == Sha256 ? "the weights are equal"
        : TrainingId.Length > 0 && evaluator.TrainingId == TrainingId ? $"both were created by training {TrainingId}"
        : Training is { } own && evaluator.Training is { } other && own.IsComparable(other) ? own.DescribeOverlap(other)
        : Seed is not null && evaluator.Seed == Seed && evaluator.Fold == Fold ? $"both were trained with seed {Seed} and fold {Fold}"
        : null;

    private sealed class Settings
    {
        public ModelSettings? Model { get; set; }

        public ComparatorReference? Comparator { get; set; }
    }

    private sealed class ModelSettings
    {
        public ComparatorReference? Comparator { get; set; }
    }
}
