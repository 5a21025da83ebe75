namespace Tinctor.Torch.Serialization;

/// <summary>
/// Reads PyTorch checkpoints (the zip files that torch.save has written since PyTorch 1.6) without running any code from them: the pickle
/// inside may only name what tensors, dictionaries and numbers are made of, anything else is refused with its name.
/// </summary>
public static class PthReader
{
    private const int DeepestStateDict = 4;
    private const int MostNamesInMessage = 10;

    internal static object? Load(string path, Func<PthArchive, PthTensor, object> make)
    {
        using var archive = new PthArchive(path);
        return ReplaceTensors(archive.ReadObjects(), tensor => archive.Guarded(() => make(archive, tensor)));
    }

    /// <summary>Puts what <paramref name="make"/> returns in the place of each tensor's description; a tensor that occurs twice is made once.</summary>
    private static object? ReplaceTensors(object? root, Func<PthTensor, object> make)
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
        if ((name is null ? found.Count == 1 : found.ContainsKey(name)))
        {
            return name is null ? found.GetAt(0).Value : found[name];
        }

        if (found.Count == 0)
        {
            throw Refusal.Of(path, "holds no state dictionary: nothing in it consists of named tensors only");
        }

        var names = string.Join(", ", found.Keys.Take(MostNamesInMessage).Select(key => key.Length == 0 ? "(the whole file)" : key));
        var wanted = name is null ? "one must be chosen by name" : $"none is named {name}";
        throw Refusal.Of(path, $"holds {found.Count} state dictionaries, {wanted}: {names}{(found.Count > MostNamesInMessage ? ", ..." : "")}");
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
