
namespace Tinctor.Data.Tests;

public class VerificationTests : DataFolder
{
    [Fact]
    public void EverythingWrong_IsSaidAtOnce()
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
        Assert.Contains("IHC/train/2.png: missing, the partner of", lines[1]);
        Assert.Contains("HE/train/3.png: missing, the partner of", lines[2]);
        Assert.Contains("HE/train/4.png: is 64x64, but its partner", lines[3]);
        Assert.Contains("HE/train/5.png: is not a known image", lines[4]);
        Assert.Contains("HE/train/6.png: damaged or truncated", lines[5]);
        Assert.Contains("HE/train/7.png: 1 channel of 8 bit to 3 channels of 8 bit, but most pairs have 3 channels", lines[6]);
        // Headers alone cannot tell that the pixels of 6 are missing.
        Assert.StartsWith("5 of 8", Assert.Throws<TinctorException>(() =>
            PairVerification.Check(manifest.Pairs, decode: false)).Message);
    }

    [Fact]
    public void LongLists_AreCutAndCounted()
    {
        for (int i = 0; i < 30; i++) Write($"train/{i:00}.png", 17, 8);
        string message = Assert.Throws<TinctorException>(() => PairVerification.Check(PairManifest.Read(Root).Pairs)).Message;
        Assert.StartsWith("30 of 30 pairs", message);
        Assert.EndsWith("and 10 more", message);
        Assert.Equal(22, message.Split('\n').Length);
    }

    [Fact]
    public void ImagesSmallerThanTheCrop_AreReported()
    {
        Write("train/a.png", 128, 64);
        PairVerification.Check(PairManifest.Read(Root).Pairs, minimumSize: 64);
        Assert.Contains("is 64x64, smaller than the crop of 65", Assert.Throws<TinctorException>(() =>
            PairVerification.Check(PairManifest.Read(Root).Pairs, 65)).Message);
    }

    [Fact]
    public void Summary_CountsAndHashes()
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
