using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Tinctor.Torch.Serialization;

/// <summary>Function that a pickle may call: found by name in an allow-list, never imported.</summary>
internal sealed record PickleCallable(string Name, Func<object?[], object?> Call);

/// <summary>
/// Runs the stack machine of a pickle (protocols 2 to 5) on plain data. Globals and persistent IDs are resolved by the two
/// given functions only. Python values become null, bool, long, BigInteger, double, string,
/// byte[], object?[] (tuple), List, HashSet and OrderedDictionary. Errors are FormatExceptions.
/// </summary>
/// <remarks>
/// There is no recursion, lengths are checked, and operations and copied elements are counted: memory stays
/// within a small multiple of the pickle's length.
/// </remarks>
internal sealed class Unpickler(byte[] pickle, Func<string, object> findGlobal, Func<object?, object> loadPersistent, int start = 0)
{
    private const int MostOperations = 5_000_000;
    private const int HighestProtocol = 5;

    private readonly List<object?> stack = [];
    private readonly Stack<int> marks = new();
    private readonly Dictionary<long, object?> memo = [];
    private int position = start;
    private long operations;

    /// <summary>Position behind the operations that have run.</summary>
    public int Position => position;

    /// <summary>Runs to the STOP operation and returns the value that is left.</summary>
    public object? Run()
    {
        while (true)
        {
            Spend(1);
            var operation = Take(1)[0];
            if (operation == (byte)'.')
            {
                return this.stack.Count == 1 ? Pop() : throw new FormatException("its pickle ends with an unbalanced stack");
            }

            Execute(operation);
        }
    }

    /// <summary>Counts operations, to limit the work of small pickles.</summary>
    public void Spend(int operations)
    {
        this.operations += operations;
        if (this.operations > MostOperations)
        {
            throw new FormatException($"its pickle takes more than {MostOperations} operations");
        }
    }

    private void Execute(byte operation)
    {
        switch (operation)
        {
            // Frames and the protocol
            case 0x80: CheckProtocol(Take(1)[0]); break;
            case 0x95: Take(8); break;

            // Constants and numbers
            case (byte)'N': Push(null); break;
            case 0x88: Push(true); break;
            case 0x89: Push(false); break;
            case (byte)'J': Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4))); break;
            case (byte)'K': Push((long)Take(1)[0]); break;
            case (byte)'M': Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2))); break;
            case 0x8a: Push(Integer(Take(Take(1)[0]))); break;
            case (byte)'G': Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8))); break;

            // Strings and bytes
            case (byte)'U': Push(Text(Take(Take(1)[0]))); break;
            case (byte)'T': Push(Text(Take(Length32()))); break;
            case (byte)'X': Push(Text(Take(Length32()))); break;
            case 0x8c: Push(Text(Take(Take(1)[0]))); break;
            case 0x8d: Push(Text(Take(Length64()))); break;
            case (byte)'B': Push(Take(Length32()).ToArray()); break;
            case (byte)'C': Push(Take(Take(1)[0]).ToArray()); break;
            case 0x8e: Push(Take(Length64()).ToArray()); break;

            // Containers
            case (byte)'(': marks.Push(this.stack.Count); break;
            case (byte)')': Push(Array.Empty<object?>()); break;
            case 0x85: Push(PopMany(1)); break;
            case 0x86: Push(PopMany(2)); break;
            case 0x87: Push(PopMany(3)); break;
            case (byte)'t': Push(PopToMark()); break;
            case (byte)']': Push(new List<object?>()); break;
            case (byte)'a': Extend(PopMany(1)); break;
            case (byte)'e': Extend(PopToMark()); break;
            case (byte)'}': Push(new OrderedDictionary<object, object?>()); break;
            case (byte)'s': SetItems(PopMany(2)); break;
            case (byte)'u': SetItems(PopToMark()); break;
            case 0x8f: Push(new HashSet<object>()); break;
            case 0x90: Add(PopToMark()); break;
            case 0x91: Push(Set(PopToMark())); break;

            // The stack and the memo
            case (byte)'0': Pop(); break;
            case (byte)'1': PopToMark(); break;
            case (byte)'2': Push(Top()); break;
            case (byte)'q': memo[Take(1)[0]] = Top(); break;
            case (byte)'r': memo[Length32()] = Top(); break;
            case 0x94: memo[memo.Count] = Top(); break;
            case (byte)'h': Push(Remembered(Take(1)[0])); break;
            case (byte)'j': Push(Remembered(Length32())); break;

            // Objects
            case (byte)'c': Push(findGlobal($"{Line()}.{Line()}")); break;
            case 0x93: PushNamedGlobal(PopMany(2)); break;
            case (byte)'Q': Push(loadPersistent(Pop())); break;
            case (byte)'R': Reduce(PopMany(2)); break;
            case (byte)'b': Build(Pop()); break;
            default: throw new FormatException($"its pickle has the operation 0x{operation:x2}, which no state dictionary needs");
        }
    }

    /// <summary>A set of the values; all must be usable as keys.</summary>
    public static HashSet<object> Set(IEnumerable<object?> values) => [.. values.Select(Key)];

    /// <summary>The value as a dictionary's key or a set's element.</summary>
    public static object Key(object? value) => value is string or long or bool or double
        ? value
        : throw new FormatException("its pickle has a dictionary key or set element that is neither text nor a number");

    private static void CheckProtocol(byte protocol)
    {
        if (protocol is < 2 or > HighestProtocol)
        {
            throw new FormatException($"its pickle has protocol {protocol}, from 2 to {HighestProtocol} can be read");
        }
    }

    private static string Text(ReadOnlySpan<byte> utf8) => Encoding.UTF8.GetString(utf8);

    private static object Integer(ReadOnlySpan<byte> littleEndian)
    {
        var value = new BigInteger(littleEndian);
        return value >= long.MinValue && value <= long.MaxValue ? (object)(long)value : value;
    }

    private ReadOnlySpan<byte> Take(long count)
    {
        if (count > pickle.Length - position)
        {
            throw new FormatException("its pickle is cut off");
        }

        position += (int)count;
        return pickle.AsSpan(position - (int)count, (int)count);
    }

    private long Length32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    private long Length64()
    {
        var length = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
        return length < 0 ? long.MaxValue : length;
    }

    private string Line()
    {
        var length = pickle.AsSpan(position).IndexOf((byte)'\n');
        var line = Text(Take(length < 0 ? long.MaxValue : length));
        Take(1);
        return line;
    }

    private void Push(object? value) => this.stack.Add(value);

    private object? Pop() => PopMany(1)[0];

    private object? Top() =>
        this.stack.Count > FirstOwn ? this.stack[^1] : throw new FormatException("its pickle takes from an empty stack");

    /// <summary>Guards the part of the stack below the last mark.</summary>
    private int FirstOwn => marks.TryPeek(out var mark) ? mark : 0;

    private object?[] PopMany(int count)
    {
        var start = this.stack.Count - count;
        if (start < FirstOwn)
        {
            throw new FormatException("its pickle takes from an empty stack");
        }

        var values = this.stack.GetRange(start, count).ToArray();
        this.stack.RemoveRange(start, count);
        return values;
    }

    private object?[] PopToMark()
    {
        if (marks.Count == 0)
        {
            throw new FormatException("its pickle takes from a mark that is not there");
        }

        var values = PopMany(this.stack.Count - marks.Peek());
        marks.Pop();
        return values;
    }

    private object? Remembered(long index) => memo.TryGetValue(index, out var value)
        ? value
        : throw new FormatException($"its pickle refers to object {index}, which is not there");

    private T Target<T>() where T : class =>
        Top() as T ?? throw new FormatException($"its pickle puts items into something that is not a {typeof(T).Name.Split('`')[0]}");

    private void Extend(object?[] values) => Target<List<object?>>().AddRange(values);

    private void Add(object?[] values) => Target<HashSet<object>>().UnionWith(values.Select(Key));

    private void SetItems(object?[] keysAndValues)
    {
        var dictionary = Target<OrderedDictionary<object, object?>>();
        if (keysAndValues.Length % 2 != 0)
        {
            throw new FormatException("its pickle has a dictionary key without a value");
        }

        for (var i = 0; i < keysAndValues.Length; i += 2)
        {
            dictionary[Key(keysAndValues[i])] = keysAndValues[i + 1];
        }
    }

    private void PushNamedGlobal(object?[] names)
    {
        if (names is not [string module, string name])
        {
            throw new FormatException("its pickle names a global by something that is not text");
        }

        Push(findGlobal($"{module}.{name}"));
    }

    private void Reduce(object?[] callableAndArguments)
    {
        if (callableAndArguments is not [PickleCallable callable, object[] arguments])
        {
            throw new FormatException("its pickle calls something that cannot be called");
        }

        Push(callable.Call(arguments));
    }

    /// <summary>Sets attributes: those of a dictionary (a state dictionary's _metadata) do not matter, other objects have none.</summary>
    private void Build(object? state)
    {
        switch (Top())
        {
            case OrderedDictionary<object, object?> when state is OrderedDictionary<object, object?>:
                break;
            case NumpyType type when state is object[] parts:
                type.CheckByteOrder(parts);
                break;
            default:
                throw new FormatException("its pickle sets attributes of something that has none");
        }
    }
}
