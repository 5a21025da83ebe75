using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Classification;

/// <summary>Card of a classifier: classes, preparation of images, and training; card.json.</summary>
/// <param name="Training">How it came about.</param>
/// <param name="Architecture">resnet18 or resnet50.</param>
/// <param name="Classes">The labels, in the order of the logits.</param>
/// <param name="Side">target or source: the side of the pairs that it was trained on.</param>
/// <param name="Role">comparator, evaluator or empty.</param>
/// <param name="ImageSize">Images are first resized to this many pixels square; 0 keeps their size.</param>
/// <param name="CropSize">Side of the square in the middle that is looked at; 0 is the whole image.</param>
/// <param name="Mean">What is subtracted from red, green and blue in [0, 1].</param>
/// <param name="Std">What they are divided by.</param>
/// <param name="StartingWeights">The weights that training started from; null for random ones.</param>
/// <param name="Validation">How the images of the fold held out were classified; null without one.</param>
public sealed record ClassifierCard(TrainingRecord Training, string Architecture, IReadOnlyList<string> Classes, string Side, string Role,
    int ImageSize, int CropSize, IReadOnlyList<double> Mean, IReadOnlyList<double> Std, StartingWeights? StartingWeights,
    ConfusionMatrix? Validation) : SupervisedCard(ClassifierKind, Training)
{
    /// <summary>The card's kind.</summary>
    public const string ClassifierKind = "classifier";
}

/// <summary>A file of weights that training started from.</summary>
/// <param name="File">Its name.</param>
/// <param name="Sha256">Its SHA-256.</param>
/// <param name="Published">What it is, if its hash begins as torchvision's file names say; else "not among the known files".</param>
/// <param name="Note">What of it was left out.</param>
public sealed record StartingWeights(string File, string Sha256, string Published, string? Note)
{
    // torchvision's file names end in the first eight digits of their SHA-256.
    private static readonly string[] Known = ["resnet18-f37072fd", "resnet18-5c106cde", "resnet50-0676ba61", "resnet50-19c8e357",
        "resnet50-11ad3fa6"];

    /// <summary>Describes a file.</summary>
    public static StartingWeights Of(string path, string? note)
    {
        string sha256 = SupervisedModel.HashOf(path);
        string? known = Known.FirstOrDefault(name => sha256.StartsWith(name.Split('-')[1], StringComparison.Ordinal));
        return new(Path.GetFileName(path), sha256, known is null ? "not among the known files" : $"torchvision's {known}", note);
    }
}

/// <summary>A trained classifier: labels, and the features that they rest on.</summary>
public sealed class Classifier : IDisposable
{
    /// <summary>ImageNet's, which published weights expect.</summary>
    internal static readonly double[] Mean = [0.485, 0.456, 0.406], Std = [0.229, 0.224, 0.225];

    private readonly ResNet network;
    private readonly Device device;

    private Classifier(string folder, ClassifierCard card, Device device)
    {
        (Folder, Card, this.device) = (folder, card, device);
        Sha256 = SupervisedModel.Sha256(folder);
        network = ResNet.Create(card.Architecture, card.Classes.Count);
        SupervisedModel.LoadWeights(folder, network);
        network.to(device);
        network.eval();
        network.requires_grad_(false);
    }

    /// <summary>Reads a model folder, or the model of a run folder.</summary>
    /// <exception cref="TinctorException">It is no classifier.</exception>
    public static Classifier Load(string folder, Device device) =>
        new(folder, ReadCard(folder), device);

    /// <summary>Reads the card of the classifier in a folder.</summary>
    /// <exception cref="TinctorException">It is no classifier.</exception>
    public static ClassifierCard ReadCard(string folder) =>
        SupervisedModel.ReadCard<ClassifierCard>(folder, ClassifierCard.ClassifierKind);

    /// <summary>Where it was read from.</summary>
    public string Folder { get; }

    /// <summary>Card of the classifier.</summary>
    public ClassifierCard Card { get; }

    /// <summary>The hash of its weights.</summary>
    public string Sha256 { get; }

    /// <summary>The features [N,F] of a batch [N,3,H,W] in [-1,1] on its device, through which gradients flow to the batch.</summary>
    public Tensor Features(Tensor batch) => network.features(Normalise(batch));

    /// <summary>The features [N,F] of a batch [N,3,H,W] (or of one channel) in [-1,1], and the logits [N,classes]; on the CPU.</summary>
    public (Tensor Features, Tensor Logits) Run(Tensor batch)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        Tensor features = network.features(Normalise(batch.to(device)));
        return (features.cpu().MoveToOuterDisposeScope(), network.classify(features).cpu().MoveToOuterDisposeScope());
    }

    /// <summary>Classifies image files, a batch at a time; results come in the order of the files.</summary>
    /// <param name="files">8-bit grey or RGB images.</param>
    /// <param name="batchSize">Images a batch; one where images come as they are, as they may differ in size.</param>
    /// <param name="cancel">Stops between batches.</param>
    public IEnumerable<(float[] Features, float[] Logits)> Run(
        IReadOnlyList<string> files, int batchSize = 16, CancellationToken cancel = default)
    {
        Pair[] pairs = [.. files.Select(file => new Pair(file, null, "test", null, "", PairLayout.Single))];
        var transform = new PairTransform
        {
            Resize = Card.ImageSize > 0 ? Card.ImageSize : null,
            Crop = Card.CropSize > 0 ? Card.CropSize : null,
        };
        bool oneSize = Card.ImageSize > 0 || Card.CropSize > 0;
        foreach (Batch batch in new PairLoader(new PairedDataset(pairs, transform), oneSize ? batchSize : 1).Batches(0, cancel: cancel))
        {
            using DisposeScope scope = torch.NewDisposeScope();
            using Batch owned = batch;
            (Tensor features, Tensor logits) = Run(batch.Source);
            for (int i = 0; i < batch.Pairs.Count; i++) yield return (features[i].ToArray<float>(), logits[i].ToArray<float>());
        }
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => network.Dispose();

    /// <summary>[-1,1] to what published weights expect; a single channel is repeated.</summary>
    internal static Tensor Normalise(Tensor batch)
    {
        Tensor mean = torch.tensor<float>([.. Mean.Select(m => (float)m)], 1, 3, 1, 1).to(batch.device);
        Tensor std = torch.tensor<float>([.. Std.Select(s => (float)s)], 1, 3, 1, 1).to(batch.device);
        return (((batch + 1) / 2) - mean) / std;
    }
}
