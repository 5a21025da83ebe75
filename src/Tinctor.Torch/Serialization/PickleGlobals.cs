using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Tinctor.Torch.Serialization;

/// <summary>A numpy.dtype of a scalar, such as a best score that was saved beside the weights.</summary>
internal sealed record NumpyType(string Name)
{
    /// <summary>The value of a numpy scalar, given its bytes.</summary>
    public object Value(byte[] bytes) => (Name, bytes.Length) switch
    {
        ("f8", 8) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        ("f4", 4) => (double)BinaryPrimitives.ReadSingleLittleEndian(bytes),
        ("i8", 8) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        ("i4", 4) => (long)BinaryPrimitives.ReadInt32LittleEndian(bytes),
        ("b1", 1) => bytes[0] != 0,
        _ => throw new FormatException($"it has a numpy scalar of type {Name}, which is not supported"),
    };

    /// <summary>Refuses the state of a dtype that is not little-endian.</summary>
    public void CheckByteOrder(object?[] state)
    {
        if (state is not [_, "<" or "|", ..])
        {
            throw new FormatException($"it has a numpy scalar of type {Name} that is not little-endian");
        }
    }
}

/// <summary>Memory of tensors in a checkpoint: <paramref name="Count"/> elements under a key.</summary>
internal sealed record PthStorage(ScalarType Dtype, string Key, long Count)
{
    /// <summary>Size in bytes.</summary>
    public long ByteCount => Count * Dtype.Size();
}

/// <summary>Part of a storage, as only the legacy format has them; checked to lie within it.</summary>
internal sealed record PthStorageView(PthStorage Storage, long Offset, long Count);

/// <summary>A strided view of a storage, checked to lie within it.</summary>
internal sealed class PthTensor(PthStorage storage, long offset, long[] shape, long[] stride)
{
    public PthStorage Storage => storage;

    public long Offset => offset;

    public long[] Shape => shape;

    public long[] Stride => stride;
}

/// <summary>
/// The allow-list: all that a checkpoint may name, and what it means here. Nothing is looked up anywhere else, so a pickle cannot
/// reach any code but this.
/// </summary>
internal sealed class PickleGlobals
{
    private const int MostDimensions = 64;

    /// <summary>Expanded tensors (stride 0) may be larger than their storage, but not so large that a copy of one is a bomb.</summary>
    private const long MostExpandedBytes = 256 << 20;

    private static readonly Dictionary<string, ScalarType> storages = new()
    {
        ["torch.DoubleStorage"] = ScalarType.Float64,
        ["torch.FloatStorage"] = ScalarType.Float32,
        ["torch.HalfStorage"] = ScalarType.Float16,
        ["torch.BFloat16Storage"] = ScalarType.BFloat16,
        ["torch.LongStorage"] = ScalarType.Int64,
        ["torch.IntStorage"] = ScalarType.Int32,
        ["torch.ShortStorage"] = ScalarType.Int16,
        ["torch.CharStorage"] = ScalarType.Int8,
        ["torch.ByteStorage"] = ScalarType.Byte,
        ["torch.BoolStorage"] = ScalarType.Bool,
        ["torch.ComplexFloatStorage"] = ScalarType.ComplexFloat32,
        ["torch.ComplexDoubleStorage"] = ScalarType.ComplexFloat64,
    };

    private static readonly Dictionary<string, ScalarType> dtypes = new()
    {
        ["torch.float64"] = ScalarType.Float64,
        ["torch.float32"] = ScalarType.Float32,
        ["torch.float16"] = ScalarType.Float16,
        ["torch.bfloat16"] = ScalarType.BFloat16,
        ["torch.int64"] = ScalarType.Int64,
        ["torch.int32"] = ScalarType.Int32,
        ["torch.int16"] = ScalarType.Int16,
        ["torch.int8"] = ScalarType.Int8,
        ["torch.uint8"] = ScalarType.Byte,
        ["torch.bool"] = ScalarType.Bool,
        ["torch.complex64"] = ScalarType.ComplexFloat32,
        ["torch.complex128"] = ScalarType.ComplexFloat64,
    };

    private readonly Dictionary<string, object> allowed = [];
    private readonly Unpickler unpickler;

    private readonly Action<PthStorage> checkStorage;

    private PickleGlobals(byte[] pickle, int start, Action<PthStorage> checkStorage)
    {
        this.checkStorage = checkStorage;
        this.unpickler = new Unpickler(pickle, Find, LoadStorage, start);
        foreach (var (name, dtype) in storages.Concat(dtypes))
        {
            allowed.Add(name, dtype);
        }

        Allow("collections.OrderedDict", Dictionary);
        Allow("collections.Counter", Dictionary);
        Allow("torch.Size", arguments => arguments is [object[] sizes] ? Sizes(sizes) : null);
        Allow("torch.device", arguments => arguments switch
        {
            [string kind, long index] => $"{kind}:{index}",
            [string kind] => kind,
            _ => null,
        });
        Allow("torch._utils._rebuild_tensor_v2", Tensor);
        // Before PyTorch 0.4.
        Allow("torch._utils._rebuild_tensor", arguments => arguments.Length == 4 ? Tensor([.. arguments, false, null]) : null);
        Allow("torch._utils._rebuild_parameter", arguments => arguments is [PthTensor data, ..] ? data : null);
        Allow("numpy.dtype", arguments => arguments is [string name, ..] ? new NumpyType(name) : null);
        Allow("_codecs.encode", Latin1);
        foreach (var builtins in new[] { "__builtin__", "builtins" })
        {
            Allow($"{builtins}.set", Set);
            Allow($"{builtins}.frozenset", Set);
            Allow($"{builtins}.complex", arguments => arguments is [double real, double imaginary] ? new Complex(real, imaginary) : null);
        }

        foreach (var numpy in new[] { "numpy.core", "numpy._core" })
        {
            Allow($"{numpy}.multiarray.scalar", arguments => arguments is [NumpyType type, byte[] bytes] ? type.Value(bytes) : null);
        }
    }

    /// <summary>
    /// Reads the pickle of a checkpoint; tensors come back as <see cref="PthTensor"/>. <paramref name="checkStorage"/> throws a
    /// FormatException for a storage that is not there as it is described.
    /// </summary>
    public static object? Unpickle(byte[] pickle, Action<PthStorage> checkStorage)
    {
        int position = 0;
        return Unpickle(pickle, ref position, checkStorage);
    }

    /// <summary>Reads the pickle at a position, and moves the position behind it.</summary>
    public static object? Unpickle(byte[] bytes, ref int position, Action<PthStorage> checkStorage)
    {
        Unpickler unpickler = new PickleGlobals(bytes, position, checkStorage).unpickler;
        object? value = unpickler.Run();
        position = unpickler.Position;
        return value;
    }

    private void Allow(string name, Func<object?[], object?> call) =>
        allowed.Add(name, new PickleCallable(name, arguments =>
            call(arguments) ?? throw new FormatException($"its pickle calls {name} with arguments that it does not take")));

    private object Find(string name) => allowed.TryGetValue(name, out var meaning)
        ? meaning
        : throw new FormatException(
            $"it needs {name}, which is not among the classes that a state dictionary is made of, and code from a checkpoint is never run; "
            + "save model.state_dict() by itself in Python");

    private OrderedDictionary<object, object?>? Dictionary(object?[] arguments)
    {
        if (arguments is [OrderedDictionary<object, object?> items])
        {
            this.unpickler.Spend(items.Count);
            return new OrderedDictionary<object, object?>(items);
        }

        // Python 2 wrote an ordered dictionary as a list of pairs.
        if (arguments is [List<object?> pairs])
        {
            this.unpickler.Spend(pairs.Count);
            var dictionary = new OrderedDictionary<object, object?>();
            foreach (var pair in pairs)
            {
                var (key, value) = pair switch
                {
                    object[] and [var k, var v] => (k, v),
                    List<object?> and [var k, var v] => (k, v),
                    _ => throw new FormatException("its pickle makes a dictionary from something that is not a list of pairs"),
                };
                dictionary[Unpickler.Key(key)] = value;
            }

            return dictionary;
        }

        return arguments.Length == 0 ? [] : null;
    }

    private HashSet<object>? Set(object?[] arguments)
    {
        if (arguments is not [List<object?> values])
        {
            return arguments.Length == 0 ? [] : null;
        }

        this.unpickler.Spend(values.Count);
        return Unpickler.Set(values);
    }

    /// <summary>Python 3 writes bytes into a pickle of protocol 2 as text, one character a byte.</summary>
    private byte[]? Latin1(object?[] arguments)
    {
        if (arguments is not [string text, "latin1" or "latin-1"])
        {
            return null;
        }

        this.unpickler.Spend(text.Length);
        return Encoding.Latin1.GetBytes(text);
    }

    private long[]? Sizes(object?[] values)
    {
        if (values.Length > MostDimensions || !values.All(v => v is long and >= 0))
        {
            return null;
        }

        return [.. values.Cast<long>()];
    }

    private object LoadStorage(object? id)
    {
        if (id is not (object[] and ["storage", ScalarType dtype, string key, _, long count and >= 0, .. var view])
            || view is not ([] or [null] or [object[] and [_, long, long]])
            || TensorSize.ByteCount([count], dtype) < 0)
        {
            throw new FormatException("its pickle refers to something outside that is not a storage with type, key and length");
        }

        var storage = new PthStorage(dtype, key, count);
        this.checkStorage(storage);
        if (view is not [object[] and [_, long offset, long length]]) return storage;
        return offset >= 0 && length >= 0 && length <= count - offset ? new PthStorageView(storage, offset, length)
            : throw new FormatException($"it has a view of {length} elements that reaches beyond its storage of {count} elements");
    }

    private PthTensor? Tensor(object?[] arguments)
    {
        if (arguments is [PthStorageView view, ..])
        {
            PthStorage part = view.Storage with { Count = view.Count };
            return Tensor([part, .. arguments[1..]]) is { } inView
                ? new PthTensor(view.Storage, inView.Offset + view.Offset, inView.Shape, inView.Stride) : null;
        }

        if (arguments is not [PthStorage storage, long offset and >= 0, var size, object[] stride, bool, _, ..]
            || (size as long[] ?? (size is object[] sizes ? Sizes(sizes) : null)) is not { } shape
            || Sizes(stride) is not { } strides
            || strides.Length != shape.Length)
        {
            return null;
        }

        // The seventh argument holds conjugate and negative bits, which are not plain memory.
        if (arguments.Length > 6 && arguments[6] is not null and not OrderedDictionary<object, object?> { Count: 0 })
        {
            throw new FormatException("it has a tensor with its conjugate or negative bit set, which is not supported");
        }

        CheckBounds(storage, offset, shape, strides);
        return new PthTensor(storage, offset, shape, strides);
    }

    private static void CheckBounds(PthStorage storage, long offset, long[] shape, long[] stride)
    {
        var bytes = TensorSize.ByteCount(shape, storage.Dtype);
        Int128 last = offset;
        for (var i = 0; i < shape.Length; i++)
        {
            last += (Int128)(shape[i] - 1) * stride[i];
        }

        if (bytes < 0 || (bytes > 0 && last >= storage.Count))
        {
            throw new FormatException(
                $"it has a tensor of shape [{string.Join(", ", shape)}] that reaches beyond its storage of {storage.Count} elements");
        }

        if (bytes > MostExpandedBytes && bytes > storage.Count * storage.Dtype.Size())
        {
            throw new FormatException(
                $"it has a tensor of shape [{string.Join(", ", shape)}] that repeats {storage.Count} elements too often");
        }
    }
}
