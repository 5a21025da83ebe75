using Tinctor.Training.Supervised;
using YamlDotNet.Core;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Tinctor.Training.Classification;

/// <summary>
/// The classifier whose features a staining model was trained with. It stands in the model's config.yaml under <c>model.comparator</c>
/// (or <c>comparator</c>); such a model must be judged by another classifier, which was trained apart.
/// </summary>
public sealed record ComparatorReference
{
    /// <summary>The classifier's folder.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 of its weights.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Its training.</summary>
    public string TrainingId { get; init; } = "";

    /// <summary>The seed that it was trained from; null where it is not known.</summary>
    public ulong? Seed { get; init; }

    /// <summary>The fold that it did not see; null where it is not known.</summary>
    public int? Fold { get; init; }

    /// <summary>Refers to a classifier's folder.</summary>
    /// <exception cref="TinctorException">It is no classifier.</exception>
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

    /// <summary>The comparator that a staining model's folder (or run folder) names in its config.yaml; null if it names none.</summary>
    /// <exception cref="TinctorException">config.yaml cannot be read.</exception>
    public static ComparatorReference? NamedIn(string folder)
    {
        string path = System.IO.Path.Combine(folder, "config.yaml");
        if (!File.Exists(path)) return null;
        try
        {
            IDeserializer yaml = new DeserializerBuilder()
                .WithNamingConvention(UnderscoredNamingConvention.Instance).IgnoreUnmatchedProperties().Build();
            Settings? settings = yaml.Deserialize<Settings?>(File.ReadAllText(path));
            return settings?.Model?.Comparator ?? settings?.Comparator;
        }
        catch (YamlException e)
        {
            throw new TinctorException($"{path}: line {e.Start.Line}: its comparator cannot be read: {e.Message}", e);
        }
    }

    /// <summary>Why another classifier must not judge what this one helped to train; null if the two were trained apart.</summary>
    public string? WhyNotApart(ComparatorReference judge) =>
        judge.Sha256 == Sha256 ? "their weights are the same"
        : TrainingId.Length > 0 && judge.TrainingId == TrainingId ? $"both come from training {TrainingId}"
        : Seed is not null && judge.Seed == Seed && judge.Fold == Fold ? $"both were trained with seed {Seed} and fold {Fold}"
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
