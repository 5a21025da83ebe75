using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Tests.Loading;

public class UnpairedDataTests : DataFolder
{
    private static readonly DataConfig Unpaired = new() { Unpaired = true, CropSize = 16, Flip = false };

    [Fact]
    public void Read_different_numbers_repeats_the_shorter_list()
    {
        WriteImages("trainA", 16, "a", "b", "c");
        WriteImages("trainB", 20, "x", "y");
        TrainingData data = Read(Unpaired);
        Assert.Equal(new UnpairedCounts(3, 2), data.Unpaired);
        Assert.Equal([("a", "x"), ("b", "y"), ("c", "x")], data.Train.Select(Names));
        Assert.Contains("0 pairs, 3 sources and 2 targets without partner", data.Manifest.Describe());
        Assert.Equal("training on 3 sources and 2 targets, unpaired; validation: none (no source and target have the same name)",
            data.Describe("pairs"));
        Assert.Equal([("x", "a"), ("y", "b"), ("x", "c")], Read(Unpaired with { Direction = "BtoA" }).Train.Select(Names));
    }

    [Fact]
    public void Read_validates_images_of_the_same_name()
    {
        WriteImages("trainA", 16, "a");
        WriteImages("trainB", 16, "x");
        WriteImages("valA", 16, "p", "q");
        WriteImages("valB", 16, "q", "r");
        WriteImages("testA", 16, "s");
        WriteImages("testB", 16, "t");
        TrainingData data = Read(Unpaired);
        Assert.Equal([("q", "q")], data.Validation.Select(Names));
        Assert.Equal([("a", "x")], data.Train.Select(Names));
    }

    [Fact]
    public void Read_held_out_slides_are_not_trained_on()
    {
        foreach (string folder in (string[])["trainA", "trainB"]) WriteImages(folder, 16, "1_a", "2_a", "3_a");
        WriteImages("trainA", 16, "1_b", "2_b", "3_b");
        WriteImages("trainB", 16, "1_c", "2_c", "3_c", "3_d");
        TrainingData data = Read(Unpaired with { SlidePattern = "^[0-9]", ValidationShare = 0.3 });
        string held = Assert.Single(data.Validation).SlideId;
        Assert.All(data.Train.Select(Names), names => Assert.False(names.Source.StartsWith(held) || names.Target.StartsWith(held)));
        Assert.Equal(4, data.Unpaired!.Sources);
    }

    [Fact]
    public void Read_refuses_image_in_two_splits()
    {
        WriteImages(".", 16, "a", "b", "t");
        WriteText("manifest.csv", "source,target,split\na.png,,train\n,t.png,train\nb.png,t.png,test\n");
        TinctorException error = Assert.Throws<TinctorException>(() => Read(Unpaired));
        Assert.Contains("the image is in train and test, so test data would leak into training", error.Message);
    }

    [Fact]
    public void Read_refuses_target_of_a_test_slide()
    {
        WriteImages(".", 16, "a", "b", "c", "t");
        WriteText("manifest.csv", "source,target,split,slide_id\na.png,,train,1\n,t.png,train,2\nb.png,c.png,test,2\n");
        Assert.Contains("slide 2 is in train and test", Assert.Throws<TinctorException>(() => Read(Unpaired)).Message);
    }

    [Fact]
    public void Read_manifest_rows_may_lack_source_or_target()
    {
        WriteImages(".", 16, "a", "b", "t", "u", "v");
        WriteText("manifest.csv", "source,target,split\na.png,,train\n,t.png,train\n,u.png,train\nb.png,v.png,test\n");
        Assert.Equal([("a", "t"), ("a", "u")], Read(Unpaired).Train.Select(Names));
        Assert.Contains("line 3: no source", Assert.Throws<TinctorException>(() => PairManifest.Read(Root)).Message);
    }

    [Fact]
    public void Read_manifest_without_targets_has_side_by_side_images()
    {
        Write("a.png", 32, 16);
        Write("b.png", 32, 16);
        WriteText("manifest.csv", "source,split\na.png,train\nb.png,train\n");
        TrainingData data = Read(Unpaired);
        Assert.All(data.Train, pair => Assert.Equal(PairLayout.SourceLeft, pair.Layout));
        Assert.Equal((32, 16), (data.TrainingSet(Unpaired, 0).Count * 16, data.TrainingSet(Unpaired, 0).Load(0, 0).Target.Width));
    }

    [Fact]
    public void Read_only_sources_names_the_counts()
    {
        WriteImages("trainA", 16, "a");
        Directory.CreateDirectory(At("trainB"));
        Assert.Contains("1 training sources and 0 training targets", Assert.Throws<TinctorException>(() => Read(Unpaired)).Message);
    }

    [Fact]
    public void Read_paired_names_missing_partners()
    {
        WriteImages("trainA", 16, "a", "b");
        WriteImages("trainB", 16, "a");
        Assert.Contains("the file is missing", Assert.Throws<TinctorException>(() => Read(Unpaired with { Unpaired = false })).Message);
    }

    [Fact]
    public void Load_draws_every_target_and_repeats_with_the_epoch()
    {
        WriteImages("trainA", 16, "a", "b", "c", "d");
        WriteImages("trainB", 24, "x", "y", "z");
        PairedDataset random = Read(Unpaired).TrainingSet(Unpaired, seed: 3);
        float[][] targets = [.. Enumerable.Range(0, 30).Select(epoch => random.Load(1, epoch).Target.Values)];
        Assert.Equal(targets, Enumerable.Range(0, 30).Select(epoch => random.Load(1, epoch).Target.Values));
        // Crops differ too.
        Assert.True(targets.Select(values => string.Join(' ', values)).Distinct().Count() > 10);
        float[] source = random.Load(1, 0).Source.Values;
        Assert.All(Enumerable.Range(1, 5), epoch => Assert.Equal(source, random.Load(1, epoch).Source.Values));

        DataConfig serial = Unpaired with { SerialBatches = true, LoadSize = 16 };
        PairedDataset ordered = Read(serial).TrainingSet(serial, seed: 3);
        Assert.Equal(ordered.Load(0, 0).Target.Values, ordered.Load(3, 5).Target.Values);
        Assert.NotEqual(ordered.Load(0, 0).Target.Values, ordered.Load(1, 0).Target.Values);
    }

    [Fact]
    public void LoadText_paired_method_refuses_unpaired_data()
    {
        TinctorException error = Assert.Throws<TinctorException>(() => ConfigFile.LoadText("", "pix2pix", ["data.unpaired=true"]));
        Assert.Contains("data.unpaired is true, but the method pix2pix needs pairs", error.Message);
    }

    private TrainingData Read(DataConfig config) => TrainingData.Read(config with { Path = Root }, seed: 1);

    private void WriteImages(string folder, int size, params string[] names)
    {
        foreach (string name in names) Write($"{folder}/{name}.png", size, size, seed: name[0] + folder.Length);
    }

    private static (string Source, string Target) Names(Pair pair) => (pair.Name, Path.GetFileNameWithoutExtension(pair.Target)!);
}
