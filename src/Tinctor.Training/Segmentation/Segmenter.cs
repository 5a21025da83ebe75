using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Segmentation;

/// <summary>Card of a segmenter; card.json.</summary>
/// <param name="Kind">"segmenter".</param>
/// <param name="Training">Record of the training.</param>
/// <param name="Target">nuclei or tissue.</param>
/// <param name="InputChannels">Channels of the images.</param>
/// <param name="Width">Channels of the network at full resolution.</param>
/// <param name="Depth">Number of downsampling steps of the network.</param>
/// <param name="Masks">Description of the training masks.</param>
/// <param name="Dice">Dice coefficient of the pixels of the held-out images; null without any.</param>
/// <param name="Precision">Precision of these pixels.</param>
/// <param name="Recall">Recall of these pixels.</param>
internal sealed record SegmenterCard(string Kind, TrainingRecord Training, string Target, int InputChannels, int Width, int Depth,
    string Masks, double? Dice, double? Precision, double? Recall) : SupervisedCard(Kind, Training)
{
    /// <summary>Classes of tissue, 1 and so on in the output; null for a single one.</summary>
    public IReadOnlyList<ClassCard>? Classes { get; init; }

    /// <summary>Mean F1 of the classes of tissue on the held-out images; null without any.</summary>
    public double? MacroF1 { get; init; }
}

/// <summary>Class of tissue of a segmenter.</summary>
/// <param name="Name">Name of the class.</param>
/// <param name="F1">F1 of its pixels of the held-out images; null without any.</param>
internal sealed record ClassCard(string Name, double? F1);

/// <summary>Trained segmenter for images of any size. Thread-safe; images are processed one at a time.</summary>
internal sealed class Segmenter : IDisposable
{
    internal const string Kind = "segmenter";
    private const int Tile = 1024, Context = 64;
    private readonly SegmentationUnet? network;
    private readonly OnnxNetwork? onnx;
    private readonly Device device;
    private readonly Lock gate = new();

    private Segmenter(string folder, SegmenterCard card, Device device)
    {
        (Card, Sha256, this.device) = (card, SupervisedModel.Sha256(folder), device);
        onnx = SupervisedModel.OpenOnnx(folder, OnnxExport.ModelName, device, "logits");
        if (onnx is not null) return;
        network = new SegmentationUnet(card.InputChannels, ClassCount, card.Width, card.Depth);
        SupervisedModel.LoadWeights(folder, network);
        network.to(device);
        network.eval();
    }

    /// <summary>Card of the segmenter.</summary>
    public SegmenterCard Card { get; }

    /// <summary>SHA-256 of the weights.</summary>
    public string Sha256 { get; }

    /// <summary>Object of the segmentation.</summary>
    public SegmentationTarget Target => Card.Target == "tissue" ? SegmentationTarget.Tissue : SegmentationTarget.Nuclei;

    /// <summary>Names of the classes of tissue, 1 and so on in <see cref="Classify"/>; empty for a single one.</summary>
    public IReadOnlyList<string> ClassNames => [.. (Card.Classes ?? []).Select(each => each.Name)];

    private int ClassCount => Classes(Target, ClassNames.Count);

    /// <summary>Reads the card in a model folder, or of the model in a run folder.</summary>
    /// <exception cref="TinctorException">The folder contains no segmenter.</exception>
    public static SegmenterCard ReadCard(string folder) => SupervisedModel.ReadCard<SegmenterCard>(folder, Kind);

    /// <summary>Loads a model folder, or the model in a run folder, on a device.</summary>
    /// <exception cref="TinctorException">The folder contains no segmenter.</exception>
    public static Segmenter Load(string folder, Device device) => new(folder, ReadCard(folder), device);

    /// <summary>Predicts the class of each pixel [height, width]: 0 background, 1 tissue or interior of nuclei, 2 boundary; or 1
    /// and so on for the classes of tissue.</summary>
    /// <exception cref="TinctorException">The image has the wrong number of channels.</exception>
    public byte[] Classify(Image image)
    {
        if (image.Channels != Card.InputChannels)
        {
            throw new TinctorException(null, $"the image has {image.Channels} channels, but the segmenter expects {Card.InputChannels}",
                "Convert the image, or use a segmenter of such images");
        }
        var classes = new byte[image.Width * image.Height];
        for (int y = 0; y < image.Height; y += Tile)
            for (int x = 0; x < image.Width; x += Tile) ClassifyTile(image, x, y, classes);
        return classes;
    }

    /// <summary>Frees the network.</summary>
    public void Dispose()
    {
        network?.Dispose();
        onnx?.Dispose();
    }

    private byte[] OnTorch(SegmentationUnet network, Image tile)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        Tensor source = tile.ToTensor(ValueRange.MinusOneToOne).unsqueeze(0).to(device);
        lock (gate) return network.forward(source).argmax(1).to(ScalarType.Byte).cpu().contiguous().ToArray<byte>();
    }

    private byte[] OnOnnx(OnnxNetwork network, Image tile)
    {
        OnnxArray logits;
        lock (gate) logits = network.Run(ImageBatch.FromImages([tile]), "logits")[0];
        int classes = ClassCount, plane = tile.Width * tile.Height;
        if (logits.Values.Length != classes * plane)
            throw new TinctorException(network.Path,
                $"the output is [{string.Join(',', logits.Shape)}], expected {classes} classes a pixel",
                    "Delete the file; the network then runs from the weights");
        byte[] likely = new byte[plane];
        for (int i = 0; i < plane; i++)
            for (int c = 1; c < classes; c++)
                if (logits.Values[(c * plane) + i] > logits.Values[(likely[i] * plane) + i]) likely[i] = (byte)c;
        return likely;
    }

    /// <summary>Function of the ONNX file: from "image" [N,C,H,W] in [-1,1] to "logits" [N,classes,H,W].</summary>
    internal static ExportFunction CreateExport(SegmentationUnet network, int channels, Device device) => new("segmenter",
        size => [torch.zeros([size.Count, channels, size.Height, size.Width], device: device)], ["image"],
        inputs => [network.forward(inputs[0])], ["logits"])
    // Sizes without padding and beyond them, so that the padding is seen as what it is.
    { Size = new(1, 2 << network.Depth, 3 << network.Depth) };

    /// <summary>Gets the number of outputs with the background.</summary>
    /// <param name="target">Object of the segmenter.</param>
    /// <param name="tissueClasses">Number of classes of tissue; 0 for a single one.</param>
    internal static int Classes(SegmentationTarget target, int tissueClasses = 0) =>
        target == SegmentationTarget.Nuclei ? 3 : tissueClasses > 0 ? tissueClasses + 1 : 2;

    // Context around a tile avoids artefacts at its edges.
    private void ClassifyTile(Image image, int x, int y, byte[] classes)
    {
        (int left, int top) = (Math.Max(0, x - Context), Math.Max(0, y - Context));
        (int right, int bottom) = (Math.Min(image.Width, x + Tile), Math.Min(image.Height, y + Tile));
        Image tile = image.Crop(left, top, Math.Min(image.Width, right + Context) - left, Math.Min(image.Height, bottom + Context) - top);
        byte[] found = network is null ? OnOnnx(onnx!, tile) : OnTorch(network, tile);
        for (int row = y; row < bottom; row++)
            found.AsSpan(((row - top) * tile.Width) + x - left, right - x).CopyTo(classes.AsSpan((row * image.Width) + x));
    }
}
