using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Contrastive;

/// <summary>Configuration of the training of CEFF's two encoders on pairs (Jia et al. 2025, section 2.2).</summary>
public sealed record EncoderConfig : SupervisedConfig
{
    /// <summary>
    /// Creates the official configuration: 300 epochs, of which the last 100 with a linear decay, batches of 64, flips, tiles of 256 pixels
    /// (the tiles of the generator's 512-pixel crops).
    /// </summary>
    public EncoderConfig()
    {
        Data = new() { CropSize = 256, StainJitter = 0, Rotate = false };
        Training = new()
        {
            BatchSize = 64,
            Epochs = 300,
            DecayShare = 1 / 3.0,
            Schedule = Schedule.Linear,
            Lr = 2e-4,
            WeightDecay = 1e-4,
        };
    }

    /// <summary>Name of the task.</summary>
    [AllowedValues("ceff-encoder")]
    public string Task { get; init; } = "ceff-encoder";

    /// <summary>Channels of the encoders' first convolutions.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Length of the embeddings.</summary>
    [Range(2, 65536)]
    public int FeatureDim { get; init; } = 1024;

    /// <summary>Temperature of InfoNCE.</summary>
    [Range(0.001, 10.0)]
    public double Temperature { get; init; } = 0.07;

    /// <summary>Whether the loss is symmetric, with IHC images as queries too; paper and official code use H&amp;E queries only.</summary>
    public bool BothWays { get; init; }

    /// <summary>
    /// Number of pairs in a forward pass, 0 for the whole batch. Chunks need less memory and give the gradients of the whole batch (Gao et
    /// al. 2021), except that batch norm uses the statistics of a chunk.
    /// </summary>
    [Range(0, 4096)]
    public int Chunk { get; init; }

    /// <summary>Adam's first moment decay.</summary>
    [Range(0, 0.999999)]
    public double Beta1 { get; init; } = 0.5;

    /// <inheritdoc/>
    public override PairManifest ReadData()
    {
        if (Training.BatchSize < 2)
        {
            throw new TinctorException(null, $"training.batch_size is {Training.BatchSize}, expected 2 or more for negative pairs",
                "Use training.batch_size=64")
            { Option = "training.batch_size" };
        }
        if (Chunk == 1)
            throw new TinctorException(null, "chunk is 1, expected 0, or 2 or more for batch norm", "Use chunk=2") { Option = "chunk" };
        PairManifest pairs = PairManifest.Read(Data.Path, Data.SlidePattern);
        if (pairs.Pairs.FirstOrDefault(pair => pair.Layout == PairLayout.Single) is { } single)
            throw new TinctorException(single.Source, "no target, but encoders are trained on pairs", "Name a data set of pairs");
        return pairs;
    }

    /// <inheritdoc/>
    internal override SupervisedTask Create(Device device, TrainingData data) => new EncoderTask(this, device);
}
