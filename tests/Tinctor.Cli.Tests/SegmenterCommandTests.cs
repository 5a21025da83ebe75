using System.Globalization;
using System.Text.Json;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

/// <summary>A small segmenter, trained and applied through the real command line.</summary>
public sealed class SegmenterCommandTests : IDisposable
{
    private const int Size = 64;
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-segmenter-").FullName;

    public SegmenterCommandTests()
    {
        for (int i = 0; i < 10; i++) Write(i);
    }

    [Fact]
    public void Train_segmenter_resumes_and_segments()
    {
        Outcome trained = Train("run", 60);
        Assert.Equal(0, trained.Code);
        Assert.Contains("masks: instance labels, 16-bit grey", trained.All);
        Assert.Contains("Dice 0.", trained.All);
        double[] losses = Losses("run");
        Assert.True(losses[^1] < 0.75 * losses[0], $"the loss went from {losses[0]} to {losses[^1]}");

        // A run that ended early and one that went on have the same weights.
        Assert.Equal(0, Train("cut", 60, "--set", "training.checkpoint_every=20").Code);
        Directory.Delete(At("cut/model"), recursive: true);
        foreach (string later in Directory.GetFiles(At("cut/checkpoints")).Where(file => !file.EndsWith("00000020.safetensors")))
            File.Delete(later);
        Outcome resumed = CommandLine.Run("train", "segmenter", "--output", At("cut"), "--resume");
        Assert.Equal(0, resumed.Code);
        Assert.Contains("resumed after step 20", resumed.All);
        Assert.Equal(losses[^1], Losses("cut")[^1]);

        Outcome evaluated = CommandLine.Run("evaluate", "--stained", At("images"), "--real", At("images"), "--masks-real", At("masks"),
            "--segmenter", At("run"), "--ihc", "--resamples", "100", "-o", At("report"));
        Assert.True(evaluated.Code == 0, evaluated.All);
        using JsonDocument metrics = JsonDocument.Parse(File.ReadAllText(At("report/metrics.json")));
        string text = metrics.RootElement.GetRawText();
        Assert.Contains("Panoptic quality", text);
        Assert.Contains("Positive nuclei (Ki67 index)", text);
    }

    [Fact]
    public void Train_segmenter_of_classes_evaluates_each_class()
    {
        for (int i = 0; i < 10; i++) WriteClasses(i);
        File.WriteAllText(At("classes/classes.csv"), "value,name\n1,tumour\n2,stroma\n");
        Outcome trained = CommandLine.Run("train", "segmenter", "--images", At("tiles"), "--masks", At("classes"), "--target", "tissue",
            "--output", At("tissue"), "--steps", "40", "--width", "4", "--depth", "2", "--crop-size", "48", "--batch-size", "4",
            "--learning-rate", "0.02", "--seed", "3", "--device", "cpu");
        Assert.True(trained.Code == 0, trained.All);
        Assert.Contains("classes: 1=tumour, 2=stroma", trained.All);
        Assert.Contains("F1 of classes: tumour 0.", trained.All);
        Assert.Contains("stroma", File.ReadAllText(At("tissue/model/card.json")));

        Outcome evaluated = CommandLine.Run("evaluate", "--stained", At("tiles"), "--real", At("tiles"), "--masks-real", At("classes"),
            "--segmenter", At("tissue"), "--resamples", "100", "-o", At("report"));
        Assert.True(evaluated.Code == 0, evaluated.All);
        string[] rows = File.ReadAllLines(At("report/tables/segmentation_classes.csv"));
        Assert.Equal("method,class,f1,precision,recall,share", rows[0]);
        Assert.Equal(["tumour", "stroma", "macro", "weighted"], rows[1..5].Select(row => row.Split(',')[1]));
        double[] f1 = [.. rows[1..5].Select(row => double.Parse(row.Split(',')[2], CultureInfo.InvariantCulture))];
        Assert.Equal((f1[0] + f1[1]) / 2, f1[2], 1e-9);
        Assert.InRange(f1[2], 0.4, 1);
        Assert.Equal(1 + 9, File.ReadAllLines(At("report/tables/segmentation_confusion.csv")).Length);
        Assert.Contains("confusion_", File.ReadAllText(At("report/metrics.json")));

        // Masks of both sides agree perfectly, without a segmenter.
        Outcome masks = CommandLine.Run("evaluate", "--stained", At("tiles"), "--real", At("tiles"), "--masks-real", At("classes"),
            "--masks-stained", At("classes"), "--resamples", "100", "-o", At("masks-report"));
        Assert.True(masks.Code == 0, masks.All);
        Assert.All(File.ReadAllLines(At("masks-report/tables/segmentation_classes.csv"))[1..], row => Assert.Equal("1", row.Split(',')[2]));
        File.WriteAllText(At("classes/classes.csv"), "value,name\n1,tumour\n2,fat\n");
        Assert.Contains("the class fat of the masks is none of the segmenter's (tumour, stroma)", CommandLine.Run("evaluate", "--stained",
            At("tiles"), "--real", At("tiles"), "--masks-real", At("classes"), "--segmenter", At("tissue"), "-o", At("r")).OneError());
    }

    [Fact]
    public void Train_segmenter_mistakes_are_one_line()
    {
        Assert.Contains("--masks", CommandLine.Run("train", "segmenter", "--images", At("images"), "--output", At("a")).OneError());
        Assert.Contains("no PNG, JPEG or TIFF images",
            CommandLine.Run("train", "segmenter", "--images", root, "--masks", At("masks"), "--output", At("b")).OneError());
        Assert.Contains("red", Train("c", 1, "--foreground", "red").OneError());
        Assert.Contains("contains no segmenter", CommandLine.Run("evaluate", "--stained", At("images"), "--real", At("images"),
            "--segmenter", At("images"), "-o", At("d")).OneError());
        Assert.Contains("--dab-grades", CommandLine.Run("evaluate", "--stained", At("images"), "--real", At("images"),
            "--ihc", "--dab-grades", "0.4,0.2,0.6", "-o", At("e")).OneError());
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string At(string name) => Path.Combine(root, name);

    private Outcome Train(string run, int steps, params string[] more) => CommandLine.Run(["train", "segmenter", "--images", At("images"),
        "--masks", At("masks"), "--output", At(run), "--steps", $"{steps}", "--width", "4", "--depth", "2", "--crop-size", "48",
        "--batch-size", "4", "--learning-rate", "0.01", "--seed", "3", .. more]);

    private double[] Losses(string run)
    {
        string[][] lines = [.. File.ReadLines(At($"{run}/metrics.csv")).Select(line => line.Split(','))];
        int column = Array.IndexOf(lines[0], "loss");
        return [.. lines.Skip(1).Select(line => line[column]).Where(loss => loss.Length > 0)
            .Select(loss => double.Parse(loss, CultureInfo.InvariantCulture))];
    }

    // Blue and pink squares on a pale ground, by colour.
    private void WriteClasses(int index)
    {
        var random = new Random(index);
        Image image = new(Size, Size, 3), mask = new(Size, Size, 1);
        for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)(225 + random.Next(20));
        for (int square = 0; square < 6; square++)
        {
            (int left, int top, int kind) = (random.Next(Size - 16), random.Next(Size - 16), 1 + (square % 2));
            for (int i = 0; i < 256; i++)
            {
                int at = ((top + (i / 16)) * Size) + left + (i % 16);
                mask.Data[at] = (byte)kind;
                (image.Data[3 * at], image.Data[(3 * at) + 1], image.Data[(3 * at) + 2]) =
                    kind == 1 ? ((byte)90, (byte)100, (byte)180) : ((byte)230, (byte)120, (byte)150);
            }
        }
        foreach ((string folder, Image file) in new[] { ("tiles", image), ("classes", mask) })
        {
            Directory.CreateDirectory(At(folder));
            file.Write(At($"{folder}/{index:D2}.png"));
        }
    }

    // Blue discs on a pale ground, numbered.
    private void Write(int index)
    {
        var random = new Random(index);
        Image image = new(Size, Size, 3), mask = new(Size, Size, 1, SampleType.UInt16);
        for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)(225 + random.Next(20));
        for (int nucleus = 1; nucleus <= 5; nucleus++)
        {
            (int x, int y, int radius) = (random.Next(Size), random.Next(Size), random.Next(5, 9));
            for (int i = 0; i < Size * Size; i++)
            {
                if (((i % Size - x) * (i % Size - x)) + ((i / Size - y) * (i / Size - y)) > radius * radius) continue;
                mask.Samples16[i] = (ushort)nucleus;
                (image.Data[3 * i], image.Data[(3 * i) + 1], image.Data[(3 * i) + 2]) = (90, 100, (byte)(160 + random.Next(20)));
            }
        }
        foreach ((string folder, Image file) in new[] { ("images", image), ("masks", mask) })
        {
            Directory.CreateDirectory(At(folder));
            file.Write(At($"{folder}/{index:D2}.png"));
        }
    }
}
