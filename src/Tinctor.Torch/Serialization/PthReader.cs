namespace Tinctor.Torch.Serialization;

/// <summary>
/// Reads PyTorch checkpoints, the zip files of torch.save since PyTorch 1.6 and earlier legacy files, without running code from them:
/// pickles may only contain tensors, containers, numbers and text.
/// </summary>
internal static class PthReader
{
    private const int DeepestStateDict = 4;
    private const int MostNamesInMessage = 10;

    private static readonly Operator asStrided = new("aten::as_strided");

    /// <summary>
    /// Reads all objects of a checkpoint; tensors are on the CPU. Dictionaries become OrderedDictionary&lt;object, object?&gt;, lists
    /// List&lt;object?&gt;, tuples object?[], numbers long, BigInteger, double, bool or Complex, torch.Size long[], devices text. Tensors
    /// that shared a storage share it again; none requires a gradient.
    /// </summary>
    /// <exception cref="TinctorException">The file cannot be read, has another format, is damaged, or contains other objects.</exception>
    public static object? Load(string path)
    {
        using IPthFile archive = PthFile.Open(path);
        return MakeTensors(archive, archive.ReadObjects());
    }

    /// <summary>Reads the state dictionary of a network.</summary>
    /// <param name="path">Checkpoint file.</param>
    /// <param name="name">
    /// Name of the state dictionary: its keys from the root, joined by slashes, such as "model" or "nets/G"; null if the file contains only
    /// one. Other objects, such as the state of an optimiser, are ignored.
    /// </param>
    /// <exception cref="TinctorException">
    /// As for <see cref="Load(string)"/>, or the state dictionary does not exist; the message lists the existing ones.
    /// </exception>
    public static OrderedDictionary<string, Tensor> LoadStateDict(string path, string? name = null)
    {
        using IPthFile archive = PthFile.Open(path);
        var selected = SelectStateDict(path, archive.ReadObjects(), name);
        MakeTensors(archive, selected);
        return new OrderedDictionary<string, Tensor>(selected.Select(item => KeyValuePair.Create((string)item.Key, (Tensor)item.Value!)));
    }

    /// <summary>Reads each storage once and creates the tensors as views of it.</summary>
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

                // Strides and offsets of empty tensors are ignored.
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
    /// Replaces each tensor description by the result of <paramref name="make"/>, which is called once per description.
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
        // A stack instead of recursion: pickles may be deeply nested or refer to themselves.
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

    /// <summary>Selects the state dictionary by name, or the only one.</summary>
    private static OrderedDictionary<object, object?> SelectStateDict(string path, object? root, string? name)
    {
        var found = FindStateDicts(root);
        if (name is null ? found.Count == 1 : found.ContainsKey(name))
        {
            return name is null ? found.GetAt(0).Value : found[name];
        }

        if (found.Count == 0)
        {
            throw new TinctorException(path, "holds no state dictionary", "Name a checkpoint with the weights of a network");
        }

        var names = ProblemList.Join([.. found.Keys.Select(key => key.Length == 0 ? "(the whole file)" : key)], MostNamesInMessage);
        var wanted = name is null ? "one must be chosen by name" : $"none is named {name}";
        throw FileProblem.Create(path, $"holds {found.Count} state dictionaries, {wanted}: {names}");
    }

    /// <summary>Finds all dictionaries of named tensors near the root, by their keys from the root, joined by slashes.</summary>
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
