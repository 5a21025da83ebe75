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
        };
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
            return settings?.Model?.Comparator ?? settings?.Comparator;
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
