using System.Globalization;
using System.Text.Json;
using Tinctor.Slides;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Tests.Loop;

namespace Tinctor.Cli.Tests;

/// <summary>What a finished run leaves, for people and their tools.</summary>
[Collection("trained")]
public sealed class RunFolderContentTests(TrainedRun trained)
{
    [Fact]
    public void Environment_json_has_versions_and_data()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(Path.Combine(trained.Run, "environment.json")));
        JsonElement root = file.RootElement, data = root.GetProperty("data");
        Assert.Matches(@"^\d+\.\d+\.\d+(\+[0-9a-f]{40})?$", root.GetProperty("tinctor").GetString());
        Assert.Matches(@"^\d+\.\d+", root.GetProperty("libtorch").GetString());
        Assert.Equal(1, root.GetProperty("threads").GetInt32());
        Assert.Equal(6, data.GetProperty("splits").GetProperty("train").GetInt32());
        Assert.Equal(17, data.GetProperty("files").EnumerateObject().Count());
        Assert.Matches("^[0-9a-f]{64}$", data.GetProperty("files").GetProperty("source/0.png").GetString());
        Assert.Equal(["slide3"], data.GetProperty("slides").GetProperty("val").EnumerateArray().Select(slide => slide.GetString()));
    }

    [Fact]
    public void Log_has_every_loss_at_every_checkpoint()
    {
        string[] lines = File.ReadAllLines(Path.Combine(trained.Run, "metrics.csv"));
        Assert.Equal("step,epoch,G_GAN,G_L1,D_real,D_fake,lr,images_per_s,val_psnr", lines[0]);
        string[][] losses = [.. lines.Skip(1).Select(line => line.Split(',')).Where(line => line[2].Length > 0)];
        Assert.All(Enumerable.Range(1, TrainedRun.Steps).Where(step => step % TrainedRun.CheckpointEvery == 0 || step % 3 == 0),
            step => Assert.Contains(losses, line => line[0] == $"{step}"));
        Assert.Equal(TrainedRun.Steps / TrainedRun.CheckpointEvery, lines.Skip(1).Count(line => line.Split(',')[^1].Length > 0));
        Assert.Equal("0.0002", losses[0][6]);
        Assert.Equal("1E-05", losses[^1][6]);
    }

    [Fact]
    public void TensorBoard_has_curves_and_pictures()
    {
        List<BoardEvent> shown = EventFile.Show(trained.Run);
        Assert.Equal(
            ["config/text_summary", "images_per_s", "loss/D_fake", "loss/D_real", "loss/G_GAN", "loss/G_L1", "lr", "samples", "val_psnr"],
            shown.Select(item => item.Tag).Distinct().Order(StringComparer.Ordinal));
        ProtoMessage picture = shown.Last(item => item.Tag == "samples").Value!.Message(4);
        Assert.Equal((32L, 96L), (picture.Get<long>(1), picture.Get<long>(2)));
    }

    [Fact]
    public void Checkpoints_keep_last_and_best()
    {
        Assert.Equal(["best.safetensors", "step-00000038.safetensors", "step-00000040.safetensors"],
            Directory.GetFiles(Path.Combine(trained.Run, "checkpoints")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(20, Directory.GetFiles(Path.Combine(trained.Run, "samples")).Length);
        Assert.Equal((96, 32), Size(Path.Combine(trained.Run, "samples", "step-00000040.png")));
    }

    [Fact]
    public void Model_card_states_intended_use()
    {
        string card = File.ReadAllText(Path.Combine(trained.Model, "README.md"));
        Assert.Contains("| Training slides | slide0, slide1, slide2 |", card);
        Assert.Contains("| Held-out slides | slide3, slide4 |", card);
        Assert.Contains("Research use only, not for diagnosis", card);
        Assert.Contains("ngf: 4", card);
    }

    [Fact]
    public void Model_card_counts_parameters_without_statistics()
    {
        OrderedDictionary<string, Tensor> weights = SafeTensors.Load(Path.Combine(trained.Model, "model.safetensors"));
        long parameters = weights.Where(each => !each.Key.Contains("running_") && !each.Key.EndsWith("num_batches_tracked"))
            .Sum(each => each.Value.numel());
        Assert.InRange(parameters, 1, weights.Values.Sum(tensor => tensor.numel()));
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"| Parameters | {parameters:N0} |"),
            File.ReadAllText(Path.Combine(trained.Model, "README.md")));
    }

    private static (int, int) Size(string path)
    {
        ImageInfo info = Image.ReadInfo(path);
        return (info.Width, info.Height);
    }
}
