using System.Text.Json;
using System.Text.Json.Serialization;
using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Execution;
using Tinctor.Training.Export;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Classification;

/// <summary>Card of a classifier: classes, preprocessing and training; card.json.</summary>
/// <param name="Training">Record of the training.</param>
/// <param name="Architecture">resnet18 or resnet50.</param>
/// <param name="Classes">Labels in the order of the logits.</param>
/// <param name="Side">target or source: the classified image of a pair.</param>
/// <param name="Role">comparator, evaluator or empty.</param>
/// <param name="ImageSize">Width and height in pixels to which images are resized; 0 keeps their size.</param>
/// <param name="CropSize">Side of the centre crop in pixels; 0 for the whole image.</param>
/// <param name="Mean">Mean of red, green and blue in [0, 1], subtracted from the image.</param>
/// <param name="Std">Standard deviation of red, green and blue; divides the image.</param>
/// <param name="StartingWeights">Initial weights; null for random ones.</param>
/// <param name="Validation">Confusion matrix of the held-out fold; null without one.</param>
internal sealed record ClassifierCard(TrainingRecord Training, string Architecture, IReadOnlyList<string> Classes, string Side, string Role,
    int ImageSize, int CropSize, IReadOnlyList<double> Mean, IReadOnlyList<double> Std, StartingWeights? StartingWeights,
    ConfusionMatrix? Validation) : SupervisedCard(ClassifierKind, Training)
{
    /// <summary>Kind of the card.</summary>
    public const string ClassifierKind = "classifier";

    /// <summary>Micrometres per pixel of the images as the network takes them; null if they are not known.</summary>
    public double? Mpp { get; init; }

    /// <summary>Width and height of the training images as stored, in pixels; null if they differ, or in cards of early versions.</summary>
    public int? StoredSize { get; init; }

    /// <summary>Network pixels per stored pixel; null if images of several sizes were resized to one, or in early cards.</summary>
    public double? Scale { get; init; }

    /// <summary>Side of the images that the network was trained on, in pixels; null if unknown.</summary>
    [JsonIgnore]
    public int? TrainedSize => CropSize > 0 ? CropSize : ImageSize > 0 ? ImageSize : StoredSize;

    /// <summary>Scale of the images that the network was trained on; null if nothing is known of it.</summary>
    [JsonIgnore]
    public PixelScale? PixelScale => Scale is null && Mpp is null ? null : new(StoredSize, Scale ?? 1, Mpp * (Scale ?? 1));
}

/// <summary>File of the weights with which a training started.</summary>
/// <param name="File">Name of the file.</param>
/// <param name="Sha256">SHA-256 of the file.</param>
/// <param name="Published">Known file of torchvision with this hash; otherwise "not among the known files".</param>
/// <param name="Note">Weights of the file that were not used; null if all were.</param>
internal sealed record StartingWeights(string File, string Sha256, string Published, string? Note)
{
    // torchvision's file names end with the first eight digits of their SHA-256.
    private static readonly string[] Known = ["resnet18-f37072fd", "resnet18-5c106cde", "resnet50-0676ba61", "resnet50-19c8e357",
        "resnet50-11ad3fa6"];

    /// <summary>Describes a file.</summary>
    public static StartingWeights FromFile(string path, string? note)
    {
        string sha256 = Fingerprint.OfFile(path);
        string? known = Known.FirstOrDefault(name => sha256.StartsWith(name.Split('-')[1], StringComparison.Ordinal));
        return new(Path.GetFileName(path), sha256, known is null ? "not among the known files" : $"torchvision's {known}", note);
    }
}

/// <summary>Trained classifier of images, which also provides the features before its last layer.</summary>
internal sealed class Classifier : IDisposable
{
    /// <summary>Mean and standard deviation of ImageNet, which published weights expect.</summary>
    internal static readonly double[] Mean = [0.485, 0.456, 0.406], Std = [0.229, 0.224, 0.225];

    private readonly ResNet? network;
    private readonly OnnxNetwork? onnx;
    private readonly Device device;

    private Classifier(string folder, ClassifierCard card, Device device, bool differentiable)
    {
        (Folder, Card, this.device) = (folder, card, device);
        Sha256 = SupervisedModel.Sha256(folder);
        onnx = differentiable ? null : SupervisedModel.OpenOnnx(folder, OnnxExport.ModelName, device, "features", "logits");
        if (onnx is not null) return;
        network = ResNet.Create(card.Architecture, card.Classes.Count);
        SupervisedModel.LoadWeights(folder, network);
        network.to(device);
        network.eval();
        network.requires_grad_(false);
    }

    /// <summary>Loads a model folder, or the model in a run folder.</summary>
    /// <param name="folder">Model folder or run folder.</param>
    /// <param name="device">Device of the computation.</param>
    /// <param name="differentiable">Whether <see cref="Features"/> is needed, which runs on libtorch only.</param>
    /// <exception cref="TinctorException">The folder contains no classifier.</exception>
    public static Classifier Load(string folder, Device device, bool differentiable = false) =>
        new(folder, ReadCard(folder), device, differentiable);

    /// <summary>Reads the card of the classifier in a folder.</summary>
    /// <exception cref="TinctorException">The folder contains no classifier.</exception>
    public static ClassifierCard ReadCard(string folder) =>
        SupervisedModel.ReadCard<ClassifierCard>(folder, ClassifierCard.ClassifierKind);

    /// <summary>Folder of the classifier.</summary>
    public string Folder { get; }

    /// <summary>Card of the classifier.</summary>
    public ClassifierCard Card { get; }

    /// <summary>SHA-256 of the weights.</summary>
    public string Sha256 { get; }

    /// <summary>Computes features [N,F] of a batch [N,3,H,W] in [-1,1] on the classifier's device; gradients flow to the batch.</summary>
    /// <param name="batch">Images.</param>
    /// <param name="scale">Factor by which images are resampled first, bicubically as in the classifier's training.</param>
    /// <exception cref="InvalidOperationException">The classifier was not loaded for it.</exception>
    public Tensor Features(Tensor batch, double scale = 1)
    {
        if (network is null) throw new InvalidOperationException("the classifier is not differentiable");
        using DisposeScope temporaries = torch.NewDisposeScope();
        if (scale != 1)
        {
            var size = new Size2((long)Math.Round(batch.size(2) * scale), (long)Math.Round(batch.size(3) * scale));
            batch = F.interpolate(batch, size, mode: "bicubic", align_corners: false, antialias: true);
        }
        return network.features(Normalise(batch)).MoveToOuterDisposeScope();
    }

    /// <summary>Device of the computation.</summary>
    public Device Device => device;

    /// <summary>Computes logits [N,classes] as <see cref="Features"/> computes features.</summary>
    public Tensor Logits(Tensor batch, double scale = 1)
    {
        using Tensor features = Features(batch, scale);
        return network!.classify(features);
    }

    /// <summary>Computes the features and logits of each image of a batch, RGB or grey in [-1,1].</summary>
    public (float[][] Features, float[][] Logits) Run(ImageBatch batch)
    {
        if (network is null)
        {
            float[][][] outputs = onnx!.RunForVectors(ToRgb(batch), "features", "logits");
            return outputs[1][0].Length == Card.Classes.Count ? (outputs[0], outputs[1])
                : throw new TinctorException(onnx!.Path, $"has {outputs[1][0].Length} classes, expected {Card.Classes.Count}",
                    "Delete the file; the network then runs from the weights");
        }
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        Tensor features = network.features(Normalise(batch.ToTensor().to(device)));
        return (features.ToVectors(), network.classify(features).ToVectors());
    }

    /// <summary>Classifies image files in batches; results have the order of the files.</summary>
    /// <param name="files">8-bit grey or RGB images.</param>
    /// <param name="batchSize">Images per batch; 1 is used if the classifier takes images of any size.</param>
    /// <param name="cancel">Cancels after the current batch.</param>
    public IEnumerable<(float[] Features, float[] Logits)> Run(
        IReadOnlyList<string> files, int batchSize = 16, CancellationToken cancel = default)
    {
        Pair[] pairs = [.. files.Select(file => new Pair(file, null, "test", null, "", PairLayout.Single))];
        var images = new PairedDataset(pairs, new PairTransform
        {
            Resize = Card.ImageSize > 0 ? Card.ImageSize : null,
            Crop = Card.CropSize > 0 ? Card.CropSize : null,
        });
        int size = Card.ImageSize > 0 || Card.CropSize > 0 ? batchSize : 1, ahead = 2 * Environment.ProcessorCount;
        foreach (var batch in ReadAhead.Of(Enumerable.Range(0, files.Count), ahead, i => images.Load(i, 0).Source).Chunk(size))
        {
            cancel.ThrowIfCancellationRequested();
            (float[][] features, float[][] logits) = Run(ImageBatch.Concat([.. batch.Select(one => ToRgb(one.Result.ToBatch()))]));
            foreach (var result in features.Zip(logits)) yield return result;
        }
    }

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        network?.Dispose();
        onnx?.Dispose();
    }

    /// <summary>Describes the ONNX file of a classifier.</summary>
    internal static OnnxExport CreateOnnxFile(ResNet network, IReadOnlyList<string> classes, string architecture, Device device) =>
        new(OnnxExport.ModelName, CreateExport(network, device),
            new Dictionary<string, string> { ["architecture"] = architecture, ["classes"] = JsonSerializer.Serialize(classes) });

    /// <summary>
    /// Function of the ONNX file: from "image" [N,3,H,W] in [-1,1] to "features" [N,F] before the last layer and "logits" [N,classes].
    /// </summary>
    internal static ExportFunction CreateExport(ResNet network, Device device) => new("classifier",
        size => [torch.zeros([size.Count, 3, size.Height, size.Width], device: device)], ["image"],
        inputs =>
        {
            Tensor features = network.features(Normalise(inputs[0]));
            return [features, network.classify(features)];
        }, ["features", "logits"])
    { Size = new(1, 64, 96), SizeMultiple = 32 };

    // Grey is repeated.
    private static ImageBatch ToRgb(ImageBatch images)
    {
        if (images.Channels != 1) return images;
        var rgb = new ImageBatch(images.Count, 3, images.Height, images.Width);
        for (int i = 0; i < images.Count; i++)
            for (int c = 0; c < 3; c++) images.Samples(i).CopyTo(rgb.Samples(i)[(c * images.ImageLength)..]);
        return rgb;
    }

    /// <summary>Normalises images in [-1,1] by the statistics of ImageNet; a single channel is repeated.</summary>
    internal static Tensor Normalise(Tensor batch)
    {
        Tensor mean = torch.tensor<float>([.. Mean.Select(m => (float)m)], 1, 3, 1, 1).to(batch.device);
        Tensor std = torch.tensor<float>([.. Std.Select(s => (float)s)], 1, 3, 1, 1).to(batch.device);
        return (((batch + 1) / 2) - mean) / std;
    }
}
