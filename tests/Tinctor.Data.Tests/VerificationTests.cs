
namespace Tinctor.Data.Tests;

public class VerificationTests : DataFolder
{
    [Fact]
    public void Check_six_broken_pairs_reports_all()
    {
        foreach (string name in (string[])["1", "2", "3", "4", "5", "6", "7", "8"])
        {
            Write($"HE/train/{name}.png", 64, 64);
            Write($"IHC/train/{name}.png", 64, 64);
        }
        File.Delete(At("IHC/train/2.png"));
        File.Delete(At("HE/train/3.png"));
        Write("IHC/train/4.png", 65, 64);
        File.WriteAllText(At("HE/train/5.png"), "no image");
        using (FileStream cut = File.OpenWrite(At("HE/train/6.png"))) cut.SetLength(cut.Length / 2);
        Write("HE/train/7.png", 64, 64, channels: 1);

        PairManifest manifest = PairManifest.Read(Root);
        string[] lines = Assert.Throws<TinctorException>(() => PairVerification.Check(manifest.Pairs)).Message.Split('\n');
        Assert.Equal("6 of 8 pairs cannot be used:", lines[0]);
        Assert.Contains("HE/train/3.png: the file is missing; it is the partner of", lines[1]);
        Assert.Contains("HE/train/4.png: 64x64 pixels, but its target", lines[2]);
        Assert.Contains("HE/train/5.png: is not a known image", lines[3]);
        Assert.Contains("HE/train/6.png: damaged or truncated", lines[4]);
        Assert.Contains("HE/train/7.png: 1 channel of 8 bit to 3 channels of 8 bit, but most pairs have 3 channels", lines[5]);
        Assert.Contains("IHC/train/2.png: the file is missing; it is the partner of", lines[6]);
        // Headers alone cannot tell that the pixels of 6 are missing.
        Assert.StartsWith("5 of 8", Assert.Throws<TinctorException>(() =>
            PairVerification.Check(manifest.Pairs, decode: false)).Message);
    }


    [Fact]
    public void Check_problems_of_one_kind_are_one_line_with_count()
    {
        for (int i = 0; i < 30; i++) Write($"train/{i:00}.png", 2 * (80 + i), 90);
        for (int i = 30; i < 35; i++) Write($"train/{i:00}.png", 257, 160);
        Write("train/35.png", 512, 256);
        string[] lines = Assert.Throws<TinctorException>(() => PairVerification.Check(PairManifest.Read(Root).Pairs, 128,
            smallRemedy: side => $"Use {side}.")).Message.Split('\n');
        Assert.Equal("35 of 36 pairs cannot be used:", lines[0]);
        Assert.Equal("  30 files: smaller than the crop of 128 pixels (00.png, 01.png, 02.png and 27 more); "
            + "00.png: 80x90 pixels, smaller than the crop of 128 pixels. Use 80.", lines[1]);
        Assert.Equal("  5 files: odd width, but two images side by side have an even width (30.png, 31.png, 32.png and 2 more); "
            + "30.png: 257 pixels wide, but two images side by side have an even width", lines[2]);
        Assert.Equal(3, lines.Length);
    }

    [Fact]
    public void Check_missing_and_differing_partners_are_grouped()
    {
        for (int i = 0; i < 4; i++)
        {
            Write($"HE/train/{i}.png", 64, 64);
            if (i < 2) Write($"IHC/train/{i}.png", 64, 60 + i);
            Write($"HE/train/{10 + i}.png", 64, 64);
            Write($"IHC/train/{10 + i}.png", 64, 64);
        }
        PairManifest manifest = PairManifest.Read(Root);
        string message = Assert.Throws<TinctorException>(() => PairVerification.Check(manifest.Pairs)).Message;
        Assert.Contains("2 files: source and target differ in size (0.png, 1.png); 0.png: 64x64 pixels, but its target", message);
        Assert.Contains("2 files: missing targets (2.png, 3.png)", message);
    }

    [Fact]
    public void Check_image_smaller_than_crop_throws()
    {
        Write("train/a.png", 128, 64);
        PairVerification.Check(PairManifest.Read(Root).Pairs, minimumSize: 64);
        Assert.Contains("64x64 pixels, smaller than the crop of 65 pixels", Assert.Throws<TinctorException>(() =>
            PairVerification.Check(PairManifest.Read(Root).Pairs, 65)).Message);
    }

    [Fact]
    public void Create_summary_counts_pairs_and_hashes_files()
    {
        WriteText("manifest.csv", "source,target,split,label,slide_id\na.png,b.png,train,2+,s1\nc.png,b.png,test,,s2\n");
        foreach (string name in (string[])["a", "b", "c"]) File.WriteAllText(At($"{name}.png"), name);
        DataSummary summary = DataSummary.Create(PairManifest.Read(Root));
        Assert.Equal(["a.png", "b.png", "c.png", "manifest.csv"], summary.Files.Keys);
        Assert.Equal("ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb", summary.Files["a.png"]); // sha256("a")
        Assert.Equal((1, 1), (summary.Splits["train"], summary.Labels["2+"]));
        Assert.Equal(["s1"], summary.Slides["train"]);
        File.WriteAllText(At("c.png"), "d");
        Assert.NotEqual(summary.Sha256, DataSummary.Create(PairManifest.Read(Root)).Sha256);
    }
}
