using System.Diagnostics;
using System.Security.Cryptography;
using Tinctor.Data;
using Tinctor.Registration.Pairs;
using Tinctor.Slides;

namespace Tinctor.Cli.Tests;

/// <summary>From slides of the phantom to a data set that trains.</summary>
public sealed class PrepareCommandTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("prepare-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Prepare_slides_trains_and_leaves_failed_pair_out()
    {
        await WriteSlides(count: 2, size: 384, misalign: 12);
        // The second target belongs to another slide.
        File.WriteAllText(At("slides.csv"), """
            source,target,patient,split
            he/0002.ome.tif,ihc/0002.ome.tif,A,train
            he/0001.ome.tif,ihc/0002.ome.tif,B,test
            """);
        Assert.Equal(1, await Run("--table", At("slides.csv"), "--output-mpp", "1", "--tile-size", "64", "--stride", "32", "--min-tissue",
            "0", "--min-ncc", "0",
            "--transform", "rigid", "-o", At("set")));
        PairManifest manifest = PairManifest.Read(At("set"));
        Assert.All(manifest.Pairs, pair => Assert.Equal(("A", "train", 1.0), (pair.SlideId, pair.Split, pair.Mpp)));
        PairVerification.Check(manifest.Pairs, minimumSize: 64);
        double[] residuals = [.. File.ReadLines(At("set/manifest.csv")).Skip(1).Select(line => line.Split(',')[^1])
            .Where(text => text.Length > 0)
            .Select(double.Parse).Order()];
        Assert.True(residuals[residuals.Length / 2] < 1.5, $"median residual {residuals[residuals.Length / 2]}");
        string report = File.ReadAllText(At("set/report.html"));
        Assert.Contains("0001 is left out", report);
        Assert.Contains("\"title\":\"Residual shift\"", report);
        Assert.True(File.Exists(At("set/rejected.csv")) && File.Exists(At("set/dataset.json")));
        Assert.Contains("data:image/jpeg;base64,", report);
        Assert.False(Directory.Exists(At("set/source/0001")));

        Outcome train = CommandLine.Run("train", "pix2pix", "--data", At("set"), "--output", At("run"), "--steps", "2",
            "--set", "model.generator=resnet_6blocks", "--set", "model.ngf=4", "--set", "model.ndf=8", "--set", "data.crop_size=32");
        Assert.True(train.Code == 0, train.All);
    }

    [Fact]
    public async Task Prepare_repeated_resumes_and_refuses_other_options()
    {
        await WriteSlides(count: 2, size: 400, misalign: 0);
        string[] command = ["--source", At("he"), "--target", At("ihc"), "--aligned", "--tile-size", "96", "--min-tissue", "0.2", "-o",
            At("set")];
        Assert.Equal(0, await Run(command));
        string manifest = File.ReadAllText(At("set/manifest.csv"));
        DateTime first = File.GetLastWriteTimeUtc(PairManifest.Read(At("set")).Pairs[0].Source);
        File.Delete(At("set/pairs/0002.json"));
        File.Delete(At("set/manifest.csv"));
        Assert.Equal(0, await Run(command));
        Assert.Equal(manifest, File.ReadAllText(At("set/manifest.csv")));
        Assert.Equal(first, File.GetLastWriteTimeUtc(PairManifest.Read(At("set")).Pairs[0].Source));
        Assert.Equal("Overwrite", (await Assert.ThrowsAsync<TinctorException>(() => Run([.. command, "--min-ncc", "0.3"]))).Option);
        Assert.Equal(manifest, File.ReadAllText(At("set/manifest.csv")));

        // A slide that cannot be read leaves the others as they are.
        File.WriteAllText(At("ihc/0002.ome.tif"), "broken");
        Assert.Equal(1, await Run([.. command, "--overwrite"]));
        Assert.All(PairManifest.Read(At("set")).Pairs, pair => Assert.Equal("0001", pair.SlideId));
        CsvRow failed = Assert.Single(CsvFile.Read(At("set/rejected.csv")).Rows, row => row.Text("pair") == "0002");
        Assert.Contains(At("ihc/0002.ome.tif"), failed.Text("reason"));
        Outcome again = CommandLine.Run(["prepare", .. command, "--allow-failures"]);
        Assert.Equal(0, again.Code);
        Assert.Contains("Existing results are kept: 1 of 2 pairs", again.Messages);
    }

    [Fact]
    public async Task Prepare_killed_writes_the_same_data_set_when_repeated()
    {
        await WriteSlides(count: 3, size: 400, misalign: 0);
        string[] command = ["prepare", "--source", At("he"), "--target", At("ihc"), "--aligned", "--tile-size", "96", "--min-tissue", "0",
            "-o"];
        Assert.Equal(0, CommandLine.Run([.. command, At("whole")]).Code);
        using (Process process = CommandLine.Start([.. command, At("set")]))
        {
            Assert.True(CommandLine.Await(process, () => Directory.Exists(At("set/source/0002"))));
            process.Kill();
            process.WaitForExit();
        }
        Assert.False(File.Exists(At("set/manifest.csv")));
        Assert.Equal(0, CommandLine.Run([.. command, At("set")]).Code);
        Assert.Equal(Files("whole"), Files("set"));

        IEnumerable<(string, string)> Files(string set) => Directory.GetFiles(At(set), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(At(set), file))
            .Where(name => name.EndsWith(".png") || name == "manifest.csv").Order()
            .Select(name => (name, Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(Path.Combine(At(set), name))))));
    }

    // Autofluorescence of four channels at a fraction of the resolution of H&E, through register, prepare and train.
    [Fact]
    public async Task Prepare_source_of_lower_resolution_gives_super_resolved_pairs_that_train()
    {
        await WriteAutofluorescence(factor: 4, side: 384);
        Assert.Equal(0, await CommandLine.Invoke("register", At("wsi/af/s001_f01.ome.tif"), At("wsi/he/s001_f01.ome.tif"), "-o",
            At("registered")));
        Outcome prepared = CommandLine.Run("prepare", "--source", At("wsi/af"), "--target", At("wsi/he"), "--transforms", At("registered"),
            "--factor", "auto", "--tile-size", "64", "--stride", "128", "--min-ncc", "-1", "-o", At("set"));
        Assert.True(prepared.Code == 0, prepared.All);
        Assert.Contains("train with --set model.factor=4 --set model.input_channels=4", prepared.Messages);
        PairManifest manifest = PairManifest.Read(At("set"));
        PairVerification.Check(manifest.Pairs, minimumSize: 64, factor: 4);
        Assert.InRange(manifest.Pairs.Count, 4, 9); // a registration that is wrong by a pixel leaves tiles at the edge outside
        Assert.Equal(4, DatasetFile.Read(At("set"))!.Factor);
        Image he = ReadWhole(At("wsi/he/s001_f01.ome.tif"));
        foreach (Pair pair in manifest.Pairs)
        {
            Assert.Equal(2.0, pair.Mpp);
            (Image source, Image target) = pair.ReadImages();
            Assert.Equal((16, 4, SampleType.UInt16), (source.Width, source.Channels, source.SampleType));
            int[] corner = [.. pair.Name.Split('_')[^2..].Select(text => 4 * int.Parse(text))];
            byte[] truth = he.Crop(corner[0], corner[1], 64, 64).Data;
            double error = target.Data.Zip(truth, (p, q) => Math.Abs(p - q)).Average();
            Assert.True(error < 12, $"{pair.Name}: mean difference {error}");
        }

        Outcome train = CommandLine.Run(["train", "bbdm", "--data", At("set"), "--output", At("run"), "--steps", "2", "--device", "cpu",
            .. TrainedRun.Set("model.factor=4", "data.crop_size=32", "model.input_channels=4", "model.matcher_width=8",
                "training.batch_size=1", "model.steps=10", "model.network.model_channels=32", "model.network.channel_mult=1,1",
                "model.network.num_res_blocks=1", "model.network.attention_resolutions=2", "model.network.num_heads=1",
                "model.network.num_head_channels=-1", "model.sampling.evaluations=0", "model.sampling.solver=posterior",
                "model.sampling.spacing=even")]);
        Assert.True(train.Code == 0, train.All);
    }

    [Fact]
    public async Task Prepare_aligned_source_of_lower_resolution_keeps_pixels_and_refuses_wrong_factors()
    {
        await WriteAutofluorescence(factor: 5, side: 320);
        string[] command = ["--source", At("wsi/af"), "--target", At("wsi/he"), "--aligned", "--min-ncc", "-1", "--tile-size", "80",
            "--stride", "160", "-o", At("set")];
        Assert.Equal(0, await Run([.. command, "--factor", "5"]));
        Image af = ReadWhole(At("wsi/af/s001_f01.ome.tif")), he = ReadWhole(At("wsi/he/s001_f01.ome.tif"));
        PairManifest manifest = PairManifest.Read(At("set"));
        Assert.Equal(4, manifest.Pairs.Count);
        foreach (Pair pair in manifest.Pairs)
        {
            int[] corner = [.. pair.Name.Split('_')[^2..].Select(int.Parse)];
            (Image source, Image target) = pair.ReadImages();
            Assert.Equal(af.Crop(corner[0], corner[1], 16, 16).Data, source.Data);
            Assert.Equal(he.Crop(5 * corner[0], 5 * corner[1], 80, 80).Data, target.Data);
        }
        string Fails(params string[] options)
        {
            Outcome outcome = CommandLine.Run(["prepare", .. command, "--overwrite", .. options]);
            Assert.Equal(1, outcome.Code);
            return outcome.Messages;
        }
        Assert.Contains("the ratio 3.57 is not near a whole number. Give a factor up to 3",
            Fails("--factor", "auto", "--target-mpp", "0.7"));
        Assert.Contains("the factor 8 would enlarge the target. Use a factor up to 5", Fails("--factor", "8"));
        Assert.Contains("must be a multiple of the factor 3. Use tiles of 78 pixels", Fails("--factor", "3"));
        Assert.Contains("the factor is 17, but must be 1 to 16", Fails("--factor", "17"));
        Assert.Contains("write a whole number, or auto", CommandLine.Run(["prepare", .. command, "--factor", "x"]).Messages);

        // A stated factor resamples targets to exactly this multiple of the source's resolution.
        Assert.Equal(0, await Run([.. command[..^6], "--tile-size", "128", "-o", At("four"), "--factor", "4"]));
        PairVerification.Check(PairManifest.Read(At("four")).Pairs, minimumSize: 128, factor: 4);
    }

    [Fact]
    public void SlideMatching_lists_folders_and_tables()
    {
        foreach (string name in (string[])["he/s1_he.svs", "he/s2_he.svs", "ihc/s1_x.svs", "ihc/s2_y.svs"])
        {
            Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
            File.WriteAllText(At(name), "");
        }
        Assert.Equal([("s1_he", "s1_x.svs"), ("s2_he", "s2_y.svs")], SlideMatching.Match([At("he")], [At("ihc")], "^[^_]+", null).Pairs
            .Select(pair => (pair.SlideId, Path.GetFileName(pair.Target!))));
        Assert.Equal(["s1", "s2"], SlideMatching.Match([At("he")], [At("ihc")], "^[^_]+", "^[^_]+").Pairs.Select(pair => pair.SlideId));
        Assert.Equal("s2_y.svs", Path.GetFileName(SlideMatching.Match([At("he/s1_he.svs")], [At("ihc/s2_y.svs")], null, null).Pairs.Single()
            .Target));
        Assert.Contains("no partner for s1_he.svs", Fails(() => SlideMatching.Match([At("he")], [At("ihc")], null, null)));
        Assert.Contains("1 sources, but 2 targets",
            Fails(() => SlideMatching.Match([At("he/s1_he.svs")], [At("ihc/s1_x.svs"), At("ihc/s2_y.svs")], null, null)));
        Assert.Contains("no such slide", Fails(() => SlideMatching.Match([At("he/s1_he.svs")], [At("nothing.svs")], null, null)));

        string Table(string rows)
        {
            File.WriteAllText(At("t.csv"), rows);
            return At("t.csv");
        }
        PairManifest table = SlideMatching.ReadTable(
            Table("source,target,slide\nhe/s1_he.svs,ihc/s1_x.svs,7\nhe/s2_he.svs,ihc/s2_y.svs,\n"), "^..");
        Assert.Equal(["7", "s2"], table.Pairs.Select(pair => pair.SlideId));
        Assert.False(table.HasOwnSplits);
        Assert.Contains("slide P is in train and test", Fails(() => SlideMatching.ReadTable(
            Table("source,target,patient,split\nhe/s1_he.svs,ihc/s1_x.svs,P,train\nhe/s2_he.svs,ihc/s2_y.svs,P,test\n"), null)));
        Assert.Contains("is missing", Fails(() => SlideMatching.ReadTable(Table("source,target\nhe/s1_he.svs,no.svs\n"), null)));

        static string Fails(Action action) => Assert.Throws<TinctorException>(action).Message;
    }

    private string At(string name) => Path.Combine(folder, name);

    private static Task<int> Run(params string[] arguments) => CommandLine.Invoke(["prepare", .. arguments]);

    private async Task WriteAutofluorescence(int factor, int side) => Assert.Equal(0, await CommandLine.Invoke("phantom", "-o", At("wsi"),
        "--stains", "af,he", "--af-factor", $"{factor}", "--slides", "1", "--size", $"{side}x{side}", "--whole-slides", "--seed", "3"));

    private static Image ReadWhole(string path)
    {
        using Slide slide = Slide.Open(path);
        return slide.ReadAt(1, 0, 0, slide.Width, slide.Height);
    }

    // Pyramids of 0.5 um per pixel: he/0001.ome.tif and ihc/0001.ome.tif, and so on.
    private async Task WriteSlides(int count, int size, int misalign)
    {
        Assert.Equal(0, await CommandLine.Invoke("phantom", "-o", At("fields"), "--slides", $"{count}", "--fields", "1", "--val", "0",
            "--test", "0",
            "--size", $"{size}x{size}", "--misalign", $"{misalign}", "--seed", "5"));
        foreach ((int i, Pair pair) in PairManifest.Read(At("fields")).Pairs.Index())
        {
            Directory.CreateDirectory(At("he"));
            Directory.CreateDirectory(At("ihc"));
            WriteSlide(pair.Source, At($"he/{i + 1:0000}.ome.tif"));
            WriteSlide(pair.Target!, At($"ihc/{i + 1:0000}.ome.tif"));
        }
    }

    private static void WriteSlide(string field, string path)
    {
        Image image = Image.Read(field);
        SlideWriter.Write(path, new(image.Width, image.Height) { Mpp = 0.5 }, image);
    }
}
