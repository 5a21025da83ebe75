using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Staining.WholeSlides;
using Tinctor.Torch;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Bridges;

namespace Tinctor.Training.Tests.Loading;

/// <summary>Z-score of sources over the whole image, and crops that are not blank.</summary>
public class SourceStatisticsTests : DataFolder
{
    [Theory, InlineData(SampleType.UInt8), InlineData(SampleType.UInt16)]
    public void Get_whole_source_equals_input_of_staining(SampleType type)
    {
        Image image = WriteSource(23, 17, type);
        using DisposeScope scope = torch.NewDisposeScope();
        float[] trained = Data(new() { StandardizeSource = true }).Get(0).Source.contiguous().ToArray<float>();
        using Stainer stainer = RecordingStainer(out List<ImageBatch> inputs);
        stainer.Stain(image);
        Assert.Equal(inputs[0].Values, trained);
        Assert.Equal(0, trained.Average(value => (double)value), 1e-5);
        Assert.Equal(1, trained.Average(value => (double)value * value), 1e-4);
    }

    [Fact]
    public void Get_crop_at_border_has_numbers_of_whole_source()
    {
        WriteSource(23, 17, SampleType.UInt16);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor whole = Data(new() { StandardizeSource = true }).Get(0).Source;
        bool[] borders = new bool[4];
        PairedDataset crops = Data(new() { StandardizeSource = true, Crop = 16, RandomCrop = true });
        for (int epoch = 0; epoch < 40; epoch++)
        {
            Tensor crop = crops.Get(0, epoch).Source;
            var place = Enumerable.Range(0, 2).SelectMany(y => Enumerable.Range(0, 8).Select(x => (X: x, Y: y)))
                .Single(at => torch.equal(whole[.., at.Y..(at.Y + 16), at.X..(at.X + 16)], crop));
            borders[0] |= place.X == 0;
            borders[1] |= place.X == 7;
            borders[2] |= place.Y == 0;
            borders[3] |= place.Y == 1;
        }
        Assert.All(borders, Assert.True);
    }

    [Fact]
    public void Stain_slide_in_tiles_has_numbers_of_whole_image()
    {
        // Wider than one block of the statistics.
        Image image = WriteSource(1100, 70, SampleType.UInt16);
        using Stainer stainer = RecordingStainer(out List<ImageBatch> inputs);
        stainer.Stain(image);
        ImageBatch whole = inputs[0];
        inputs.Clear();
        using Slide slide = Slide.Open(At("train/a.tif"));
        new SlideStainer(stainer, slide, At("out.ome.tif"), new() { WholeSlide = true, TileSize = 64, Halo = 0, Overlap = 32 })
            .Stain();
        var seen = whole.Values.ToHashSet();
        Assert.NotEmpty(inputs);
        Assert.All(inputs, tile => Assert.All(tile.Values, value => Assert.Contains(value, seen)));
    }

    [Fact]
    public void Jittered_source_is_standardized_by_its_own_statistics()
    {
        Write("train/a.png", 48, 20);
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor source = Data(new() { StandardizeSource = true, Jitter = new(1, 0.5) }).Get(0).Source;
        Assert.Equal(0, source.mean().item(), 1e-4);
        Assert.Equal(1, source.std(false).item(), 1e-3);
    }

    [Fact]
    public void Blank_crops_are_drawn_again()
    {
        var both = new Image(80, 40, 3);
        both.Data.AsSpan().Fill(255);
        for (int y = 0; y < 40; y++)
            for (int x = 0; x < 60; x++) both.Data[((y * 80) + 40 + (x % 20)) * 3] = 0;
        Directory.CreateDirectory(At("train"));
        both.Write(At("train/a.png"));
        using DisposeScope scope = torch.NewDisposeScope();
        double[] plain = Targets(0), redrawn = Targets(230);
        Assert.InRange(plain.Count(mean => mean >= 230), 20, 80);
        Assert.InRange(redrawn.Count(mean => mean >= 230), 0, 5);
        // A crop with tissue stays where it was.
        Assert.All(plain.Zip(redrawn).Where(pair => pair.First < 230), pair => Assert.Equal(pair.First, pair.Second));

        double[] Targets(double limit)
        {
            PairedDataset data = Data(new() { Crop = 10, RandomCrop = true, BlankLimit = limit });
            return [.. Enumerable.Range(0, 100).Select(epoch => 127.5 * (data.Get(0, epoch).Target.mean().item() + 1))];
        }
    }

    [Fact]
    public void Load_bbdm_has_official_defaults()
    {
        RunConfig config = ConfigFile.LoadText("", "bbdm", null);
        Assert.Equal((8, 256, true, true, 230), (config.Training.BatchSize, config.Data.CropSize, config.Data.Flip, config.Data.Rotate,
            config.Data.BlankLimit));
        var model = (BbdmConfig)config.Model;
        Assert.Equal((ZScoreRegion.Image, 1e-4, "l2"), (model.ZScore, model.Lr, model.Loss));
        Assert.True(config.Training.Steps > 0);
        Assert.Equal(Schedule.Constant, config.Training.Schedule);
        Assert.Equal(0, ConfigFile.LoadText("", "bbdm", ["training.epochs=3"]).Training.Steps);
    }

    [Fact]
    public void Load_original_bbdm_takes_its_network()
    {
        var model = (BbdmConfig)ConfigFile.LoadText("", "bbdm", ["model.variant=bbdm", "model.network.dropout=0.1"]).Model;
        Assert.Equal([1, 4, 8], model.Network.ChannelMult);
        Assert.Equal((64, 0.1, "l1"), (model.Network.NumHeadChannels, model.Network.Dropout, model.Loss));
        Assert.Equal([1, 1, 2, 2, 4, 4], ((BbdmConfig)ConfigFile.LoadText("", "bbdm", null).Model).Network.ChannelMult);
    }

    [Fact]
    public void LoadRun_of_file_without_z_score_keeps_crops()
    {
        string text = ConfigFile.Write(ConfigFile.LoadText("", "bbdm", ["data.path=x"]));
        string old = string.Join('\n', text.Split('\n').Where(line => !line.Contains("z_score") && !line.Contains("blank_limit")));
        RunConfig run = ConfigFile.LoadRun(WriteText("config.yaml", old), out _);
        Assert.Equal((ZScoreRegion.Crop, 0), (((BbdmConfig)run.Model).ZScore, run.Data.BlankLimit));
        Assert.Equal(ZScoreRegion.Image, ((BbdmConfig)ConfigFile.LoadRun(WriteText("new.yaml", text), out _).Model).ZScore);
    }

    private Image WriteSource(int width, int height, SampleType type)
    {
        var image = new Image(width, height, 3, type);
        new Random(3).NextBytes(image.Data);
        Directory.CreateDirectory(At("train"));
        image.Write(At("train/a.tif"));
        return image;
    }

    private PairedDataset Data(PairTransform transform)
    {
        string[] files = Directory.GetFiles(At("train"));
        PairLayout layout = files[0].EndsWith("png") ? PairLayout.SourceLeft : PairLayout.TwoFiles;
        return new([new Pair(files[0], layout == PairLayout.TwoFiles ? files[0] : null, "train", null, "s", layout)], transform);
    }

    private static Stainer RecordingStainer(out List<ImageBatch> inputs)
    {
        var recorder = new Recorder();
        inputs = recorder.Inputs;
        return new(recorder, new() { Method = "test", InputChannels = 3, OutputChannels = 3, StandardizesSource = true });
    }

    private sealed class Recorder : INetworkExecutor
    {
        public List<ImageBatch> Inputs { get; } = [];

        public bool NormalizesByImage => false;

        public int? ReceptiveField => 0;

        public string Precision => "test";

        public NetworkOutput Run(NetworkInput input)
        {
            lock (Inputs) Inputs.Add(input.Source);
            return new(input.Source);
        }

        public ImageBatch Predict(ImageBatch state, double time, ImageBatch end) => throw new NotSupportedException();

        public void Dispose() { }
    }
}
