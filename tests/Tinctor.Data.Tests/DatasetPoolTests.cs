namespace Tinctor.Data.Tests;

public class DatasetPoolTests : DataFolder
{
    [Fact]
    public void Read_names_stains_and_data_sets()
    {
        Set("her2", "s1,train", "s2,test");
        Set("ki67", "s3,train");
        PairManifest pool = DatasetPool.Read([$"HER2={At("her2")}", At("ki67")]);
        Assert.Equal([("HER2", "HER2"), ("HER2", "HER2"), (null, At("ki67/manifest.csv"))],
            pool.Pairs.Select(pair => (pair.Stain, pair.Dataset)));
        Assert.Equal(["HER2"], pool.Stains);
        Assert.Equal([At("her2/manifest.csv"), At("ki67/manifest.csv")], pool.Roots);
        Assert.Equal(Root, pool.Root);
        Assert.Equal("2 data sets (manifest manifest.csv): 3 pairs (train 2, test 1) of 3 slides, stains HER2: 2", pool.Describe());
    }

    [Fact]
    public void Read_column_stain_precedes_name()
    {
        Directory.CreateDirectory(At("set"));
        WriteText("set/manifest.csv", "source,target,split,slide_id,stain\na,b,train,s1,ER\nc,d,train,s1,\n");
        Assert.Equal(["ER", "PR"], DatasetPool.Read([$"PR={At("set")}"]).Pairs.Select(pair => pair.Stain));
    }

    [Theory]
    [InlineData("test", "train", "test"), InlineData("train", "test", "test"), InlineData("val", "test", "test")]
    [InlineData("val", "train", "val"), InlineData("train", "train", "train")]
    public void Read_holds_out_slide_in_all_data_sets(string first, string second, string expected)
    {
        Set("her2", $"s1,{first}", "s2,train");
        Set("ki67", $"s1,{second}", "s3,train");
        PairManifest pool = DatasetPool.Read([At("her2"), At("ki67")]);
        Assert.Equal([expected, "train", expected, "train"], pool.Pairs.Select(pair => pair.Split));
        Assert.Equal(first == second ? 0 : 1, pool.MovedSlides);
        pool.RequireDisjointSplits();
    }

    [Fact]
    public void Read_data_set_twice_throws()
    {
        Set("her2", "s1,train");
        Assert.Equal($"the data set {At("her2")} is named 2 times. Give each data set another name",
            Assert.Throws<OptionException>(() => DatasetPool.Read([At("her2"), At("her2")])).Message);
    }

    [Fact]
    public void WithFullPath_keeps_name_and_takes_folder_with_equals_sign_as_path()
    {
        Assert.Equal($"HER2={Path.GetFullPath("data")}", DatasetPool.WithFullPath("HER2=data"));
        Assert.Equal(Path.GetFullPath("data/a=b"), DatasetPool.WithFullPath("data/a=b"));
    }

    [Fact]
    public void Write_and_read_manifest_keeps_stains()
    {
        Pair[] pairs = [new(At("a.png"), At("b.png"), "train", null, "s1", PairLayout.TwoFiles) { Stain = "Ki67", Mpp = 0.5 }];
        ManifestFile.Write(At("manifest.csv"), pairs);
        Assert.Equal(pairs, PairManifest.Read(Root).Pairs);
    }

    [Fact]
    public void DataSummary_of_pool_hashes_manifests_of_all_data_sets()
    {
        Set("her2", "s1,train");
        Set("ki67", "s2,train");
        foreach (string image in new[] { "her2/a0.png", "her2/b0.png", "ki67/a0.png", "ki67/b0.png" }) Write(image);
        Assert.Equal(["her2/a0.png", "her2/b0.png", "her2/manifest.csv", "ki67/a0.png", "ki67/b0.png", "ki67/manifest.csv"],
            DataSummary.Create(DatasetPool.Read([At("her2"), At("ki67")])).Files.Keys);
    }

    // Rows are "slide,split".
    private void Set(string folder, params string[] rows)
    {
        Directory.CreateDirectory(At(folder));
        WriteText($"{folder}/manifest.csv", "source,target,slide_id,split\n"
            + string.Concat(rows.Select((row, i) => $"a{i}.png,b{i}.png,{row}\n")));
    }
}
