using Tinctor.Data;
using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Classification;

/// <summary>Training of a ResNet with cross entropy; the validation score is accuracy.</summary>
internal sealed class ClassifierTask : ImageTask
{
    private readonly ClassifierConfig config;
    private readonly string[] classes;
    private readonly Tensor classWeights;
    private readonly StartingWeights? start;
    private readonly PixelScale scale;

    public ClassifierTask(ClassifierConfig config, TrainingData data, Device device) : this(config, data, device, ClassesOf(data)) { }

    private ClassifierTask(ClassifierConfig config, TrainingData data, Device device, string[] classes)
        : base(CreateNetwork(config, classes, out StartingWeights? start), config.Training, device)
    {
        (this.config, this.classes, this.start) = (config, classes, start);
        scale = PixelScale.Read(data, config.Data.ImageSize);
        classWeights = torch.tensor(config.ClassWeights == "balanced" ? Balanced(classes, data.Train) : [.. classes.Select(_ => 1f)])
            .to(device).DetachFromDisposeScope();
    }

    public override string ScoreName => "accuracy";

    protected override Tensor Prepare(Tensor images) => Classifier.Normalise(images);

    public override Tensor Loss(Batch batch)
    {
        Tensor truth = torch.tensor<long>([.. batch.Pairs.Select(pair => (long)TruthOf(pair))]).to(Device);
        Tensor loss = F.cross_entropy(Predict(WithNoise(batch.Source.to(Device))), truth, classWeights);
        if (BatchAcrossRanks.Ranks is null) return loss;
        // A weighted mean: the weights of a rank's images count in proportion to those of all.
        Tensor weight = classWeights.index_select(0, truth).sum();
        return loss * (weight / BatchAcrossRanks.Mean(weight));
    }

    private Tensor WithNoise(Tensor images)
    {
        if (config.NoiseOrDefault == 0) return images;
        Tensor strength = BatchAcrossRanks.Draw(images.size(0), rows => torch.rand([rows, 1, 1, 1])).to(Device);
        Tensor noise = BatchAcrossRanks.Draw(images.size(0), rows => torch.randn([rows, .. images.shape[1..]])).to(Device);
        return images + strength * config.NoiseOrDefault * noise;
    }

    public override double Score(IEnumerable<Batch> validation) => Confusion(validation).Accuracy;

    public override void WriteModel(string folder, TrainingRecord record, IEnumerable<Batch> validation) =>
        SupervisedModel.Write(folder,
            new ClassifierCard(record, config.Architecture, classes, config.Side, config.Role, config.Data.ImageSize, config.Data.CropSize,
                Classifier.Mean, Classifier.Std, start, record.ValidationImages > 0 ? Confusion(validation) : null)
            { Mpp = scale.NetworkMpp, StoredSize = scale.ImageSize, Scale = scale.Scale }, Network);

    internal override IReadOnlyList<OnnxExport> OnnxExports =>
        [Classifier.CreateOnnxFile((ResNet)Network, classes, config.Architecture, Device)];

    public override void Dispose()
    {
        classWeights.Dispose();
        base.Dispose();
    }

    private ConfusionMatrix Confusion(IEnumerable<Batch> validation) => ConfusionMatrix.Create(classes, validation.SelectMany(batch =>
    {
        long[] predictions = Predict(batch).argmax(1).cpu().ToArray<long>();
        return batch.Pairs.Zip(predictions, (pair, prediction) => (TruthOf(pair), (int)prediction));
    }));

    private int TruthOf(Pair pair) => Array.IndexOf(classes, pair.Label);

    private static string[] ClassesOf(TrainingData data) =>
        [.. data.Train.Concat(data.Validation).Select(pair => pair.Label!).Distinct().Order(StringComparer.Ordinal)];

    // n / (classes * count), as "balanced" in scikit-learn.
    private static float[] Balanced(string[] classes, IReadOnlyList<Pair> pairs) =>
        [.. classes.Select(name => pairs.Count / (float)(classes.Length * Math.Max(1, pairs.Count(pair => pair.Label == name))))];

    private static ResNet CreateNetwork(ClassifierConfig config, string[] classes, out StartingWeights? start)
    {
        ResNet network = ResNet.Create(config.Architecture, classes.Length);
        start = null;
        if (config.Weights is not { Length: > 0 } path) return network;
        start = StartingWeights.FromFile(path, network.LoadWeights(path));
        return network;
    }
}
