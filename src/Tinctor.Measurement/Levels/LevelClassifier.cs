using System.Text.Json;
using Tinctor.Measurement.Regions;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;

namespace Tinctor.Measurement.Levels;

/// <summary>IHC level of a region: probabilities of the tiles, averaged by the tissue in them.</summary>
/// <param name="Prediction">Levels with their probabilities.</param>
/// <param name="Tiles">Number of classified tiles.</param>
internal sealed record RegionLevel(IhcLevelPrediction Prediction, int Tiles);

/// <summary>Trained classifier of images, such as of IHC levels, on ONNX Runtime. Thread-safe.</summary>
internal sealed class LevelClassifier : IDisposable
{
    private const double LeastShare = 0.25;
    private const int DefaultSide = 512;

    private readonly OnnxNetwork network;
    private readonly Card card;

    private LevelClassifier(OnnxNetwork network, Card card, string sha256) => (this.network, this.card, Sha256) = (network, card, sha256);

    /// <summary>SHA-256 of the weights.</summary>
    public string Sha256 { get; }

    /// <summary>Micrometres per pixel of the images that the network takes, as the card states it; null if it does not.</summary>
    public double? Mpp => card.Mpp;

    /// <summary>Side of the images that the network takes, in its pixels.</summary>
    public int Side => card.CropSize > 0 ? card.CropSize : card.ImageSize > 0 ? card.ImageSize : DefaultSide;

    /// <summary>Reads the kind of model that a folder holds from its card: classifier, segmenter or another; null without a card.</summary>
    /// <exception cref="TinctorException">The card is damaged.</exception>
    public static string? KindOf(string folder) => Card.Read(folder)?.Kind;

    /// <summary>Loads a classifier.</summary>
    /// <param name="folder">Model folder of a classifier.</param>
    /// <exception cref="TinctorException">The folder has no classifier, or its network is missing or of other weights.</exception>
    public static LevelClassifier Load(string folder)
    {
        if (Card.Read(folder) is not { Kind: "classifier", Classes.Count: > 1 } card)
            throw new TinctorException(folder, "holds no classifier", "Name the model folder of a classifier.");
        string path = Path.Combine(folder, ModelFolder.OnnxFile), sha256 = ModelFolder.Sha256(folder);
        OnnxNetwork network = OnnxNetwork.OpenExported(path, sha256, ["logits"])
            ?? throw new TinctorException(path, "is missing, or was exported from other weights", "Train the classifier again.");
        return new(network, card, sha256);
    }

    /// <summary>Predicts the level of a region.</summary>
    /// <param name="picture">The picture.</param>
    /// <param name="region">Region in pixels of the picture at full resolution.</param>
    /// <param name="downsample">Pixels of the picture per pixel of the network's images.</param>
    /// <param name="tissueDensity">Sum of haematoxylin and DAB from which a pixel is tissue.</param>
    /// <param name="cancel">Cancels between tiles.</param>
    /// <returns>The prediction; null if the region has no tissue.</returns>
    /// <exception cref="TinctorException">The picture cannot be read, or the network fails.</exception>
    public RegionLevel? Predict(
        IPictureSource picture, MeasuredRegion region, double downsample, double tissueDensity, CancellationToken cancel = default)
    {
        (int width, int height) = picture.SizeAt(downsample);
        var sums = new double[card.Classes.Count];
        double weights = 0;
        int tiles = 0;
        (double Tissue, float[] Logits)? best = null;
        foreach (PixelArea tile in Tiles(region.Bounds(downsample, width, height), width, height))
        {
            cancel.ThrowIfCancellationRequested();
            bool[] inside = region.Mask(downsample, tile);
            if (!inside.Contains(true)) continue;
            Image image = picture.Read(downsample, tile, cancel);
            double tissue = TissueIn(image, inside, tissueDensity);
            bool isEnough = tissue >= LeastShare * tile.Width * tile.Height;
            if (tissue == 0 || (!isEnough && (tiles > 0 || best is { } other && other.Tissue >= tissue))) continue;
            float[] logits = network.RunForVectors(ImageBatch.FromImages([image]), "logits")[0][0];
            if (!isEnough)
            {
                best = (tissue, logits);
                continue;
            }
            Add(tissue, logits);
        }
        // A region of scraps of tissue has the level of the largest.
        if (tiles == 0 && best is { } only) Add(only.Tissue, only.Logits);
        return tiles == 0 ? null : new(new(card.Classes, [.. sums.Select(sum => (float)(sum / weights))]), tiles);

        void Add(double tissue, float[] logits)
        {
            foreach ((int i, float probability) in IhcLevelPrediction.FromLogits(card.Classes, logits).Probabilities.Index())
                sums[i] += tissue * probability;
            weights += tissue;
            tiles++;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => network.Dispose();

    // Tiles that cover a rectangle, centred on it, within the picture.
    private IEnumerable<PixelArea> Tiles(PixelArea bounds, int width, int height)
    {
        return from top in Starts(bounds.Y, bounds.Height, height)
               from left in Starts(bounds.X, bounds.Width, width)
               select new PixelArea(left, top, Math.Min(Side, width), Math.Min(Side, height));

        IEnumerable<int> Starts(int from, int length, int size)
        {
            int count = (length + Side - 1) / Side, first = from - (((count * Side) - length) / 2);
            return Enumerable.Range(0, count).Select(i => Math.Clamp(first + (i * Side), 0, Math.Max(0, size - Side))).Distinct();
        }
    }

    private static double TissueIn(Image image, bool[] inside, double density)
    {
        var stains = new StainDensities(image);
        ReadOnlySpan<float> haematoxylin = stains.Haematoxylin, dab = stains.Dab;
        int tissue = 0;
        for (int i = 0; i < inside.Length; i++)
            if (inside[i] && haematoxylin[i] + dab[i] >= density) tissue++;
        return tissue;
    }

    // The parts of card.json that prediction needs.
    private sealed record Card(string Kind, IReadOnlyList<string> Classes, int ImageSize, int CropSize, double? Mpp)
    {
        private const string FileName = "card.json";
        private const long LargestCard = 1 << 22;
        private static readonly JsonSerializerOptions Format = new()
        {
            PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
            NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals,
        };

        public static Card? Read(string folder)
        {
            string path = Path.Combine(folder, FileName);
            if (new FileInfo(path) is not { Exists: true, Length: > 0 and <= LargestCard }) return null;
            try
            {
                Card card = JsonSerializer.Deserialize<Card>(InputFile.ReadAllBytes(path), Format)!;
                return card with { Classes = card.Classes ?? [] };
            }
            catch (JsonException e)
            {
                throw new TinctorException(path, "the card is damaged", "Train the model again.", e);
            }
        }
    }
}
