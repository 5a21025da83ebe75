using Tinctor.Torch;
using Tinctor.Torch.Optim;
using Tinctor.Training.Export;
using Tinctor.Training.Loading;
using Tinctor.Training.Losses;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Contrastive;

/// <summary>Contrastive training of CEFF's encoders with InfoNCE; the validation score is the retrieval accuracy.</summary>
internal sealed class EncoderTask : SupervisedTask
{
    /// <summary>ONNX files of the two encoders.</summary>
    internal const string SourceFile = "source.onnx", TargetFile = "target.onnx";

    private readonly EncoderConfig config;
    private readonly CeffEncoders encoders;

    public EncoderTask(EncoderConfig config, Device device) : this(config, device, Initialised(config)) { }

    private EncoderTask(EncoderConfig config, Device device, CeffEncoders encoders)
        : base(encoders, device, parameters => new Adam(parameters, config.Training.Lr, (config.Beta1, 0.999),
            weight_decay: config.Training.WeightDecay)) =>
        (this.config, this.encoders) = (config, encoders);

    public override string ScoreName => "retrieval";

    internal override void Pass(Batch batch, Device device) => Embed(batch.Source, batch.Target);

    public override Tensor Loss(Batch batch)
    {
        (Tensor source, Tensor target) = Embed(batch.Source, batch.Target);
        return LossOf(source, target);
    }

    /// <summary>Computes the fraction of source images whose most similar target is their own.</summary>
    public override double Score(IEnumerable<Batch> validation)
    {
        var sources = new List<Tensor>();
        var targets = new List<Tensor>();
        foreach (Batch batch in validation)
        {
            (Tensor source, Tensor target) = Embed(batch.Source, batch.Target);
            sources.Add(F.normalize(source).cpu().DetachFromDisposeScope());
            targets.Add(F.normalize(target).cpu().DetachFromDisposeScope());
        }
        Tensor similarity = torch.cat([.. sources]).matmul(torch.cat([.. targets]).transpose(0, 1));
        Tensor own = torch.arange(similarity.size(0));
        foreach (Tensor embedding in sources.Concat(targets)) embedding.Dispose();
        return similarity.argmax(1).eq(own).to(ScalarType.Float32).mean().item();
    }

    public override void WriteModel(string folder, TrainingRecord record, IEnumerable<Batch> validation) =>
        SupervisedModel.Write(folder,
            new EncoderCard(record, config.Ngf, config.FeatureDim, config.Data.CropSize, config.Temperature), encoders);

    internal override IReadOnlyList<OnnxExport> OnnxExports =>
    [
        new(SourceFile, CreateExport(encoders.Source, Device), new Dictionary<string, string> { ["images"] = "source" }),
        new(TargetFile, CreateExport(encoders.Target, Device), new Dictionary<string, string> { ["images"] = "target" }),
    ];

    // Computes embeddings without gradients, the gradients of the loss with respect to them, and then, by chunk, those of the weights.
    private protected override Tensor Backward(Batch batch)
    {
        if (config.Chunk == 0 || config.Chunk >= batch.Pairs.Count) return base.Backward(batch);
        (Tensor Source, Tensor Target)[] chunks = [.. Chunks(batch)];
        (Tensor[] sources, Tensor[] targets) = Embedded(chunks);
        Tensor source = torch.cat(sources).requires_grad_(), target = torch.cat(targets).requires_grad_();
        Tensor loss = ShareOf(LossOf(source, target));
        Tensor[] gradients = torch.autograd.grad([loss], [source, target]);
        long start = 0;
        foreach ((Tensor Source, Tensor Target) chunk in chunks)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            long count = chunk.Source.size(0);
            (Tensor again, Tensor there) = Embed(chunk.Source, chunk.Target);
            ((again * gradients[0].narrow(0, start, count)).sum() + (there * gradients[1].narrow(0, start, count)).sum()).backward();
            start += count;
        }
        return loss;
    }

    private (Tensor[] Sources, Tensor[] Targets) Embedded((Tensor Source, Tensor Target)[] chunks)
    {
        using Guard quiet = torch.no_grad();
        (Tensor Source, Tensor Target)[] embedded = [.. chunks.Select(chunk => Embed(chunk.Source, chunk.Target))];
        return ([.. embedded.Select(e => e.Source)], [.. embedded.Select(e => e.Target)]);
    }

    private IEnumerable<(Tensor Source, Tensor Target)> Chunks(Batch batch)
    {
        for (int start = 0, count; start < batch.Pairs.Count; start += count)
        {
            // Batch norm needs two or more pairs in the last chunk.
            int left = batch.Pairs.Count - start;
            count = left - config.Chunk == 1 ? left : Math.Min(config.Chunk, left);
            yield return (batch.Source.narrow(0, start, count), batch.Target.narrow(0, start, count));
        }
    }

    /// <summary>Function of an encoder's ONNX file: from "image" [N,3,H,W] in [-1,1] to "features" [N,D].</summary>
    internal static ExportFunction CreateExport(CeffEncoder encoder, Device device) => new("ceff-encoder",
        size => [torch.zeros([size.Count, 3, size.Height, size.Width], device: device)], ["image"],
        inputs => [encoder.forward(inputs[0])], ["features"])
    { Size = new(1, 128, 192), SizeMultiple = 64 };

    private (Tensor Source, Tensor Target) Embed(Tensor source, Tensor target) => encoders.forward(source.to(Device), target.to(Device));

    // The pairs of all ranks are negatives of each other.
    private Tensor LossOf(Tensor source, Tensor target) => InfoNce.Compute(
        BatchAcrossRanks.GatherRows(source), BatchAcrossRanks.GatherRows(target), config.Temperature, config.BothWays);

    private static CeffEncoders Initialised(EncoderConfig config)
    {
        var encoders = new CeffEncoders(config.Ngf, config.FeatureDim);
        WeightInit.Apply(encoders, "normal", 0.02);
        return encoders;
    }
}

/// <summary>Card of trained encoders; card.json.</summary>
/// <param name="Training">Record of the training.</param>
/// <param name="Ngf">Channels of the first convolutions.</param>
/// <param name="FeatureDim">Length of the embeddings.</param>
/// <param name="Patch">Side of the training patches in pixels.</param>
/// <param name="Temperature">Temperature of InfoNCE.</param>
internal sealed record EncoderCard(TrainingRecord Training, int Ngf, int FeatureDim, int Patch, double Temperature)
    : SupervisedCard(EncoderKind, Training)
{
    /// <summary>Kind of the card.</summary>
    public const string EncoderKind = "ceff-encoder";
}
