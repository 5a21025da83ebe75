using System.Text;
using Tinctor.Tests;
using Tinctor.Torch.Serialization;

namespace Tinctor.Torch.Tests.Serialization;

public sealed class SafeTensorsTests : IDisposable
{
    private static readonly ScalarType[] types =
    [
        ScalarType.Float64, ScalarType.Float32, ScalarType.Float16, ScalarType.BFloat16, ScalarType.Int64, ScalarType.Int32,
        ScalarType.Int16, ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
    ];

    private readonly TemporaryFolder folder = new();

    private string Target => this.folder.File("model.safetensors");

    public void Dispose() => this.folder.Dispose();

    [Fact]
    public void Save_writes_header_and_data_of_format()
    {
        Save([("b", ScalarType.Byte, [3], [1, 2, 3]), ("f", ScalarType.Float32, [], [0, 0, 128, 63])], [new("format", "pt")]);
        var bytes = File.ReadAllBytes(Target);
        var length = (int)BitConverter.ToInt64(bytes);
        Assert.Equal(0, (8 + length) % 8);
        Assert.Equal(
            """{"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[3],"data_offsets":[4,7]},"f":"""
            + """{"dtype":"F32","shape":[],"data_offsets":[0,4]}}""",
            Encoding.UTF8.GetString(bytes, 8, length).TrimEnd(' '));
        Assert.Equal([0, 0, 128, 63, 1, 2, 3], bytes[(8 + length)..]);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Save_random_tensors_read_back_equal(int seed)
    {
        var random = new Random(seed);
        for (var round = 0; round < 20; round++)
        {
            var tensors = RandomTensors(random, random.Next(12));
            Save(tensors, Enumerable.Range(0, random.Next(3)).Select(i => new KeyValuePair<string, string>($"k{i}", "v\n\"é")));
            var read = Read(Target);
            Assert.Equal(tensors.Select(t => t.Name), read.Select(t => t.Name));
            Assert.All(tensors.Zip(read), pair =>
            {
                Assert.Equal(pair.First.Dtype, pair.Second.Dtype);
                Assert.Equal(pair.First.Shape, pair.Second.Shape);
                Assert.Equal(pair.First.Bytes, pair.Second.Bytes);
            });
            Assert.All(SafeTensors.ReadHeader(Target).Tensors.Values, t =>
                Assert.Equal(0, t.Begin % t.dtype.Size()));
        }
    }

    [Fact]
    public void Save_tensors_of_any_stride_by_value()
    {
        using var scope = torch.NewDisposeScope();
        var matrix = torch.arange(0, 6, dtype: ScalarType.Float32).view(2, 3);
        var tensors = new OrderedDictionary<string, Tensor>
        {
            ["transposed"] = matrix.t(),
            ["row"] = matrix.select(0, 1),
            ["expanded"] = torch.ones([1], ScalarType.Int64).expand(3),
            ["scalar"] = torch.tensor(2.5),
            ["trained"] = torch.ones([2], requires_grad: true),
            ["half"] = matrix.to(ScalarType.BFloat16),
            ["mask"] = matrix > 2,
            ["empty"] = torch.empty([0, 4]),
        };
        SafeTensors.Save(Target, tensors, [new("made by", "a test")]);
        var read = SafeTensors.Load(Target, out var metadata);
        Assert.Equal([new("made by", "a test")], metadata);
        Assert.Equal(tensors.Keys, read.Keys);
        foreach (var (name, tensor) in read)
        {
            Assert.Equal(tensors[name].dtype, tensor.dtype);
            Assert.Equal(tensors[name].shape, tensor.shape);
            Assert.False(tensor.requires_grad);
            Assert.Equal(tensors[name].detach().contiguous().bytes(), tensor.bytes());
        }
    }

    [Fact]
    public void Load_file_of_python_equals_checkpoint_of_python()
    {
        using var scope = torch.NewDisposeScope();
        var tensors = SafeTensors.Load(TestFiles.Vector("dtypes.safetensors"), out var metadata);
        var checkpoint = PthReader.LoadStateDict(TestFiles.Vector("dtypes.pth"));
        Assert.Equal([new("größe", "é\n")], metadata);
        Assert.Equal(["empty", "scalar", .. checkpoint.Keys.Where(key => !key.StartsWith("complex")).Reverse()], tensors.Keys);
        Assert.Equal(2.5f, tensors["scalar"].item<float>());
        Assert.Equal([2, 0], tensors["empty"].shape);
        foreach (var (name, tensor) in tensors.Skip(2))
        {
            Assert.Equal(checkpoint[name].dtype, tensor.dtype);
            Assert.Equal(checkpoint[name].shape, tensor.shape);
            Assert.Equal(checkpoint[name].bytes(), tensor.bytes());
        }
    }

    [Fact]
    public void Load_all_vector_files_succeeds()
    {
        var names = TestVectors.Find("io*.safetensors");
        Assert.NotEmpty(names);
        foreach (var file in names.Select(TestVectors.Path))
        {
            using var scope = torch.NewDisposeScope();
            var header = SafeTensors.ReadHeader(file).Tensors;
            var tensors = SafeTensors.Load(file);
            Assert.Equal(header.Keys, tensors.Keys);
            Assert.All(tensors, t => Assert.Equal(header[t.Key].shape, t.Value.shape));
        }
    }

    [Theory]
    [InlineData("", "its header is not a JSON object")]
    [InlineData("[]", "its header is not a JSON object")]
    [InlineData(" {}", "its header is not a JSON object")]
    [InlineData("{", "Expected depth")]
    [InlineData("{}x", "'x' is")]
    [InlineData("{}", "its tensors take 0 bytes, 8 follow")]
    [InlineData("""{"a":1}""", "'a' has a Number where a StartObject is wanted")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "lacks its dtype, shape or two data_offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}""", "lacks its dtype, shape or two data_offsets")]
    [InlineData("""{"a":{"dtype":"U16","shape":[4],"data_offsets":[0,8]}}""", "unsupported dtype U16")]
    [InlineData("""{"a":{"dtype":"F64","shape":[2],"data_offsets":[0,8]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}""", "not a whole number")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"F32","shape":[0,4611686018427387904,4],"data_offsets":[0,0]}}""", "does not fit")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"more":1}}""", "unknown or repeated field 'more'")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "unknown or repeated field 'dtype'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"a":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""",
        "two tensors are named 'a'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""",
        "tensor 'b' overlaps")]
    [InlineData("""{"a":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}}""",
        "tensor 'b' leaves a hole")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}}""", "take 4 bytes, 8 follow")]
    [InlineData("""{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}}""", "the file is cut off")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775807],"data_offsets":[0,9223372036854775807]}}""", "the file is cut off")]
    [InlineData("""{"__metadata__":{"a":1},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "'__metadata__' has a Number")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "'a' twice")]
    [InlineData("""{"__metadata__":{},"__metadata__":{},"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "twice")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}""", "not a readable safetensors file")]
    [InlineData("""{"a\nb":1}""", "'a?b' has a Number")]
    [InlineData("""{"a":{"dtype":"U8","shape":[[[[[[8]]]]]],"data_offsets":[0,8]}}""", "not a whole number")]
    public void ReadHeader_damaged_header_is_one_line_with_reason(string json, string reason) =>
        AssertRefused([.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(json)), .. Encoding.UTF8.GetBytes(json), .. new byte[8]],
            reason);

    [Fact]
    public void ReadHeader_damaged_length_is_refused()
    {
        AssertRefused([], "it has only 0 bytes");
        AssertRefused([1, 2, 3], "it has only 3 bytes");
        AssertRefused([100, 0, 0, 0, 0, 0, 0, 0, .. "{}"u8], "claims 100 bytes, only 2 follow");
        AssertRefused([255, 255, 255, 255, 255, 255, 255, 255, .. "{}"u8], "at most 100000000 are allowed");
        AssertRefused([0, 0, 0, 0, 0, 0, 0, 128, .. "{}"u8], "at most 100000000 are allowed");
        AssertRefused([.. "PK\u0003\u0004"u8, 0, 0, 0, 0, 0], "zip archive");
        AssertRefused([4, 0, 0, 0, 0, 0, 0, 0, .. "{\""u8, 0xff, .. "}"u8], "UTF-8");
    }

    [Fact]
    public void ReadHeader_deeply_nested_header_is_refused()
    {
        var json = "{\"a\":" + new string('[', 1_000_000);
        AssertRefused([.. BitConverter.GetBytes((long)json.Length), .. Encoding.UTF8.GetBytes(json)], "'a' has a StartArray");
    }

    [Fact]
    public void Load_booleans_other_than_0_and_1_are_refused()
    {
        Save([("mask", ScalarType.Bool, [2], [1, 2])]);
        var error = Assert.Throws<TinctorException>(() => Read(Target));
        Assert.Contains("'mask' of BOOL", error.Message);
    }

    [Fact]
    public void ReadHeader_missing_file_or_folder_throws()
    {
        Assert.Contains("no such file", Assert.Throws<TinctorException>(() => SafeTensors.ReadHeader(Target)).Message);
        Assert.Contains("is a folder", Assert.Throws<TinctorException>(() => SafeTensors.ReadHeader(this.folder.Path)).Message);
    }

    [Fact]
    public void Save_invalid_tensors_throw()
    {
        Assert.Throws<ArgumentException>(() => Save([("a", ScalarType.Byte, [0], []), ("a", ScalarType.Byte, [0], [])]));
        Assert.Throws<ArgumentException>(() => Save([("__metadata__", ScalarType.Byte, [0], [])]));
        Assert.Throws<ArgumentException>(() => Save([("z", ScalarType.ComplexFloat32, [1], new byte[8])]));
        Assert.False(File.Exists(Target));
    }

    [Fact]
    public void Load_flipped_or_truncated_file_never_crashes()
    {
        var random = new Random(7);
        Save(RandomTensors(random, 6), [new("format", "pt")]);
        var good = File.ReadAllBytes(Target);
        var refused = 0;
        for (var round = 0; round < 500; round++)
        {
            var bytes = good.AsSpan(0, round % 3 == 0 ? random.Next(good.Length) : good.Length).ToArray();
            for (var flips = random.Next(4); flips > 0 && bytes.Length > 0; flips--)
            {
                bytes[random.Next(Math.Min(bytes.Length, 700))] ^= (byte)(1 << random.Next(8));
            }

            try
            {
                Read(this.folder.File("damaged", bytes));
            }
            catch (TinctorException error)
            {
                Assert.DoesNotContain('\n', error.Message);
                refused++;
            }
        }

        Assert.InRange(refused, 150, 500);
    }

    private void AssertRefused(byte[] content, string reason)
    {
        var path = this.folder.File("hostile.safetensors", content);
        var error = Assert.Throws<TinctorException>(() => Read(path));
        Assert.StartsWith($"{path}: ", error.Message);
        Assert.Contains(reason, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    private void Save(
        IEnumerable<(string Name, ScalarType Dtype, long[] Shape, byte[] Bytes)> tensors,
        IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        var header = SafeTensorsHeader.Plan(tensors.Select(t => (t.Name, t.Dtype, t.Shape)), metadata ?? []);
        SafeTensors.Write(Target, header, (name, stream) => stream.Write(tensors.First(t => t.Name == name).Bytes));
    }

    private static List<(string Name, ScalarType Dtype, long[] Shape, byte[] Bytes)> Read(string path)
    {
        var tensors = new List<(string, ScalarType, long[], byte[])>();
        SafeTensors.Visit(path, (name, dtype, shape, bytes) => tensors.Add((name, dtype, shape, bytes.ToArray())));
        return tensors;
    }

    private static List<(string Name, ScalarType Dtype, long[] Shape, byte[] Bytes)> RandomTensors(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(i =>
        {
            var dtype = types[random.Next(types.Length)];
            var shape = Enumerable.Range(0, random.Next(5)).Select(_ => (long)random.Next(6)).ToArray();
            var bytes = new byte[TensorSize.ByteCount(shape, dtype)];
            random.NextBytes(bytes);
            return ($"layer.{i}.wéight", dtype, shape, dtype == ScalarType.Bool ? bytes.Select(b => (byte)(b & 1)).ToArray() : bytes);
        })];
}
