using Tinctor.Slides;
using Tinctor.Tests;

namespace Tinctor.Data.Tests;

public class LayoutTests : DataFolder
{
    [Fact]
    public void Read_bci_layout_has_splits_and_labels()
    {
        foreach (string stain in (string[])["HE", "IHC"])
        {
            Write($"{stain}/train/00001_train_1+.png");
            Write($"{stain}/train/00000_train_0.png");
            Write($"{stain}/test/00820_test_2+.png");
        }
        PairManifest manifest = PairManifest.Read(Root);
        Assert.Equal(["00000_train_0", "00001_train_1+", "00820_test_2+"], manifest.Pairs.Select(pair => pair.Name));
        Assert.Equal(["0", "1+", "2+"], manifest.Pairs.Select(pair => pair.Label));
        Assert.Equal(["train", "train", "test"], manifest.Pairs.Select(pair => pair.Split));
        Assert.Equal(At("IHC/test/00820_test_2+.png"), manifest.Pairs[2].Target);
        Assert.Equal("BCI layout: 3 pairs (train 2, test 1), slides unknown, labels 0: 1, 1+: 1, 2+: 1", manifest.Describe());
        Assert.Equal(At("IHC/test/00820_test_2+.png"), manifest.Reverse().Pairs[2].Source);
    }

    [Fact]
    public void Read_unpaired_has_images_without_partner()
    {
        byte[] he = Image.Read(Write("HE/train/a.png", seed: 1)).Data, ihc = Image.Read(Write("IHC/train/b.png", seed: 2)).Data;
        PairManifest manifest = PairManifest.Read(Root, unpaired: true);
        Assert.Equal([PairLayout.SourceOnly, PairLayout.TargetOnly], manifest.Pairs.Select(pair => pair.Layout));
        Assert.Equal([(true, false), (false, true)], manifest.Pairs.Select(pair => (pair.HasSource, pair.HasTarget)));
        Assert.Equal([he, ihc], new[] { manifest.Pairs[0].ReadSource().Data, manifest.Pairs[1].ReadTarget().Data });
        Assert.Equal(he, manifest.Pairs[0].Reverse().ReadTarget().Data);
        Assert.Equal(manifest.Pairs[0].Source, Assert.Single(manifest.Pairs[0].Files));
        Assert.Contains("the image has no target", Assert.Throws<TinctorException>(() => manifest.Pairs[0].ReadImages()).Message);
        Assert.Contains("0 pairs, 1 sources and 1 targets without partner", manifest.Describe());
    }

    [Fact]
    public void Read_side_by_side_gives_each_half()
    {
        Write("train/a.png", 8, 4);
        Pair pair = PairManifest.Read(Root).Pairs[0];
        (Image left, Image right) = pair.ReadImages();
        Assert.Equal([left.Data, right.Data], new[] { pair.ReadSource().Data, pair.ReadTarget().Data });
    }

    [Fact]
    public void Read_bci_without_split_folders_takes_split_from_name()
    {
        Write("HE/00000_test_1+.png");
        Write("IHC/00000_test_1+.png");
        Assert.Equal(("test", "1+"), (PairManifest.Read(Root).Pairs[0].Split, PairManifest.Read(Root).Pairs[0].Label));
    }

    [Fact]
    public void Read_bci_images_finds_splits_and_labels()
    {
        Assert.StartsWith("BCI layout: 24 pairs (test 24), slides unknown, labels 0: 1, 1+: 4, 2+: 11, 3+: 8",
            PairManifest.Read(SharedFiles.Path("data/bci_thumbs")).Describe());
        PairManifest bci = PairManifest.Read(SharedFiles.Path("data/bci"));
        Assert.Equal(["0", "2+"], bci.Pairs.Select(pair => pair.Label));
        PairVerification.Check(bci.Pairs);
    }

    [Fact]
    public void Read_mist_layout_matches_names_with_other_extensions()
    {
        foreach (string name in (string[])["trainA/x_1.jpg", "trainB/x_1.png", "valA/x_1.jpg", "valB/x_1.jpg"]) Write(name);
        PairManifest manifest = PairManifest.Read(Root);
        Assert.Equal("MIST layout, val is the test set: 2 pairs (train 1, test 1), slides unknown", manifest.Describe());
        Assert.Equal(At("trainB/x_1.png"), manifest.Pairs[0].Target);
        Assert.Equal(At("valA/x_1.jpg"), Assert.Single(manifest.InSplit("test")).Source);
        // Data sets with a test folder keep their validation pairs.
        foreach (string name in (string[])["testA/x_1.jpg", "testB/x_1.jpg"]) Write(name);
        Assert.Equal("MIST layout: 3 pairs (train 1, val 1, test 1), slides unknown", PairManifest.Read(Root).Describe());
    }

    [Fact]
    public void Read_side_by_side_images_with_and_without_split_folders()
    {
        Write("train/b.png", 16, 8);
        Write("test/a.jpg", 16, 8);
        PairManifest manifest = PairManifest.Read(Root);
        Assert.Equal("side-by-side AB images (pix2pix, CEFF): 2 pairs (train 1, test 1), slides unknown", manifest.Describe());
        Assert.Equal((PairLayout.SourceLeft, null), (manifest.Pairs[0].Layout, manifest.Pairs[0].Target));
        Assert.Equal(PairLayout.SourceRight, manifest.Reverse().Pairs[0].Layout);
        Assert.Equal("train", PairManifest.Read(At("test")).Pairs.Single().Split);
    }

    [Fact]
    public void Read_folder_without_known_layout_throws()
    {
        Directory.CreateDirectory(At("images"));
        Assert.Contains("no known layout", Assert.Throws<TinctorException>(() => PairManifest.Read(Root)).Message);
        Assert.Contains("no such file or folder", Assert.Throws<TinctorException>(() => PairManifest.Read(At("nothing"))).Message);
    }

    [Fact]
    public void Read_with_slide_pattern_finds_slides_and_rejects_leaks()
    {
        foreach (string name in (string[])["train/03_1.png", "train/04_1.png", "test/05_1.png"]) Write(name, 16, 8);
        Assert.Equal(["03", "04", "05"], PairManifest.Read(Root, @"^(\d\d)_").Pairs.Select(pair => pair.SlideId));
        Write("test/03_2.png", 16, 8);
        Assert.Contains("slide 03 is in train and test", Assert.Throws<TinctorException>(() =>
            PairManifest.Read(Root, @"^\d\d")).Message);
        Assert.Contains("expected a regular expression", Assert.Throws<TinctorException>(() => PairManifest.Read(Root, "(")).Message);
    }

    [Fact]
    public void SplitBySlide_keeps_slides_whole_and_depends_on_names_and_seed()
    {
        for (int i = 0; i < 40; i++) Write($"{i % 10:00}_{i}.png", 16, 8);
        PairManifest manifest = PairManifest.Read(Root, @"^\d\d"), split = manifest.SplitBySlide(0.1, 0.2);
        Assert.Equal(("train", 28), ("train", split.InSplit("train").Count));
        Assert.Equal((4, 8), (split.InSplit("val").Count, split.InSplit("test").Count));
        Assert.All(split.Pairs.GroupBy(pair => pair.SlideId), slide => Assert.Single(slide.Select(pair => pair.Split).Distinct()));
        Assert.Equal(split.Pairs, manifest.SplitBySlide(0.1, 0.2).Pairs);
        Assert.NotEqual(split.Pairs, manifest.SplitBySlide(0.1, 0.2, seed: 1).Pairs);

        PairManifest named = manifest.SplitBySlide([], ["07", "03"]);
        Assert.Equal(["03", "07"], named.InSplit("test").Select(pair => pair.SlideId).Distinct().Order());
        Assert.Contains("no slide is named 99", Assert.Throws<TinctorException>(() => manifest.SplitBySlide([], ["99"])).Message);
        Assert.Contains("the slide is unknown", Assert.Throws<TinctorException>(() =>
            PairManifest.Read(Root).SplitBySlide(0, 0.5)).Message);
    }
}
