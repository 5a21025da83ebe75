
namespace Tinctor.Data.Tests;

public class ManifestFileTests : DataFolder
{
    [Fact]
    public void Read_csv_resolves_paths_and_skips_rejected_tiles()
    {
        WriteText("manifest.csv", """
            slide_id,source,target,split,label,kept,note
            s1,a/1.png,b/1.png,train,2+,1,"x, y"
            s2,a/2.png,b/2.png,Test,,1,
            s1,a/3.png,b/3.png,train,,0,
            """);
        PairManifest manifest = PairManifest.Read(Root);
        Assert.Equal(
            [new(At("a/1.png"), At("b/1.png"), "train", "2+", "s1", PairLayout.TwoFiles),
                new(At("a/2.png"), At("b/2.png"), "test", null, "s2", PairLayout.TwoFiles)],
            manifest.Pairs);
        Assert.StartsWith("manifest manifest.csv: 2 pairs (train 1, test 1) of 2 slides", manifest.Describe());
    }

    [Theory]
    [InlineData("")]
    [InlineData("pairs:\n")]
    public void Read_yaml_list_at_top_level_or_under_pairs(string head)
    {
        string path = WriteText("manifest.yaml", head + """
            - {source: ab.png, split: train, slide_id: 07}
            - source: c.png
              target: d.png
              split: test
              label: 3+
            """);
        PairManifest manifest = PairManifest.Read(path);
        Assert.Equal(PairLayout.SourceLeft, manifest.Pairs[0].Layout);
        Assert.Equal("07", manifest.Pairs[0].SlideId);
        Assert.Equal(("3+", At("d.png")), (manifest.Pairs[1].Label, manifest.Pairs[1].Target));
    }

    [Fact]
    public void Read_manifest_without_splits_splits_by_slide()
    {
        WriteText("manifest.csv", "source,target,slide_id\n"
            + string.Concat(Enumerable.Range(0, 60).Select(i => $"a{i}.png,b{i}.png,s{i % 6}\n")));
        PairManifest manifest = PairManifest.Read(Root);
        Assert.Equal((40, 10, 10), (manifest.InSplit("train").Count, manifest.InSplit("val").Count, manifest.InSplit("test").Count));
        WriteText("manifest.csv", "source,target\na.png,b.png\n");
        Assert.Contains("the slide is unknown", Assert.Throws<TinctorException>(() => PairManifest.Read(Root)).Message);
    }

    [Fact]
    public void Read_slide_in_two_splits_throws()
    {
        WriteText("manifest.csv", "source,target,split,slide_id\na,b,train,s1\nc,d,test,s1\n");
        Assert.Contains("slide s1 is in train and test", Assert.Throws<TinctorException>(() => PairManifest.Read(Root)).Message);
    }

    [Theory]
    [InlineData("", "is empty")]
    [InlineData("src,target\n", "the column source is missing")]
    [InlineData("source,target\na\n", "line 2: 1 cells")]
    [InlineData("source,split\na,train\nb,tset\n,train\n", "line 3: split \"tset\"; line 4: no source")]
    [InlineData("source,target\n\"a,b\n", "a quotation mark is misplaced or not closed")]
    [InlineData("source,target\n", "no image pairs")]
    public void Read_malformed_csv_names_line(string text, string message)
    {
        string path = WriteText("m.csv", text);
        string error = Assert.Throws<TinctorException>(() => PairManifest.Read(path)).Message;
        Assert.Contains(message, error);
        Assert.Contains("m.csv", error);
    }

    [Theory]
    [InlineData("a: [", "is not valid YAML")]
    [InlineData("a: 1", "no list of pairs")]
    [InlineData("- 1", "pair 1 is not a mapping")]
    [InlineData("", "no list of pairs")]
    public void Read_malformed_yaml_names_problem(string text, string message) =>
        Assert.Contains(message, Assert.Throws<TinctorException>(() => PairManifest.Read(WriteText("m.yml", text))).Message);

    [Fact]
    public void Read_folder_with_several_manifests_throws()
    {
        WriteText("manifest_her2.csv", "");
        WriteText("manifest_ki67.csv", "");
        Assert.Contains("manifest_her2.csv, manifest_ki67.csv", Assert.Throws<TinctorException>(() => PairManifest.Read(Root)).Message);
    }

    [Fact]
    public void Write_manifest_reads_back_equal()
    {
        Pair[] pairs =
        [
            new(At("s/a, \"b\".png"), At("t/a.png"), "train", "2+", "s1", PairLayout.TwoFiles) { Mpp = 0.2525 },
            new(At("ab.png"), null, "test", null, "s2", PairLayout.SourceLeft),
        ];
        ManifestFile.Write(At("manifest.csv"), pairs, ("ncc", ["0.5", "1"]));
        Assert.Equal(pairs, PairManifest.Read(Root).Pairs);
        Assert.Equal("source,target,split,label,slide_id,mpp,ncc", File.ReadLines(At("manifest.csv")).First());
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-0.5")]
    [InlineData("half")]
    [InlineData("NaN")]
    public void Read_invalid_mpp_names_line(string mpp)
    {
        WriteText("manifest.csv", $"source,target,split,mpp\na.png,b.png,train,{mpp}\n");
        string message = Assert.Throws<TinctorException>(() => PairManifest.Read(Root)).Message;
        Assert.Contains($"line 2: mpp \"{mpp}\"", message);
    }
}
