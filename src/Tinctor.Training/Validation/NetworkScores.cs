using System.Globalization;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Validation;

/// <summary>LPIPS 0.1 with weights from files.</summary>
internal sealed class LpipsScore : PairScore
{
    private readonly LpipsNetwork network;
    private readonly Device device;

    /// <summary>Loads the weights.</summary>
    /// <exception cref="TinctorException">A file is not named, is missing, or holds other weights.</exception>
    public LpipsScore(TrainingConfig training, Device device)
    {
        if (training.LpipsTrunk.Length == 0 || training.LpipsLin.Length == 0)
            throw new OptionException(nameof(TrainingConfig.Best),
                "training.best=lpips needs the weights of LPIPS, and no files are named",
                $"Set training.lpips_trunk to torchvision's weights of {training.LpipsNetwork.ToString().ToLowerInvariant()}, and "
                    + "training.lpips_lin to the linear weights of LPIPS 0.1");
        using DisposeScope scope = torch.NewDisposeScope();
        this.device = device;
        network = LpipsNetwork.FromFiles(training.LpipsNetwork, training.LpipsTrunk, training.LpipsLin);
        network.to(device);
    }

    /// <inheritdoc/>
    public override string Name => "lpips";

    /// <inheritdoc/>
    public override double Compute(Tensor stained, Tensor target, Pair pair)
    {
        using Guard quiet = torch.inference_mode();
        return network.Layers(stained.to(device), target.to(device)).Sum(layer => layer.item());
    }

    /// <inheritdoc/>
    public override void Dispose() => network.Dispose();
}

/// <summary>Share of stained images in which a classifier finds the label of the pair. Pairs without a label do not count.</summary>
internal sealed class LevelScore : PairScore
{
    private readonly Classifier classifier;
    private readonly double factor;

    /// <summary>Loads the classifier.</summary>
    /// <exception cref="TinctorException">No classifier is named, it has other classes, or no validation pair has a label.</exception>
    public LevelScore(TrainingConfig training, IReadOnlyList<Pair> validation, Device device, Func<PixelScale>? scale)
    {
        if (training.LevelClassifier.Length == 0)
            throw new OptionException(nameof(TrainingConfig.Best), "training.best=level needs a classifier, and none is named",
                "Train one with the role evaluator, and set training.level_classifier to its folder");
        ClassifierCard card = Classifier.ReadCard(training.LevelClassifier);
        if (card.Side != "target")
            throw new TinctorException(training.LevelClassifier, "this classifier is of source images, expected one of target images",
                "Train a classifier with side=target");
        string[] labels = [.. validation.Select(pair => pair.Label).OfType<string>().Distinct().Order(StringComparer.Ordinal)];
        if (validation.Count > 0 && labels.Length == 0)
            throw new OptionException(nameof(TrainingConfig.Best), "training.best=level needs labels, and no validation pair has one",
                "Add labels to the manifest, or use another score");
        if (labels.FirstOrDefault(label => !card.Classes.Contains(label)) is { } unknown)
            throw new TinctorException(training.LevelClassifier,
                $"this classifier has no class {unknown}; its classes are {string.Join(", ", card.Classes)}",
                "Train a classifier on the labels of this data");
        classifier = Classifier.Load(training.LevelClassifier, device, differentiable: true);
        factor = FactorTo(card, scale);
    }

    /// <inheritdoc/>
    public override string Name => "level";

    /// <inheritdoc/>
    public override bool Takes(Pair pair) => pair.Label is not null;

    /// <inheritdoc/>
    public override double Compute(Tensor stained, Tensor target, Pair pair)
    {
        using Guard quiet = torch.inference_mode();
        int predicted = (int)classifier.Logits(stained.to(classifier.Device), factor).argmax(1).item();
        return classifier.Card.Classes[predicted] == pair.Label ? 1 : 0;
    }

    /// <inheritdoc/>
    public override string Format(double score) => string.Create(CultureInfo.InvariantCulture, $"accuracy of the level {score:P1}");

    /// <inheritdoc/>
    public override void Dispose() => classifier.Dispose();

    /// <summary>Computes the factor by which images are resampled to the pixels of the classifier's training; 1 if it is unknown.</summary>
    public static double FactorTo(ClassifierCard card, Func<PixelScale>? scale) =>
        card.PixelScale is { } own && scale?.Invoke().FactorTo(own) is { } factor ? factor : 1;
}

/// <summary>
/// Cosine similarity of the features of stained and target image. It tolerates displaced structures better than PSNR does.
/// </summary>
internal sealed class FeatureScore : PairScore
{
    private readonly Func<Tensor, Tensor> features;
    private readonly IDisposable network;

    private FeatureScore(Func<Tensor, Tensor> features, IDisposable network) => (this.features, this.network) = (features, network);

    /// <summary>Loads the network: a classifier's folder, or the weights of FID's Inception.</summary>
    /// <exception cref="TinctorException">No network is named, or the file holds none.</exception>
    public static FeatureScore Create(TrainingConfig training, Device device, Func<PixelScale>? scale)
    {
        string path = training.FeatureNetwork;
        if (path.Length == 0)
            throw new OptionException(nameof(TrainingConfig.Best), "training.best=features needs a network, and none is named",
                "Set training.feature_network to a classifier's folder, or to pytorch-fid's weights of Inception");
        if (Directory.Exists(path))
        {
            Classifier classifier = Classifier.Load(path, device, differentiable: true);
            double factor = LevelScore.FactorTo(classifier.Card, scale);
            return new(image => classifier.Features(image.to(device), factor), classifier);
        }
        using DisposeScope scope = torch.NewDisposeScope();
        InceptionV3 inception = InceptionV3.FromFile(path);
        inception.to(device);
        return new(image => inception.forward(F.interpolate(image.to(device), (Size2)(299, 299), mode: "bilinear")), inception);
    }

    /// <inheritdoc/>
    public override string Name => "features";

    /// <inheritdoc/>
    public override double Compute(Tensor stained, Tensor target, Pair pair)
    {
        using Guard quiet = torch.inference_mode();
        return F.cosine_similarity(features(stained), features(target)).item();
    }

    /// <inheritdoc/>
    public override string Format(double score) => string.Create(CultureInfo.InvariantCulture, $"similarity of features {score:F4}");

    /// <inheritdoc/>
    public override void Dispose() => network.Dispose();
}
