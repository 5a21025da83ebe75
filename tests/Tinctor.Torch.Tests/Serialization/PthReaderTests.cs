using System.Numerics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Tinctor.Tests;
using Tinctor.Torch.Serialization;
using Items = System.Collections.Generic.OrderedDictionary<object, object?>;

namespace Tinctor.Torch.Tests.Serialization;

public sealed class PthReaderTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    private string Target => folder.File("hostile.pth");

    public void Dispose() => folder.Dispose();

    /// <summary>A tensor's type, shape and contiguous bytes.</summary>
    private sealed record Raw(ScalarType Dtype, long[] Shape, byte[] Bytes)
    {
        public float[] Floats => MemoryMarshal.Cast<byte, float>(Bytes).ToArray();
    }

    private static object? Load(string path) => PthReader.Load(path);

    private static Raw Read(object? value)
    {
        using var scope = torch.NewDisposeScope();
        var tensor = Assert.IsType<Tensor>(value);
        return new Raw(tensor.dtype, tensor.shape, tensor.contiguous().bytes().ToArray());
    }

    private static Items LoadItems(string name) => Assert.IsType<Items>(Load(TestFiles.Vector(name)));

    [Fact]
    public void Load_every_element_type_gives_its_bytes()
    {
        var items = LoadItems("dtypes.pth");
        byte[] Bytes<T>(Func<int, T> value) where T : unmanaged =>
            MemoryMarshal.AsBytes<T>(Enumerable.Range(0, 6).Select(value).ToArray()).ToArray();
        var expected = new Dictionary<string, (ScalarType Dtype, byte[] Bytes)>
        {
            ["float64"] = (ScalarType.Float64, Bytes(i => (double)i)),
            ["float32"] = (ScalarType.Float32, Bytes(i => (float)i)),
            ["float16"] = (ScalarType.Float16, Bytes(i => (Half)i)),
            ["bfloat16"] = (ScalarType.BFloat16, Bytes(i => (ushort)(BitConverter.SingleToUInt32Bits(i) >> 16))),
            ["int64"] = (ScalarType.Int64, Bytes(i => (long)i)),
            ["int32"] = (ScalarType.Int32, Bytes(i => i)),
            ["int16"] = (ScalarType.Int16, Bytes(i => (short)i)),
            ["int8"] = (ScalarType.Int8, Bytes(i => (sbyte)i)),
            ["uint8"] = (ScalarType.Byte, Bytes(i => (byte)i)),
            ["complex64"] = (ScalarType.ComplexFloat32, Bytes(i => ((float)i, 0f))),
            ["complex128"] = (ScalarType.ComplexFloat64, Bytes(i => new Complex(i, 0))),
            ["bool"] = (ScalarType.Bool, Bytes(i => i % 2 == 1)),
        };
        Assert.Equal(expected.Keys.Order(), items.Keys.Cast<string>().Order());
        foreach (var (name, value) in items)
        {
            var tensor = Read(value);
            Assert.Equal([2, 3], tensor.Shape);
            Assert.Equal(expected[(string)name].Dtype, tensor.Dtype);
            Assert.Equal(expected[(string)name].Bytes, tensor.Bytes);
        }
    }

    [Theory]
    [InlineData("views.pth")]
    [InlineData("little_endian.pth")]
    public void Load_views_of_one_storage_gives_shapes_and_values(string name)
    {
        var items = LoadItems(name);
        float[] Floats(string key) => Read(items[key]).Floats;
        long[] Shape(string key) => Read(items[key]).Shape;
        Assert.Equal(Enumerable.Range(0, 24).Select(i => (float)i), Floats("base"));
        Assert.Equal([6, 4], Shape("transposed"));
        Assert.Equal([0, 6, 12, 18, 1], Floats("transposed")[..5]);
        Assert.Equal([5, 6, 7, 8, 9, 10], Floats("offset"));
        Assert.Equal([1, 5, 9, 13, 17, 21], Floats("stepped"));
        Assert.Equal([7, 7, 7, 7, 7, 7], Floats("expanded"));
        Assert.Empty(Shape("scalar"));
        Assert.Equal([9], Floats("scalar"));
        Assert.Equal([0, 5], Shape("empty"));
        Assert.Empty(Floats("empty"));
        Assert.Equal([1, 2], Floats("parameter"));
        Assert.Equal([1, 2, 3, 4], Shape("channels_last"));
        Assert.Equal(Floats("base"), Floats("channels_last"));
    }

    [Theory]
    [InlineData("training.pth")]
    [InlineData("training_protocol4.pth")]
    public void Load_training_checkpoint_keeps_nesting(string name)
    {
        var items = LoadItems(name);
        Assert.Equal(12L, items["epoch"]);
        Assert.Equal(0.25, items["best"]);
        Assert.Equal(7L, items["count"]);
        Assert.Equal(true, items["flag"]);
        Assert.Equal(BigInteger.Pow(2, 70), items["big"]);
        Assert.Equal(-3L, items["negative"]);
        Assert.Equal(-(1L << 40), items["long"]);
        Assert.Equal("größe", items["name"]);
        Assert.Equal(new byte[] { (byte)'a', (byte)'b', 0xff }, items["bytes"]);
        Assert.Null(items["none"]);
        Assert.Equal(new object?[] { 1L, 2.5, true }, items["tuple"]);
        Assert.Equal(new List<object?> { 1L, new List<object?> { 2L, new List<object?> { 3L } } }, items["list"]);
        Assert.Equal(1L, Assert.Single(Assert.IsType<HashSet<object>>(items["set"])));
        Assert.Equal(new Complex(1, 2), items["complex"]);
        Assert.Equal(new long[] { 1, 2 }, items["size"]);
        Assert.Equal("cuda:0", items["device"]);
        Assert.Equal(ScalarType.Float16, items["dtype"]);

        var model = Assert.IsType<Items>(items["model"]);
        Assert.Equal(
            ["0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"],
            model.Keys.Cast<string>());
        var state = Assert.IsType<Items>(Assert.IsType<Items>(items["optimizer"])["state"]);
        Assert.Equal([0L, 1L, 2L, 3L], state.Keys.Cast<long>());
        Assert.Equal([3, 2], Read(Assert.IsType<Items>(state[(object)0L])["exp_avg"]).Shape);
        Assert.Equal(2L, Assert.IsType<Items>(Assert.IsType<Items>(items["scheduler"])["milestones"])[(object)3L]);
    }

    [Fact]
    public void Load_tensors_of_one_storage_share_memory()
    {
        using var scope = torch.NewDisposeScope();
        var items = LoadItems("views.pth");
        ((Tensor)items["base"]!).fill_(-1);
        Assert.All(Read(items["transposed"]).Floats, value => Assert.Equal(-1, value));
        Assert.Equal(-1, Read(items["scalar"]).Floats[0]);
        Assert.NotEqual(-1, Read(items["channels_last"]).Floats[0]);
    }

    [Fact]
    public void LoadStateDict_finds_only_state_dictionary()
    {
        using var scope = torch.NewDisposeScope();
        var weights = PthReader.LoadStateDict(TestFiles.Vector("training.pth"));
        Assert.Equal("0.weight", weights.GetAt(0).Key);
        Assert.Equal([3, 2], weights["0.weight"].shape);
        Assert.Equal(weights.Keys, PthReader.LoadStateDict(TestFiles.Vector("training.pth"), "model").Keys);
        Assert.Equal(12, PthReader.LoadStateDict(TestFiles.Vector("dtypes.pth")).Count);
    }

    [Fact]
    public void LoadStateDict_of_several_is_chosen_by_name()
    {
        using var scope = torch.NewDisposeScope();
        var path = TestFiles.Vector("two_models.pth");
        Assert.Equal("w", Assert.Single(PthReader.LoadStateDict(path, "nets/D")).Key);
        Assert.Equal(7, PthReader.LoadStateDict(path, "nets/G").Count);
        void Refuses(string? name, string reason) =>
            Assert.Equal($"{path}: {reason}", Assert.Throws<TinctorException>(() => PthReader.LoadStateDict(path, name)).Message);
        Refuses(null, "holds 2 state dictionaries, one must be chosen by name: nets/G, nets/D");
        Refuses("G", "holds 2 state dictionaries, none is named G: nets/G, nets/D");

        Pickle.WriteArchive(Target, Pickle.Start().Op("}").Stop());
        Assert.Contains("holds no state dictionary", Assert.Throws<TinctorException>(() => PthReader.LoadStateDict(Target)).Message);
    }

    [Fact]
    public void Load_vector_checkpoints_have_described_keys_and_shapes()
    {
        var checkpoints = TestVectors.Find("weights.pth");
        Assert.NotEmpty(checkpoints);
        foreach (var name in checkpoints)
        {
            using var scope = torch.NewDisposeScope();
            var items = Assert.IsType<Items>(Load(TestVectors.Path(name)));
            var description = TestVectors.Path(Path.Combine(Path.GetDirectoryName(name)!, "meta.json"));
            using var meta = JsonDocument.Parse(File.ReadAllText(description));
            var described = meta.RootElement.GetProperty("state_dict_keys").EnumerateObject()
                .Select(p => (p.Name, string.Join(",", p.Value.GetProperty("shape").EnumerateArray())));
            Assert.Equal(described, items.Select(i => ((string)i.Key, string.Join(",", ((Tensor)i.Value!).shape))));
        }
    }

    [Theory]
    [InlineData("tar.pth", "tar archive")]
    [InlineData("bare_pickle.pth", "bare Python pickle")]
    [InlineData("torchscript.pt", "TorchScript program")]
    [InlineData("whole_module.pth", "torch.nn.modules.container.Sequential")]
    [InlineData("command.pth", "posix.system")]
    [InlineData("big_endian.pth", "big-endian")]
    [InlineData("compressed.pth", "is compressed or encrypted")]
    [InlineData("short_storage.pth", "data/0 has 92 bytes, the pickle says 96")]
    [InlineData("lost_storage.pth", "refers to the record views/data/0, which is not there")]
    [InlineData("no_pickle.pth", "without exactly one FOLDER/data.pkl")]
    public void Load_other_vector_file_is_refused_with_reason(string name, string reason) => AssertRefused(TestFiles.Vector(name), reason);

    [Fact]
    public void Load_other_file_types_are_refused()
    {
        AssertRefused(folder.File("empty.pth", []), "it is empty");
        AssertRefused(folder.File("text.pth", "<html>"u8), "it is not a zip archive");
        AssertRefused(folder.File("x.pth", [8, 0, 0, 0, 0, 0, 0, 0, .. "{}      "u8]), "it is a safetensors file");
        AssertRefused(folder.File("zip.pth", "PK\u0003\u0004 and no more"u8), "not a readable PyTorch checkpoint");
        Assert.Throws<TinctorException>(() => Load(folder.File("missing.pth")));
        Assert.Throws<TinctorException>(() => Load(folder.Path));
    }

    [Theory]
    [InlineData(new long[] { 4 }, new long[] { 1 }, 1)] // one past the end
    [InlineData(new long[] { 2, 2 }, new long[] { 3, 1 }, 0)]
    [InlineData(new long[] { 2 }, new long[] { long.MaxValue }, 0)]
    [InlineData(new long[] { long.MaxValue, long.MaxValue }, new long[] { 0, 0 }, 0)]
    [InlineData(new long[] { 0, long.MaxValue, 2 }, new long[] { 1, 1, 1 }, 0)]
    [InlineData(new long[] { 1 }, new long[] { 1 }, long.MaxValue)]
    public void Load_tensor_beyond_its_storage_is_refused(long[] shape, long[] stride, long offset)
    {
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(4, offset, shape, stride).Stop());
        AssertRefused(Target, "reaches beyond its storage of 4 elements");
    }

    [Theory]
    [InlineData(new long[] { -1 }, new long[] { 1 }, 0)]
    [InlineData(new long[] { 2 }, new long[] { -1 }, 1)]
    [InlineData(new long[] { 2 }, new long[] { 1, 1 }, 0)]
    [InlineData(new long[] { 2 }, new long[] { 1 }, -1)]
    public void Load_tensor_of_invalid_shape_is_refused(long[] shape, long[] stride, long offset)
    {
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(4, offset, shape, stride).Stop());
        AssertRefused(Target, "_rebuild_tensor_v2 with arguments that it does not take");
    }

    [Fact]
    public void Load_storage_of_wrong_size_is_refused()
    {
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(1L << 40, 0, [1], [1]).Stop());
        AssertRefused(Target, "has 16 bytes, the pickle says 4398046511104");
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(long.MaxValue, 0, [1], [1]).Stop());
        AssertRefused(Target, "not a storage with type, key and length");
        Pickle.WriteArchive(Target, Pickle.Start().Op("(").Tensor(4, 0, [1], [1]).Tensor(2, 0, [1], [1], "DoubleStorage").Op("t").Stop());
        AssertRefused(Target, "two different types");
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(4, 0, [1], [1], key: "../0").Stop());
        AssertRefused(Target, "archive/data/../0, which is not there");
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(4, 0, [1L << 40], [0]).Stop());
        AssertRefused(Target, "repeats 4 elements too often");
        Pickle.WriteArchive(Target, Pickle.Start().Tensor(2, 0, [2], [1], "BoolStorage", key: "1").Stop(), 4, ("archive/data/1", [1, 2]));
        AssertRefused(Target, "values other than 0 and 1");
    }

    [Fact]
    public void Load_records_of_equal_name_are_refused()
    {
        Pickle.WriteArchive(Target, Pickle.Start().Op("N").Stop(), 16, ("archive/data/0", []));
        AssertRefused(Target, "two records named archive/data/0");
        Pickle.WriteArchive(Target, Pickle.Start().Op("N").Stop(), 16, ("other/data.pkl", []));
        AssertRefused(Target, "without exactly one FOLDER/data.pkl");
    }

    [Theory]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "getattr")]
    [InlineData("torch", "load")]
    [InlineData("torch.storage", "_load_from_bytes")]
    [InlineData("os", "system\nX")]
    public void Load_unlisted_global_is_refused_by_name(string module, string name)
    {
        Pickle.WriteArchive(Target, Pickle.Start().Global(module, name).Stop());
        AssertRefused(Target, $"it needs {module}.{name.Split('\n')[0]}, which is not among the classes");
    }

    public static TheoryData<string, byte[], string> BrokenPickles() => new()
    {
        { "empty", [], "cut off" },
        { "no stop", [0x80, 2, (byte)'N'], "cut off" },
        { "protocol 0", [0x80, 0, (byte)'N', (byte)'.'], "protocol 0" },
        { "nothing left", Pickle.Start().Stop(), "unbalanced stack" },
        { "too much left", Pickle.Start().Op("NN").Stop(), "unbalanced stack" },
        { "empty stack", Pickle.Start().Op("0").Stop(), "empty stack" },
        { "below the mark", Pickle.Start().Op("N(0").Stop(), "empty stack" },
        { "no mark", Pickle.Start().Op("Nt").Stop(), "mark that is not there" },
        { "memo", Pickle.Start().Op("hA").Stop(), "object 65, which is not there" },
        { "unknown operation", Pickle.Start().Op("NiX").Stop(), "operation 0x69" },
        { "instance", Pickle.Start().Add(0x81).Stop(), "operation 0x81" },
        { "extension registry", Pickle.Start().Add(0x82, 1).Stop(), "operation 0x82" },
        { "huge text", Pickle.Start().Op("X").Add(0xff, 0xff, 0xff, 0xff).Stop(), "cut off" },
        { "huger text", Pickle.Start().Add(0x8d).Add(BitConverter.GetBytes(-1L)).Stop(), "cut off" },
        { "append to a dictionary", Pickle.Start().Op("}Na").Stop(), "not a List" },
        { "items into a list", Pickle.Start().Op("]NNs").Stop(), "not a OrderedDictionary" },
        { "odd items", Pickle.Start().Op("}(Nu").Stop(), "without a value" },
        { "key that is a list", Pickle.Start().Op("}]Ns").Stop(), "neither text nor a number" },
        { "call of text", Pickle.Start().Text("os.system").Op(")R").Stop(), "cannot be called" },
        { "call of a type", Pickle.Start().Global("torch", "FloatStorage").Op(")R").Stop(), "cannot be called" },
        { "attributes of a list", Pickle.Start().Op("]}b").Stop(), "has none" },
        { "persistent text", Pickle.Start().Text("module").Op("Q").Stop(), "not a storage" },
        { "wrong arguments", Pickle.Start().Global("torch", "Size").Op(")R").Stop(), "torch.Size with arguments" },
        {
            "numpy object",
            Pickle.Start().Global("numpy.core.multiarray", "scalar").Op("(")
                .Global("numpy", "dtype").Op("(").Text("O8").Op("tRC").Add(0).Op("tR").Stop(),
            "numpy scalar of type O8"
        },
    };

    [Theory]
    [MemberData(nameof(BrokenPickles))]
    public void Load_damaged_pickle_is_refused(string what, byte[] pickle, string reason)
    {
        Assert.NotNull(what);
        Pickle.WriteArchive(Target, pickle);
        AssertRefused(Target, reason);
    }

    [Fact]
    public void Load_deep_nesting_and_self_reference_do_not_overflow()
    {
        Pickle.WriteArchive(Target, Pickle.Start().Op(new string(']', 1_000_000)).Op(new string('a', 999_999)).Stop());
        Assert.IsType<List<object?>>(Load(Target));
        Pickle.WriteArchive(Target, Pickle.Start().Op("]q\u0001h\u0001a").Stop());
        var self = Assert.IsType<List<object?>>(Load(Target));
        Assert.Same(self, self[0]);
        Pickle.WriteArchive(Target, Pickle.Start().Op("}q\u0001").Text("a").Op("h\u0001s").Stop());
        Assert.IsType<Items>(Load(Target));
    }

    [Fact]
    public void Load_pickle_bomb_is_refused_before_it_takes_memory()
    {
        var before = GC.GetTotalAllocatedBytes();
        Pickle.WriteArchive(Target, Pickle.Start().Op(new string('}', 6_000_000)).Stop());
        AssertRefused(Target, "more than 5000000 operations");

        // A long list, copied again and again by a call of a few bytes.
        var copies = Pickle.Start().Op("](").Repeat(100_000, p => p.Op("K\u0001")).Op("eq\u0001").Global("__builtin__", "set").Op("q\u0002")
            .Repeat(100_000, p => p.Op("h\u0002h\u0001").Add(0x85).Op("R")).Stop();
        Pickle.WriteArchive(Target, copies);
        AssertRefused(Target, "more than 5000000 operations");
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 3L << 30);

        Pickle.WriteArchive(Target, new byte[65 << 20]);
        AssertRefused(Target, "at most 67108864 are allowed");
    }

    [Fact]
    public void Load_repeated_references_are_visited_once()
    {
        // 100 levels: 2^100 ways from the root to the innermost.
        var laughs = Pickle.Start().Op("(}q\u0000");
        for (byte level = 1; level < 100; level++)
        {
            byte[] inner = [(byte)'h', (byte)(level - 1)];
            laughs.Op("}(").Text("a").Add(inner).Text("b").Add(inner).Op("u").Add((byte)'q', level);
        }

        Pickle.WriteArchive(Target, laughs.Op("t").Stop());
        Assert.Equal(100, Assert.IsType<object?[]>(Load(Target)).Length);
    }

    [Theory]
    [InlineData("training.pth")]
    [InlineData("views.pth")]
    [InlineData("legacy.pth")]
    [InlineData("legacy_views.pth")]
    public void Load_flipped_or_truncated_file_is_refused_or_bounded(string name)
    {
        var random = new Random(11);
        var good = File.ReadAllBytes(TestFiles.Vector(name));
        int refused = 0, sameShapes = 0;
        string[] expected = Shapes(Load(TestFiles.Vector(name)));
        Assert.NotEmpty(expected);
        for (var round = 0; round < 500; round++)
        {
            var bytes = good.AsSpan(0, round % 5 == 0 ? random.Next(good.Length) : good.Length).ToArray();
            for (var flips = random.Next(1, 5); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }

            try
            {
                // Flips in the pickle may drop a tensor, or change its sizes within its storage.
                using var scope = torch.NewDisposeScope();
                string[] shapes = Shapes(Load(folder.File("damaged.pth", bytes)));
                if (shapes.SequenceEqual(expected)) sameShapes++;
            }
            catch (TinctorException error)
            {
                Assert.StartsWith(folder.File("damaged.pth"), error.Message);
                Assert.DoesNotContain('\n', error.Message);
                refused++;
            }
        }

        Assert.InRange(refused, 150, 499);
        Assert.InRange(sameShapes, 1, 500 - refused);
    }

    // Shapes of the tensors in nested dictionaries; reads every element.
    private static string[] Shapes(object? value) => value switch
    {
        Tensor tensor => [$"{tensor.dtype} {string.Join(",", Read(tensor).Shape)}"],
        Items items => [.. items.Values.SelectMany(Shapes)],
        _ => [],
    };

    private static void AssertRefused(string path, string reason)
    {
        var error = Assert.Throws<TinctorException>(() => Load(path));
        Assert.StartsWith($"{path}: ", error.Message);
        Assert.Contains(reason, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }
}
