namespace Tinctor.Torch.Serialization;

/// <summary>
/// Reads PyTorch checkpoints, the zip files that torch.save has written since PyTorch 1.6 and the legacy files before, without running code
/// from them: the pickle may only name classes of tensors, dictionaries and numbers; anything else is refused by name.
/// </summary>
public static class PthReader
{
    private const int DeepestStateDict = 4;
    private const int MostNamesInMessage = 10;

    private static readonly Operator asStrided = new("aten::as_strided");

    /// <summary>
    /// Reads everything in a checkpoint, tensors on the CPU. Dictionaries come back as OrderedDictionary&lt;object, object?&gt;, lists as
    /// List&lt;object?&gt;, tuples as object?[], numbers as long, BigInteger, double, bool or Complex, torch.Size as long[],
    /// devices as text.
    /// Tensors that shared memory when they were saved share it again; none requires a gradient.
    /// </summary>
    /// <exception cref="TinctorException">Not such a file, damaged, or naming what is not allowed; the message says which.</exception>
    public static object? Load(string path)
    {
        using IPthFile archive = PthFile.Open(path);
        return MakeTensors(archive, archive.ReadObjects());
    }

    /// <summary>Reads the named tensors of one network.</summary>
    /// <param name="path">The checkpoint.</param>
    /// <param name="name">
    /// Which of several state dictionaries: the keys that lead to it, joined by slashes, such as "model" or "nets/G".
    /// Left out, the file must hold only one; other things beside it, such as an optimiser's state, do not matter.
    /// </param>
    /// <exception cref="TinctorException">
    /// As for <see cref="Load(string)"/>, or there is no such dictionary; the message lists those that are there.
    /// </exception>
    public static OrderedDictionary<string, Tensor> LoadStateDict(string path, string? name = null)
    {
        using IPthFile archive = PthFile.Open(path);
        var selected = SelectStateDict(path, archive.ReadObjects(), name);
        MakeTensors(archive, selected);
        return new OrderedDictionary<string, Tensor>(selected.Select(item => KeyValuePair.Create((string)item.Key, (Tensor)item.Value!)));
    }

    /// <summary>Reads each storage once and makes the tensors as views of it, as PyTorch does.</summary>
    private static object? MakeTensors(IPthFile archive, object? root)
    {
        var storages = new Dictionary<PthStorage, Tensor>();
        var tensors = new List<Tensor>();
        try
        {
            return ReplaceTensors(root, description =>
            {
                if (!storages.TryGetValue(description.Storage, out var storage))
                {
                    storages[description.Storage] = storage = ReadStorage(archive, description.Storage);
                }

                // An empty tensor's strides and offset mean nothing.
                var tensor = description.Shape.Contains(0)
                    ? torch.empty(description.Shape, description.Storage.Dtype)
                    : asStrided.Call(storage, description.Shape, description.Stride, description.Offset);
                tensors.Add(tensor);
                return tensor;
            });
        }
        catch
        {
            tensors.ForEach(tensor => tensor.Dispose());
            throw;
        }
        finally
        {
            foreach (var storage in storages.Values)
            {
                storage.Dispose();
            }
        }
    }

    private static Tensor ReadStorage(IPthFile archive, PthStorage storage)
    {
        var tensor = torch.empty([storage.Count], storage.Dtype);
        try
        {
            archive.ReadStorage(storage, tensor.bytes());
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Puts what <paramref name="make"/> returns in the place of each tensor's description; a tensor that occurs twice is made once.
    /// </summary>
    internal static object? ReplaceTensors(object? root, Func<PthTensor, object> make)
    {
        var made = new Dictionary<PthTensor, object>(ReferenceEqualityComparer.Instance);
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var open = new Stack<object>();
        object? Replaced(object? value)
        {
            if (value is PthTensor tensor)
            {
                return made.TryGetValue(tensor, out var known) ? known : made[tensor] = make(tensor);
            }

            if (value is IList<object?> or OrderedDictionary<object, object?> && seen.Add(value))
            {
                open.Push(value);
            }

            return value;
        }

        var result = Replaced(root);
        // A stack instead of recursion: a pickle may nest as deep as it likes, or refer to itself.
        while (open.TryPop(out var container))
        {
            if (container is IList<object?> list)
            {
                for (var i = 0; i < list.Count; i++)
                {
                    list[i] = Replaced(list[i]);
                }
            }
            else if (container is OrderedDictionary<object, object?> dictionary)
            {
                for (var i = 0; i < dictionary.Count; i++)
                {
                    dictionary.SetAt(i, Replaced(dictionary.GetAt(i).Value));
                }
            }
        }

        return result;
    }

    /// <summary>The state dictionary of the name; without a name, the only one there is.</summary>
    private static OrderedDictionary<object, object?> SelectStateDict(string path, object? root, string? name)
    {
        var found = FindStateDicts(root);
        if (name is null ? found.Count == 1 : found.ContainsKey(name))
        {
            return name is null ? found.GetAt(0).Value : found[name];
        }

        if (found.Count == 0)
        {
            throw Refusal.Create(path, "holds no state dictionary: nothing in it consists of named tensors only");
        }

        var names = string.Join(", ", found.Keys.Take(MostNamesInMessage).Select(key => key.Length == 0 ? "(the whole file)" : key));
        var wanted = name is null ? "one must be chosen by name" : $"none is named {name}";
        var more = found.Count > MostNamesInMessage ? ", ..." : "";
        throw Refusal.Create(path, $"holds {found.Count} state dictionaries, {wanted}: {names}{more}");
    }

    /// <summary>All dictionaries of named tensors near the root, by the names that lead to them, joined by slashes.</summary>
    private static OrderedDictionary<string, OrderedDictionary<object, object?>> FindStateDicts(object? root)
    {
        var found = new OrderedDictionary<string, OrderedDictionary<object, object?>>();
        var seen = new HashSet<object>(ReferenceEqualityComparer.Instance);
        var level = new List<(string Name, object? Value)> { ("", root) };
        for (var depth = 0; depth < DeepestStateDict; depth++)
        {
            var next = new List<(string, object?)>();
            foreach (var (name, value) in level)
            {
                if (value is not OrderedDictionary<object, object?> dictionary || !seen.Add(dictionary))
                {
                    continue;
                }

                if (dictionary.Count > 0 && dictionary.All(item => item is { Key: string, Value: PthTensor }))
                {
                    found.TryAdd(name, dictionary);
                    continue;
                }

                next.AddRange(dictionary.Where(item => item.Key is string)
                    .Select(item => (name.Length == 0 ? (string)item.Key : $"{name}/{item.Key}", item.Value)));
            }

            level = next;
        }

        return found;
    }
}
