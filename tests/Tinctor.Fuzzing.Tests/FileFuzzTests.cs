using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Slides.Annotations;
using Tinctor.Staining;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Fuzzing.Tests;

/// <summary>
/// Mutated files of all formats. The environment variable TINCTOR_FUZZ_CASES sets their number, TINCTOR_FUZZ_FIRST the first one, so that a
/// case can be repeated.
/// </summary>
public sealed class FileFuzzTests : IDisposable
{
    private static readonly string[] YamlWords =
        ["method: ", "&a ", "*a", "<<: ", "!!int ", "- ", "\t", "{", "[", "null", ": ", "model:\n", "\"\\0\"", "1e999"];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Read_mutated_safetensors_is_refused_or_valid() => new FuzzedFormat("safetensors", ".safetensors", path =>
    {
        using DisposeScope scope = torch.NewDisposeScope();
        SafeTensors.Load(path);
    }, [Vector("serialization/dtypes.safetensors"), Vector("nafnet/io.safetensors")],
        "\"dtype\":\"F64\"", "\"shape\":[4294967296,4294967296]",
        "\"data_offsets\":[0,9223372036854775807]", "__metadata__", "{", "}").Run();

    [Fact]
    public void Read_mutated_pth_is_refused_or_valid_and_runs_no_code()
    {
        string marker = folder.File("executed");
        new FuzzedFormat("pth", ".pth", path =>
        {
            using DisposeScope scope = torch.NewDisposeScope();
            PthReader.Load(path);
        }, [.. new[] { "training", "training_protocol4", "legacy", "legacy_views", "views", "dtypes", "two_models" }
            .Select(name => Vector($"serialization/{name}.pth"))],
            "cposix\nsystem\n", "cos\nsystem\n", "cbuiltins\nexec\n", $"(S'touch {marker}'\ntR",
            "ctorch._utils\n_rebuild_tensor_v2\n", "tR.", "b.")
            .Run();
        Assert.False(File.Exists(marker));
        Assert.False(HasChildren());
    }

    [Fact]
    public void Read_mutated_onnx_is_refused_or_valid()
    {
        string model = Directory.CreateDirectory(folder.File("case")).FullName;
        File.Copy(RepositoryFiles.Path("samples/model/model.json"), Path.Combine(model, "model.json"));
        var image = new Image(16, 16, 3);
        new FuzzedFormat("onnx", ".onnx", path =>
        {
            File.Copy(path, Path.Combine(model, "model.onnx"), overwrite: true);
            using Stainer stainer = OnnxModel.LoadStainer(model, threads: 1);
            stainer.Stain(image);
        }, [Seed("network.onnx")], "Conv", "Pad", "image", "source", "Resize")
        { Faults = [3126, 6263, 59860] }.Run();
    }

    [Fact]
    public void Read_mutated_model_description_is_refused_or_valid()
    {
        string model = Directory.CreateDirectory(folder.File("case")).FullName;
        File.WriteAllBytes(Path.Combine(model, "model.onnx"), Seed("network.onnx"));
        new FuzzedFormat("model.json", ".json", path =>
        {
            File.Copy(path, Path.Combine(model, "model.json"), overwrite: true);
            using Stainer stainer = OnnxModel.LoadStainer(model, threads: 1);
        }, [File.ReadAllBytes(RepositoryFiles.Path("samples/model/model.json"))], "\"stains\":[\"a\"],",
            "null", "[]", "{", "\"bridge\":{},")
            .Run();
    }

    [Fact]
    public void Read_mutated_config_is_refused_or_valid() => new FuzzedFormat("config", ".yaml",
        path => ConfigFile.Load(path), [Seed("config.yaml")], YamlWords).Run();

    [Fact]
    public void Read_mutated_model_config_is_refused_or_valid() => new FuzzedFormat("model config", ".yaml",
        path => ConfigFile.LoadModel(path), [File.ReadAllBytes(RepositoryFiles.Path("samples/model/config.yaml"))], YamlWords).Run();

    [Fact]
    public void Read_mutated_manifest_is_refused_or_valid() => new FuzzedFormat("manifest", ".csv",
        path => ManifestFile.Read(path), [Seed("manifest.csv")], "\"", ",", "\n", "train", "../../", "slide_id").Run();

    [Fact]
    public void Read_mutated_landmarks_is_refused_or_valid()
    {
        new FuzzedFormat("landmarks", ".csv", path => LandmarkFile.Read(path), [Seed("landmarks.csv")],
            "\"", ",", ";", "\n", "X", "1e999").Run();
        new FuzzedFormat("points", ".pts", path => LandmarkFile.Read(path), [Seed("landmarks.pts")],
            "index", "point", "\n", " ").Run();
    }

    [Fact]
    public void Read_mutated_geojson_is_refused_or_valid() => new FuzzedFormat("geojson", ".geojson", path =>
    {
        GeoJsonFile.Read(path);
        GeoJsonFile.ReadObjects(path);
    }, [Seed("regions.geojson")], "[", "]", "{", "}", "\"geometry\":null,", "\"type\":\"GeometryCollection\",", "[[[[", "1e308").Run();

    [Fact]
    public void Read_mutated_transform_is_refused_or_valid() => new FuzzedFormat("transform", ".json",
        path => TransformFile.Read(path), [Seed("transform.json")],
        "null", "[]", "{}", "\"displacement\":\"/dev/zero\",", "\"review\":{},").Run();

    [Theory]
    [InlineData(".png"), InlineData(".jpg"), InlineData(".tif")]
    public void Read_mutated_image_is_refused_or_valid(string extension)
    {
        Image image = Picture(60, 44);
        image.Write(folder.File("seed" + extension));
        var deep = new Image(30, 20, 3, SampleType.UInt16);
        if (extension != ".jpg") deep.Write(folder.File("deep" + extension));
        byte[][] seeds = [.. Directory.GetFiles(folder.Path).Select(File.ReadAllBytes)];
        new FuzzedFormat("image" + extension, extension, path =>
        {
            Image.ReadInfo(path);
            Image.Read(path);
        }, seeds, "IHDR", "IDAT", "iCCP", "acTL", "Exif\0\0", "\xff\xd8").Run();
    }

    [Fact]
    public void Read_mutated_slide_is_refused_or_valid()
    {
        SlideWriter.Write(folder.File("seed.ome.tif"), new SlideSpec(150, 100) { Tile = 64, Mpp = 0.5 }, Picture(150, 100));
        new FuzzedFormat("ome.tif", ".ome.tif", ReadSlide, [File.ReadAllBytes(folder.File("seed.ome.tif"))],
            "<OME", "<Pixels ", "SizeX=\"999999999\"", "<TiffData/>", "<!DOCTYPE a [<!ENTITY b SYSTEM \"/etc/passwd\">]>", "&b;")
        { Faults = [3559] }.Run();
    }

    // A real file of 2 MB, so there are fewer cases.
    [Fact]
    public void Read_mutated_svs_is_refused_or_valid() => new FuzzedFormat("svs", ".svs", ReadSlide,
        [File.ReadAllBytes(RepositoryFiles.Path("samples/data/slides/cmu-1-small-region.svs"))],
        "Aperio", "|MPP = 0|", "|AppMag = 1e999|")
    { Faults = [4868] }.Run(FuzzedFormat.Cases / 10);

    [Fact]
    public void Read_mutated_dicom_is_refused_or_valid() => new FuzzedFormat("dicom", ".dcm", ReadSlide,
        [Seed("raw.dcm"), Seed("rle.dcm")], "SQ\0\0\xff\xff\xff\xff", "OB\0\0\xff\xff\xff\xff", "\xfe\xff\x00\xe0\xff\xff\xff\xff",
        "\xfe\xff\xdd\xe0\0\0\0\0", "US\x02\0", "1.2.840.10008.1.2.5\0")
    { Faults = [24468] }.Run();

    private static void ReadSlide(string path)
    {
        using Slide slide = Slide.Open(path);
        _ = (slide.Modality, slide.Notes, slide.ChannelInfo);
        int last = slide.Levels.Count - 1;
        slide.Read(last, 0, 0, Math.Min(slide.Levels[last].Width, 64), Math.Min(slide.Levels[last].Height, 64));
        slide.Read(0, 0, 0, Math.Min(slide.Width, 64), Math.Min(slide.Height, 64));
        foreach (string name in slide.AssociatedNames) slide.ReadAssociated(name);
    }

    private static Image Picture(int width, int height)
    {
        var image = new Image(width, height, 3);
        for (int i = 0; i < image.Data.Length; i++) image.Data[i] = (byte)((i * i / 97) + i);
        return image;
    }

    private static bool HasChildren() => OperatingSystem.IsLinux() && Directory.GetDirectories($"/proc/{Environment.ProcessId}/task")
        .Any(thread => File.ReadAllText(Path.Combine(thread, "children")).Trim().Length > 0);

    private static byte[] Vector(string name) => File.ReadAllBytes(TestVectors.Path(name));

    private static byte[] Seed(string name) => File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Seeds", name));
}
