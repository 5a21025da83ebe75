using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Segmentation;

/// <summary>card.json of a segmenter.</summary>
/// <param name="Kind">"segmenter".</param>
/// <param name="Training">How it came about.</param>
/// <param name="Target">nuclei or tissue.</param>
/// <param name="InputChannels">Channels of the images.</param>
/// <param name="Width">Channels of the network at full resolution.</param>
/// <param name="Depth">How often it halves the image.</param>
/// <param name="Masks">What masks it learnt from, in words.</param>
/// <param name="Dice">Dice of the pixels of the images held out; null without any.</param>
/// <param name="Precision">Their precision.</param>
/// <param name="Recall">Their recall.</param>
public sealed record SegmenterCard(string Kind, TrainingRecord Training, string Target, int InputChannels, int Width, int Depth,
    string Masks, double? Dice, double? Precision, double? Recall) : SupervisedCard(Kind, Training);

/// <summary>Applies a trained segmenter to images of any size. Thread-safe: images are segmented one after the other.</summary>
public sealed class Segmenter : IDisposable
{
    internal const string Kind = "segmenter";
    private const int Tile = 1024, Context = 64;
    private readonly SegmentationUnet network;
    private readonly Device device;
    private readonly Lock gate = new();

    private Segmenter(SegmenterCard card, string sha256, SegmentationUnet network, Device device) =>
        (Card, Sha256, this.network, this.device) = (card, sha256, network, device);

    /// <summary>Card of the segmenter.</summary>
    public SegmenterCard Card { get; }

    /// <summary>SHA-256 of its weights.</summary>
    public string Sha256 { get; }

    /// <summary>Object of the segmentation.</summary>
    public SegmentationTarget Target => Card.Target == "tissue" ? SegmentationTarget.Tissue : SegmentationTarget.Nuclei;

    /// <summary>Reads the card of a model folder, or of the model of a run folder.</summary>
    /// <exception cref="TinctorException">It is no segmenter.</exception>
    public static SegmenterCard ReadCard(string folder) => SupervisedModel.ReadCard<SegmenterCard>(folder, Kind);

    /// <summary>Reads a model folder, or the model of a run folder, onto a device.</summary>
    /// <exception cref="TinctorException">It is no segmenter.</exception>
    public static Segmenter Load(string folder, Device device)
    {
        SegmenterCard card = ReadCard(folder);
        var target = card.Target == "tissue" ? SegmentationTarget.Tissue : SegmentationTarget.Nuclei;
        var network = new SegmentationUnet(card.InputChannels, Classes(target), card.Width, card.Depth);
        SupervisedModel.LoadWeights(folder, network);
        network.to(device);
        network.eval();
        return new(card, SupervisedModel.Sha256(folder), network, device);
    }

    /// <summary>The likeliest class of each pixel [height, width]: 0 background, 1 tissue or the inside of a nucleus, 2 its boundary.</summary>
    /// <exception cref="TinctorException">The image has other channels than the network takes.</exception>
    public byte[] Classify(Image image)
    {
        if (image.Channels != Card.InputChannels)
            throw new TinctorException($"the segmenter takes {Card.InputChannels} channels, the image has {image.Channels}");
        var classes = new byte[image.Width * image.Height];
        for (int y = 0; y < image.Height; y += Tile)
            for (int x = 0; x < image.Width; x += Tile) ClassifyTile(image, x, y, classes);
        return classes;
    }

    /// <summary>Frees the network.</summary>
    public void Dispose() => network.Dispose();

    internal static int Classes(SegmentationTarget target) => target == SegmentationTarget.Nuclei ? 3 : 2;

    // A tile is seen with what lies around it, so that its edges are no edges.
    private void ClassifyTile(Image image, int x, int y, byte[] classes)
    {
        (int left, int top) = (Math.Max(0, x - Context), Math.Max(0, y - Context));
        (int right, int bottom) = (Math.Min(image.Width, x + Tile), Math.Min(image.Height, y + Tile));
        Image tile = image.Crop(left, top, Math.Min(image.Width, right + Context) - left, Math.Min(image.Height, bottom + Context) - top);
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        Tensor source = tile.ToTensor(ValueRange.MinusOneToOne).unsqueeze(0).to(device);
        Tensor likely;
        lock (gate) likely = network.forward(source).argmax(1).to(ScalarType.Byte).cpu().contiguous();
        ReadOnlySpan<byte> found = likely.data<byte>();
        for (int row = y; row < bottom; row++)
            found.Slice(((row - top) * tile.Width) + x - left, right - x).CopyTo(classes.AsSpan((row * image.Width) + x));
    }
}
