using Tinctor.Tests;
using Tinctor.Torch.Serialization;
using Items = System.Collections.Generic.OrderedDictionary<object, object?>;

namespace Tinctor.Torch.Tests.Serialization;

public sealed class LegacyPthTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("legacy_views.pth", "views.pth")]
    [InlineData("legacy_dtypes.pth", "dtypes.pth")]
    public void Load_legacy_file_equals_zip_file(string legacy, string zip)
    {
        using var scope = torch.NewDisposeScope();
        var expected = (Items)PthReader.Load(TestFiles.Vector(zip))!;
        var actual = (Items)PthReader.Load(TestFiles.Vector(legacy))!;
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((object name, object? value) in expected) AssertEqual((Tensor)value!, (Tensor)actual[name]!);
    }

    [Fact]
    public void LoadStateDict_of_legacy_file_equals_zip_file()
    {
        using var scope = torch.NewDisposeScope();
        var expected = PthReader.LoadStateDict(TestFiles.Vector("training.pth"), "model");
        var actual = PthReader.LoadStateDict(TestFiles.Vector("legacy.pth"));
        Assert.Equal(expected.Keys, actual.Keys);
        foreach ((string name, Tensor tensor) in expected) AssertEqual(tensor, actual[name]);
    }

    [Fact]
    public void Load_tensors_of_one_storage_share_memory()
    {
        using var scope = torch.NewDisposeScope();
        var items = (Items)PthReader.Load(TestFiles.Vector("legacy_views.pth"))!;
        ((Tensor)items["base"]!).fill_(-1);
        Assert.Equal(-1, ((Tensor)items["scalar"]!).item());
    }

    [Fact]
    public void Load_view_of_storage_starts_at_its_offset()
    {
        using var scope = torch.NewDisposeScope();
        byte[] objects = Rebuild(Pickle.Start(), "_rebuild_tensor_v2", view: (1, 2), offset: 1, [1], [1]).Stop();
        Assert.Equal([2], Floats(PthReader.Load(Write(objects))));
    }

    [Fact]
    public void Load_tensor_of_PyTorch_before_0_4_gives_its_values()
    {
        using var scope = torch.NewDisposeScope();
        byte[] objects = Rebuild(Pickle.Start(), "_rebuild_tensor", view: null, offset: 1, [2], [2]).Stop();
        Assert.Equal([1, 3], Floats(PthReader.Load(Write(objects))));
    }

    [Fact]
    public void Load_text_of_Python_2_gives_string() =>
        Assert.Equal("abc", PthReader.Load(Write(Pickle.Start().Op("U").Add(3).Op("abc").Stop(), keys: Pickle.Start().Op("]").Stop())));

    [Fact]
    public void Load_damaged_file_is_refused()
    {
        byte[] tensor = Rebuild(Pickle.Start(), "_rebuild_tensor_v2", null, 0, [4], [1]).Stop();
        AssertRefused(Write(tensor, count: 5), "has 5 elements, but the pickle says 4");
        AssertRefused(Write(tensor, count: long.MaxValue), "elements, but the pickle says 4");
        AssertRefused(Write(tensor, bytes: 15), "cut off in its storage 0");
        AssertRefused(Write(tensor, version: 1002), "another version than 1001");
        AssertRefused(Write(tensor, keys: Pickle.Start().Op("]").Stop()), "refers to the storage 0, which is not there");
        AssertRefused(Write(tensor, keys: Pickle.Start().Op("](").Text("0").Text("0").Op("e").Stop()), "names 0, which");
        AssertRefused(Write(tensor, keys: Pickle.Start().Op("](").Text("1").Op("e").Stop()), "names 1, which");
        AssertRefused(Write(tensor, keys: Pickle.Start().Op("N").Stop()), "no list of storages");
        AssertRefused(Write(Rebuild(Pickle.Start(), "_rebuild_tensor_v2", (3, 2), 0, [1], [1]).Stop()), "reaches beyond its storage of 4");
        AssertRefused(Write(Rebuild(Pickle.Start(), "_rebuild_tensor_v2", (1, 2), 0, [3], [1]).Stop()), "reaches beyond its storage of 2");
        AssertRefused(Write(Rebuild(Pickle.Start(), "_rebuild_tensor_v2", (long.MaxValue, 2), 0, [1], [1]).Stop()), "reaches beyond");
        AssertRefused(Write(Pickle.Start().Global("os", "system").Stop()), "it needs os.system");
        AssertRefused(Write(Pickle.Start().Storage("FloatStorage", "0", 1L << 40).Stop()), "bytes, at most");
        AssertRefused(Write(Pickle.Start().Storage("FloatStorage", "0", 1L << 28).Stop()), "is larger than the file");
    }

    private static float[] Floats(object? tensor) => [.. ((Tensor)tensor!).contiguous().data<float>()];

    private static Pickle Rebuild(Pickle pickle, string function, (long Offset, long Count)? view, long offset, long[] shape, long[] stride)
    {
        pickle.Global("torch._utils", function).Op("((").Text("storage").Global("torch", "FloatStorage").Text("0").Text("cpu").Int(4);
        if (view is var (start, count)) pickle.Op("(").Text("v").Int(start).Int(count).Op("t");
        else pickle.Op("N");
        pickle.Op("tQ").Int(offset).Op("(");
        foreach (long size in shape) pickle.Int(size);
        pickle.Op("t(");
        foreach (long step in stride) pickle.Int(step);
        pickle.Op("t");
        return function == "_rebuild_tensor" ? pickle.Op("tR") : pickle.Add(0x89).Op(")").Op("tR");
    }

    // A file whose storage "0" holds the floats 0, 1, 2 and 3.
    private string Write(byte[] objects, byte[]? keys = null, long count = 4, int bytes = 16, long version = 1001)
    {
        byte[] storage = [.. Enumerable.Range(0, 4).SelectMany(i => BitConverter.GetBytes((float)i))];
        return folder.File("legacy.pth",
        [
            .. LegacyPthFile.Magic, .. Pickle.Start().Int(version).Stop(), .. Pickle.Start().Op("}").Stop(), .. objects,
            .. keys ?? Pickle.Start().Op("](").Text("0").Op("e").Stop(), .. BitConverter.GetBytes(count), .. storage[..bytes],
        ]);
    }

    private static void AssertEqual(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.dtype, actual.dtype);
        Assert.Equal(expected.shape, actual.shape);
        Assert.Equal(expected.contiguous().bytes().ToArray(), actual.contiguous().bytes().ToArray());
    }

    private static void AssertRefused(string path, string reason)
    {
        string message = Assert.Throws<TinctorException>(() => PthReader.Load(path)).Message;
        Assert.StartsWith($"{path}: not a readable PyTorch checkpoint: ", message);
        Assert.Contains(reason, message);
        Assert.DoesNotContain('\n', message);
    }
}
