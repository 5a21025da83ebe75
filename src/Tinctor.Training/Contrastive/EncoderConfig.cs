using System.ComponentModel.DataAnnotations;
using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Contrastive;

/// <summary>Training of CEFF's two encoders on pairs (Jia et al. 2025, section 2.2); config.yaml of the run.</summary>
public sealed record EncoderConfig : SupervisedConfig
{
    /// <summary>The paper's 300 epochs of batches of 64; tiles of 256 pixels, as the generator shows its encoder of crops of 512.</summary>
    public EncoderConfig()
    {
        Data = new() { CropSize = 256, StainJitter = 0 };
        Training = new() { BatchSize = 64, Epochs = 300, Lr = 2e-4, WeightDecay = 1e-4 };
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

    /// <summary>The temperature of InfoNCE.</summary>
    [Range(0.001, 10.0)]
    public double Temperature { get; init; } = 0.07;

    /// <summary>Whether IHC images are queries too; the paper's loss, and its code's, has H&amp;E images as queries alone.</summary>
    public bool BothWays { get; init; }

    /// <summary>
    /// Pairs that pass the encoders at a time, 0 for all of a batch: less memory, and the gradients of the whole batch all the same (Gao
    /// et al. 2021); batch norm sees the pairs of a chunk.
    /// </summary>
    [Range(0, 4096)]
    public int Chunk { get; init; }

    /// <summary>Adam's first moment decay.</summary>
    [Range(0.0, 1.0)]
    public double Beta1 { get; init; } = 0.5;

    /// <inheritdoc/>
    public override PairManifest ReadData()
    {
        if (Training.BatchSize < 2) throw new TinctorException("training.batch_size must be 2 or more: other pairs are the negatives");
        if (Chunk == 1) throw new TinctorException("chunk must be 0, or 2 or more, as batch norm needs");
        PairManifest pairs = PairManifest.Read(Data.Path, Data.SlidePattern);
        if (pairs.Pairs.FirstOrDefault(pair => pair.Layout == PairLayout.Single) is { } single)
            throw new TinctorException($"{single.Source}: has no target; encoders are trained on pairs");
        return pairs;
    }

    /// <inheritdoc/>
    public override SupervisedTask Create(Device device, TrainingData data) => new EncoderTask(this, device);
}
