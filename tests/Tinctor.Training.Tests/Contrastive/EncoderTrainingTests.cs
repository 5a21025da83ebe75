using System.Globalization;
using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Contrastive;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods.Ceff;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Tests.Contrastive;

[Collection(Alone.Name)]
public sealed class EncoderTrainingTests : DataFolder
{
    private static readonly string[] Small =
        ["ngf=2", "feature_dim=16", "data.crop_size=0", "data.flip=false", "data.rotate=false", "training.device=cpu", "training.lr=0.002",
            "training.schedule=cosine"];

    [Theory, InlineData(2), InlineData(3)]
    public void Train_in_chunks_has_gradients_of_whole_batch(int chunk)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        PairManifest pairs = PairManifest.Read(Pairs(slides: 7));
        OrderedDictionary<string, Tensor> Step(int size)
        {
            torch.manual_seed(4);
            EncoderConfig config = Config($"chunk={size}", "both_ways=true");
            using SupervisedTask task = config.Create(Device.CPU, null!);
            // Running statistics: batch norm's own depend on what passes together.
            task.Network.eval();
            using Batch batch = new PairLoader(new PairedDataset(pairs.Pairs, config.Transform(augment: false)), 7).Batches(0).First();
            task.TrainStep(batch);
            return new(task.Network.named_parameters().Select(p => KeyValuePair.Create(p.name, p.parameter.grad!.clone())));
        }
        OrderedDictionary<string, Tensor> whole = Step(0), chunks = Step(chunk);
        foreach ((string name, Tensor gradient) in whole) Vectors.Close(gradient, chunks[name], name, 1e-4, 1e-7);
    }

    [Fact]
    public void Train_encoders_learns_pairs()
    {
        string data = Pairs(slides: 8);
        SupervisedTrainer.Start(
            Config($"data.path={data}", "data.folds=2", "training.batch_size=4", "training.steps=160", "training.checkpoint_every=40"),
            At("run"), new Silent());
        EncoderCard card = EncoderReference.ReadCard(At("run"));
        Assert.Equal((2, 16, "retrieval"), (card.Ngf, card.FeatureDim, card.Training.ScoreName));
        Assert.Contains(card.Training.Score, new double?[] { 0, 0.25, 0.5, 0.75, 1 }); // of 4 images
        // Four pairs a batch: who knows nothing has ln 4 = 1.39. Two of four slides may stay alike: 0.35.
        double loss = double.Parse(File.ReadAllLines(At("run/metrics.csv")).Select(line => line.Split(',')[2])
            .Last(text => text.Length > 0),
            CultureInfo.InvariantCulture);
        Assert.InRange(loss, 0, 0.6);

        var model = new CeffConfig { Ngf = 2, Ndf = 2, Encoders = new() { Path = At("run") } };
        PairManifest pairs = PairManifest.Read(data);
        var completed = (CeffConfig)model.Completed();
        Assert.Equal((16, SupervisedModel.Sha256(At("run"))), (completed.FeatureDim, completed.Encoders!.Sha256));
        Assert.Empty(completed.Remarks(pairs.Pairs, []));
        Pair seen = pairs.Pairs.First(pair => card.Training.TrainSlides.Contains(pair.SlideId));
        Assert.Contains("trained on test slides", Assert.Throws<TinctorException>(() => completed.Remarks([], [seen])).Message);
        Assert.Contains("Use model.ngf=2", Assert.Throws<TinctorException>(() => (model with { Ngf = 4 }).Completed()).Message);
        using DisposeScope scope = torch.NewDisposeScope();
        using var method = (CeffMethod)completed.Create(Device.CPU);
        using CeffEncoders encoders = completed.Encoders.Load();
        foreach ((string key, Tensor value) in encoders.Source.state_dict())
            Assert.True(torch.equal(value, method.Generator.state_dict()[$"encoder_fusion.{key}"]), key);
    }

    [Fact]
    public void Remarks_without_encoders_throw_with_advice()
    {
        var model = new CeffConfig();
        var missing = Assert.Throws<OptionException>(() => model.Remarks([], []));
        Assert.Equal("Encoders", missing.Option);
        Assert.Contains("Train encoders on the same data first", missing.Message);
        Assert.Contains("random", Assert.Single((model with { EncoderStart = "random" }).Remarks([], [])));
        Assert.Empty((model with { Fusion = false, AdaptiveL1 = false }).Remarks([], []));
        Assert.Contains("contains no ceff-encoder", Assert.Throws<TinctorException>(
            () => (model with { Encoders = new() { Path = Root } }).Completed()).Message);
    }

    private static EncoderConfig Config(params string[] settings) => ConfigFile.Read<EncoderConfig>(null, [.. Small, .. settings]);

    // Source and target of a slide share a colour that no other slide has.
    private string Pairs(int slides)
    {
        var manifest = new List<string> { "source,target,split,label,slide_id" };
        for (int slide = 0; slide < slides; slide++)
        {
            foreach (string side in new[] { "source", "target" })
            {
                var image = new Image(64, 64, 3);
                var random = new Random((slide * 2) + side.Length);
                for (int i = 0; i < image.Data.Length; i++)
                    image.Data[i] = (byte)(40 + (((slide >> (i % 3)) & 1) * 140) + random.Next(40));
                Directory.CreateDirectory(At(side));
                image.Write(At($"{side}/{slide}.png"));
            }
            manifest.Add($"source/{slide}.png,target/{slide}.png,train,,s{slide}");
        }
        return WriteText("manifest.csv", string.Join('\n', manifest));
    }

    private sealed class Silent : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) { }
    }
}
