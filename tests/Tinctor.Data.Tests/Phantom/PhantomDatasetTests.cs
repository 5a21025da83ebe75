using System.Buffers.Binary;
using System.IO.Compression;
using System.Runtime.InteropServices;
using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Torch.Serialization;

namespace Tinctor.Data.Tests.Phantom;

public sealed class PhantomDatasetTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("phantom-").FullName;

    private static PhantomDataset Small => new() { Slides = 4, FieldsPerSlide = 2, Options = new() { Width = 96, Height = 80, Seed = 3 } };

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Write_creates_images_ground_truth_and_manifest()
    {
        Write(Small);
        string[] lines = File.ReadAllLines(Path.Combine(folder, "manifest.csv"));
        Assert.Equal("source,target,split,label,slide_id,mpp", lines[0]);
        string[][] rows = [.. lines.Skip(1).Select(line => line.Split(','))];
        Assert.Equal(8, rows.Length);
        foreach (string[] row in rows)
        {
            foreach (string path in row[..2])
            {
                ImageInfo info = Image.ReadInfo(Path.Combine(folder, path));
                Assert.Equal((96, 80, 3, SampleType.UInt8), (info.Width, info.Height, info.Channels, info.SampleType));
            }
        }
        // The loader understands the folder and finds nothing wrong with it.
        PairManifest manifest = PairManifest.Read(folder);
        Assert.Equal(8, manifest.Pairs.Count);
        Assert.All(manifest.Pairs, pair => Assert.Equal(0.5, pair.Mpp));
        PairVerification.Check(manifest.Pairs, cancel: TestContext.Current.CancellationToken);
        Assert.Equal(["test", "train", "val"], rows.Select(row => row[2]).Distinct().Order());
        Assert.All(rows.GroupBy(row => row[4]), slide => Assert.Single(slide.Select(row => (row[2], row[3])).Distinct()));
        Assert.Equal(["0", "1+", "2+", "3+"], rows.Select(row => row[3]).Distinct().Order());
        Image labels = Image.Read(Path.Combine(folder, "truth", "s001_f01_labels.tif"));
        Assert.Equal(SampleType.UInt16, labels.SampleType);
        int nuclei = File.ReadAllLines(Path.Combine(folder, "truth", "s001_f01_nuclei.csv")).Length - 1;
        Assert.Equal(nuclei, labels.Samples16.ToArray().Max());
        Assert.Equal(1, Image.ReadInfo(Path.Combine(folder, "truth", "s001_f01_tissue.png")).Channels);
    }

    [Fact]
    public void Write_bci_layout_is_read_with_and_without_manifest()
    {
        PhantomDataset dataset = Small with
        {
            BciLayout = true,
            ValidationShare = 0,
            TestShare = 0.5,
            Options = Small.Options with { Serial = true, LevelInFields = true, Misalign = 4 },
        };
        Write(dataset);
        Assert.EndsWith("serial: true\nlevel_in_fields: true\nlayout: bci\n", File.ReadAllText(Path.Combine(folder, "phantom.yaml")));
        foreach (string file in (string[])["labels.tif", "nuclei.csv", "tissue.png", "displacement.safetensors"])
            Assert.True(File.Exists(Path.Combine(folder, "truth", $"s001_f02_her2_{file}")), file);
        PairManifest manifest = PairManifest.Read(folder);
        Assert.Equal((8, 4), (manifest.Pairs.Count, manifest.Pairs.Select(pair => pair.SlideId).Distinct().Count()));
        File.Delete(Path.Combine(folder, "manifest.csv"));
        PairManifest bci = PairManifest.Read(folder);
        Assert.Contains("BCI", bci.Describe());
        Assert.Equal(manifest.Pairs.Select(pair => (pair.Source, pair.Target, pair.Split, pair.Label)).Order(),
            bci.Pairs.Select(pair => (pair.Source, pair.Target, pair.Split, pair.Label)).Order());
        Assert.Contains("no validation images",
            Assert.Throws<ArgumentException>(() => Write(dataset with { ValidationShare = 0.2 })).Message);
        Write(dataset with { TestShare = 0.25 }, replace: true);
        Assert.Equal(8, Directory.GetFiles(Path.Combine(folder, "HE"), "*.png", SearchOption.AllDirectories).Length);
    }

    [Fact]
    public void Write_several_targets_creates_one_manifest_each()
    {
        var dataset = new PhantomDataset
        {
            Slides = 1,
            Level = 3,
            Options = new()
            {
                Width = 80,
                Height = 80,
                Misalign = 4,
                Stains = [PhantomStain.Autofluorescence, PhantomStain.He, PhantomStain.Her2],
            },
        };
        Write(dataset);
        Assert.StartsWith("source/s001_f01.tif,target_he/s001_f01.png,train,3+,s001,2.5",
            File.ReadAllLines(Path.Combine(folder, "manifest_he.csv"))[1]);
        Assert.Equal("source/s001_f01.tif,target_her2/s001_f01.png,train,3+,s001,2.5,her2",
            File.ReadAllLines(Path.Combine(folder, "manifest_her2.csv"))[1]);
        ImageInfo source = Image.ReadInfo(Path.Combine(folder, "source", "s001_f01.tif"));
        Assert.Equal((16, 16, 4, SampleType.UInt16), (source.Width, source.Height, source.Channels, source.SampleType));
    }

    [Fact]
    public void Write_displacement_file_contains_displacement()
    {
        PhantomDataset dataset = Small with { Slides = 1, FieldsPerSlide = 1, Options = Small.Options with { Misalign = 5 } };
        Write(dataset);
        string path = Path.Combine(folder, "truth", "s001_f01_her2_displacement.safetensors");
        SafeTensorsHeader header = SafeTensors.ReadHeader(path);
        Assert.Equal([2, 80, 96], header.Tensors["displacement"].shape);
        Assert.Contains("source pixel (x + dx, y + dy)", header.Metadata["meaning"]);
        float[] expected = PhantomSlide.Render(dataset.Field(0, 0), cancel: TestContext.Current.CancellationToken).Images[1].Displacement!;
        Assert.Equal(MemoryMarshal.AsBytes(expected.AsSpan()).ToArray(), File.ReadAllBytes(path)[^(4 * expected.Length)..]);
    }

    [Fact]
    public void Write_resumes_interrupted_call_with_equal_bytes()
    {
        Write(Small);
        string image = Path.Combine(folder, "target", "s003_f02.png"), kept = Path.Combine(folder, "source", "s001_f01.png");
        byte[] before = File.ReadAllBytes(image);
        DateTime time = File.GetLastWriteTimeUtc(kept);
        File.Delete(image);
        File.Delete(Path.Combine(folder, "truth", "s003_f02.yaml"));
        File.Delete(Path.Combine(folder, "manifest.csv"));
        Write(Small);
        Assert.Equal(before, File.ReadAllBytes(image));
        Assert.Equal(time, File.GetLastWriteTimeUtc(kept));
        Assert.True(File.Exists(Path.Combine(folder, "manifest.csv")));
    }

    [Fact]
    public void Write_omits_unused_later_options()
    {
        PhantomDataset plain = Small with { Slides = 1, FieldsPerSlide = 1 };
        Write(plain);
        string file = Path.Combine(folder, "phantom.yaml");
        Assert.EndsWith("sensor_noise: 1\n", File.ReadAllText(file));
        PhantomDataset other = plain with { Options = plain.Options with { LevelInHe = 0.5, OnTumour = true } };
        Assert.Equal("Overwrite", Assert.Throws<TinctorException>(() => Write(other)).Option);
        Write(other, replace: true);
        Assert.EndsWith("sensor_noise: 1\nlevel_in_he: 0.5\non_tumour: true\n", File.ReadAllText(file));
    }

    [Fact]
    public void Write_into_folder_with_other_files_throws()
    {
        string note = Path.Combine(folder, "note.txt");
        File.WriteAllText(note, "mine");
        Assert.Contains("not empty", Assert.Throws<TinctorException>(() => Write(Small, replace: true)).Message);
        File.Delete(note);
        PhantomDataset one = Small with { Slides = 1, FieldsPerSlide = 1 };
        Write(one);
        File.WriteAllText(note, "mine");
        PhantomDataset other = one with { Options = one.Options with { Seed = 4 } };
        Assert.Equal("Overwrite", Assert.Throws<TinctorException>(() => Write(other)).Option);
        Write(other, replace: true);
        Assert.Equal("mine", File.ReadAllText(note));
    }

    [Fact]
    public void WriteLabels_above_65535_uses_32_bit()
    {
        int[] labels = [0, 1, 70_000, 65_536, 5, 6];
        string path = Path.Combine(folder, "labels.tif");
        PhantomFiles.WriteLabels(path, labels, 3, 2);
        byte[] file = File.ReadAllBytes(path);
        Assert.Equal("II*\0"u8, file.AsSpan(0, 4));
        int directory = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(4));
        Assert.Equal(10, BinaryPrimitives.ReadInt16LittleEndian(file.AsSpan(directory)));
        using var inflate = new ZLibStream(new MemoryStream(file, 8, directory - 8), CompressionMode.Decompress);
        byte[] pixels = new byte[24];
        inflate.ReadExactly(pixels);
        Assert.Equal(labels, MemoryMarshal.Cast<byte, int>(pixels).ToArray());
    }

    private void Write(PhantomDataset dataset, bool replace = false) =>
        dataset.Write(folder, replace, cancel: TestContext.Current.CancellationToken);
}
