using System.Text;

namespace Tinctor.Torch;

/// <summary>Argument of an operator call, with conversions from all types of schemas; null is None.</summary>
internal readonly struct Arg
{
    internal readonly Tag tag;
    internal readonly long bits;
    internal readonly object? reference;

    /// <summary>Python's None.</summary>
    public static readonly Arg None;

    private Arg(Tag tag, long bits = 0, object? reference = null) => (this.tag, this.bits, this.reference) = (tag, bits, reference);

    private Arg(Tag tag, object? reference) : this(reference is null ? Tag.None : tag, 0, reference) { }

    /// <summary>A tensor, or None.</summary>
    public static implicit operator Arg(Tensor? value) => new(Tag.Tensor, value);

    /// <summary>An integer, or None.</summary>
    public static implicit operator Arg(long? value) => value is long i ? new(Tag.Int, i) : default;

    /// <summary>A float, or None.</summary>
    public static implicit operator Arg(double? value) => value is double d ? new(Tag.Double, BitConverter.DoubleToInt64Bits(d)) : default;

    /// <summary>A boolean, or None.</summary>
    public static implicit operator Arg(bool? value) => value is bool b ? new(Tag.Bool, b ? 1 : 0) : default;

    /// <summary>A number that keeps its kind.</summary>
    public static implicit operator Arg(Scalar value) => value.arg;

    /// <summary>A number that keeps its kind, or None.</summary>
    public static implicit operator Arg(Scalar? value) => value?.arg ?? default;

    /// <summary>A dtype, or None.</summary>
    public static implicit operator Arg(ScalarType? value) => value is ScalarType t ? new(Tag.Int, (long)t) : default;

    /// <summary>A memory format, or None.</summary>
    public static implicit operator Arg(MemoryFormat? value) => value is MemoryFormat f ? new(Tag.Int, (long)f) : default;

    /// <summary>A device, or None.</summary>
    public static implicit operator Arg(Device? value) => value is Device d ? new(Tag.Device, d.Pack()) : default;

    /// <summary>A random generator, or None.</summary>
    public static implicit operator Arg(Generator? value) => new(Tag.Generator, value);

    /// <summary>A string, or None.</summary>
    public static implicit operator Arg(string? value) => new(Tag.String, value is null ? null : Encoding.UTF8.GetBytes(value));

    /// <summary>A list of integers, or None.</summary>
    public static implicit operator Arg(long[]? value) => new(Tag.IntList, value);

    /// <summary>A list of floats, or None.</summary>
    public static implicit operator Arg(double[]? value) => new(Tag.DoubleList, value);

    /// <summary>A list of booleans, or None.</summary>
    public static implicit operator Arg(bool[]? value) => new(Tag.BoolList, value);

    /// <summary>A list of tensors, or None; null items where the schema has Tensor?[].</summary>
    public static implicit operator Arg(Tensor?[]? value) => new(Tag.TensorList, value);

    /// <summary>
    /// The argument as a .NET value: null, a tensor, long, double, bool, string, or an array; a device or generator as it is.
    /// </summary>
    public object? Value => tag switch
    {
        Tag.None => null,
        Tag.Int => bits,
        Tag.Bool => bits != 0,
        Tag.Double => BitConverter.Int64BitsToDouble(bits),
        Tag.Device => Tinctor.Torch.Device.Unpack(bits),
        Tag.String => Encoding.UTF8.GetString((byte[])reference!),
        _ => reference,
    };

    /// <summary>Number of additional 64-bit words of the argument.</summary>
    internal int Words => reference switch
    {
        byte[] utf8 => (utf8.Length + 7) / 8,
        Array list => list.Length,
        _ => 0,
    };
}

/// <summary>Number as an argument of an operator: integers remain integers, so integer tensors keep their dtype.</summary>
public readonly struct Scalar
{
    internal readonly Arg arg;

    private Scalar(Arg arg) => this.arg = arg;

    /// <summary>An integer.</summary>
    public static implicit operator Scalar(long value) => new(value);

    /// <summary>An integer.</summary>
    public static implicit operator Scalar(int value) => new((long)value);

    /// <summary>A float.</summary>
    public static implicit operator Scalar(double value) => new(value);

    /// <summary>A boolean.</summary>
    public static implicit operator Scalar(bool value) => new(value);
}

/// <summary>An operator of libtorch, called by its schema name; autograd and autocast included.</summary>
/// <param name="name">The name, such as "aten::conv2d".</param>
/// <param name="overload">The overload, such as "Tensor"; empty for the plain one.</param>
/// <remarks>Omitted arguments at the end have the defaults of the schema.</remarks>
internal sealed unsafe class Operator(string name, string overload = "")
{
    private const int MaxResults = 8;
    private nint handle;

    /// <summary>Schema name, such as "aten::add".</summary>
    public string Name => name;

    /// <summary>Overload, such as "Tensor"; empty for the plain one.</summary>
    public string Overload => overload;

    /// <summary>Calls an operator that returns one tensor.</summary>
    /// <exception cref="TorchException">The operator failed; the message names it.</exception>
    public Tensor Call(params ReadOnlySpan<Arg> arguments)
    {
        Value* results = stackalloc Value[MaxResults];
        int count = Invoke(arguments, results);
        if (count == 1 && results[0].tag == Tag.Tensor && results[0].bits != 0)
        {
            var result = new Tensor((nint)results[0].bits);
            OperatorObserver.Current?.Called(Name, arguments, [result]);
            return result;
        }
        Free(results, count);
        throw new TorchException($"{name} does not return one tensor");
    }

    /// <summary>Calls an operator without using its result.</summary>
    /// <exception cref="TorchException">The operator failed.</exception>
    public void CallVoid(params ReadOnlySpan<Arg> arguments)
    {
        Value* results = stackalloc Value[MaxResults];
        Free(results, Invoke(arguments, results));
        OperatorObserver.Current?.Called(Name, arguments, []);
    }

    /// <summary>Calls an operator that returns several tensors, or a list of them.</summary>
    /// <exception cref="TorchException">The operator failed.</exception>
    public Tensor[] CallMany(params ReadOnlySpan<Arg> arguments)
    {
        Value* results = stackalloc Value[MaxResults];
        int count = Invoke(arguments, results);
        Tensor[] tensors = Take(results, count);
        OperatorObserver.Current?.Called(Name, arguments, tensors);
        return tensors;
    }

    /// <summary>Calls an operator that returns a number or a boolean.</summary>
    /// <exception cref="TorchException">The operator failed.</exception>
    public double CallNumber(params ReadOnlySpan<Arg> arguments) => CallNumber<double>(arguments);

    /// <summary>Calls an operator that returns a number, and converts it to a .NET number with saturation.</summary>
    /// <exception cref="TorchException">The operator failed.</exception>
    public T CallNumber<T>(params ReadOnlySpan<Arg> arguments) where T : System.Numerics.INumberBase<T>
    {
        Value* results = stackalloc Value[MaxResults];
        int count = Invoke(arguments, results);
        OperatorObserver.Current?.ReadNumber(Name, arguments);
        if (count == 1 && results[0].tag == Tag.Double) return T.CreateSaturating(BitConverter.Int64BitsToDouble(results[0].bits));
        if (count == 1 && results[0].tag is Tag.Int or Tag.Bool) return T.CreateSaturating(results[0].bits);
        Free(results, count);
        throw new TorchException($"{name} does not return a number");
    }

    private int Invoke(ReadOnlySpan<Arg> arguments, Value* results)
    {
        if (handle == 0) handle = NativeMethods.Check(NativeMethods.tt_operator(name, overload));
        int words = 0;
        foreach (ref readonly Arg argument in arguments) words += argument.Words;
        long* lists = stackalloc long[Math.Min(words, 256)];
        fixed (long* large = words > 256 ? new long[words] : null)
        {
            if (large != null) lists = large;
            Value* values = stackalloc Value[arguments.Length];
            for (int i = 0; i < arguments.Length; i++) values[i] = Marshal(in arguments[i], ref lists);
            int count = NativeMethods.tt_call(handle, values, arguments.Length, results, MaxResults);
            // Arguments must not be finalised during the call.
            foreach (ref readonly Arg argument in arguments) GC.KeepAlive(argument.reference);
            return NativeMethods.Check(count);
        }
    }

    private static Value Marshal(in Arg argument, ref long* lists)
    {
        Value value = new() { tag = argument.tag, bits = argument.bits };
        long* start = lists;
        switch (argument.reference)
        {
            case null:
                return value;
            case Tensor tensor:
                value.bits = tensor.Handle;
                return value;
            case Generator generator:
                value.bits = generator.Handle;
                return value;
            case byte[] utf8:
                utf8.CopyTo(new Span<byte>(start, utf8.Length));
                value.length = utf8.Length;
                break;
            case long[] integers:
                integers.CopyTo(new Span<long>(start, integers.Length));
                value.length = integers.Length;
                break;
            case double[] floats:
                floats.CopyTo(new Span<double>(start, floats.Length));
                value.length = floats.Length;
                break;
            case bool[] booleans:
                for (int i = 0; i < booleans.Length; i++) start[i] = booleans[i] ? 1 : 0;
                value.length = booleans.Length;
                break;
            case Tensor?[] tensors:
                for (int i = 0; i < tensors.Length; i++) start[i] = tensors[i]?.Handle ?? 0;
                value.length = tensors.Length;
                break;
        }
        lists = start + argument.Words;
        value.bits = (long)start;
        return value;
    }

    /// <summary>Takes ownership of the results of a native call; undefined tensors become null.</summary>
    internal static Tensor[] Take(Value* results, int count)
    {
        if (count == 1 && results[0].tag == Tag.TensorList) return TakeList(results[0]);
        var tensors = new Tensor[count];
        for (int i = 0; i < count; i++)
        {
            if (results[i].tag is Tag.Tensor or Tag.None)
            {
                tensors[i] = results[i].bits == 0 ? null! : new Tensor((nint)results[i].bits);
                continue;
            }
            Free(results + i, count - i);
            throw new TorchException($"a result is no tensor but {results[i].tag}");
        }
        return tensors;
    }

    // Results that are not used.
    private static void Free(Value* results, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (results[i].tag == Tag.Tensor && results[i].bits != 0) NativeMethods.tt_tensor_free((nint)results[i].bits);
            if (results[i].tag == Tag.TensorList)
            {
                foreach (Tensor tensor in TakeList(results[i])) tensor.Dispose();
            }
            else if (results[i].tag >= Tag.IntList)
            {
                NativeMethods.tt_free(results[i].Pointer);
            }
        }
    }

    private static Tensor[] TakeList(in Value value)
    {
        var handles = new ReadOnlySpan<nint>(value.Pointer, value.length);
        var tensors = new Tensor[handles.Length];
        for (int i = 0; i < tensors.Length; i++) tensors[i] = new Tensor(handles[i]);
        NativeMethods.tt_free(value.Pointer);
        return tensors;
    }
}
