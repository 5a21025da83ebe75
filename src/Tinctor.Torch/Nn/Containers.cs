using System.Collections;

namespace Tinctor.Torch.Nn;

/// <summary>Sequence of layers, named "0", "1", ... or as given.</summary>
public sealed class Sequential : Module<Tensor, Tensor>, IReadOnlyList<Module<Tensor, Tensor>>
{
    private readonly List<Module<Tensor, Tensor>> layers = [];

    /// <summary>Layers named by their positions.</summary>
    public Sequential(params ReadOnlySpan<Module<Tensor, Tensor>> modules)
    {
        foreach (Module<Tensor, Tensor> module in modules) append(module);
    }

    /// <summary>Layers with names.</summary>
    public Sequential(IEnumerable<(string name, Module<Tensor, Tensor> module)> modules)
    {
        foreach ((string name, Module<Tensor, Tensor> module) in modules) layers.Add(register_module(name, module));
    }

    /// <summary>Adds a layer at the end, named by its position.</summary>
    public Sequential append(Module<Tensor, Tensor> module)
    {
        layers.Add(register_module($"{layers.Count}", module));
        return this;
    }

    /// <summary>Number of layers.</summary>
    public int Count => layers.Count;

    /// <summary>The layer at a position.</summary>
    public Module<Tensor, Tensor> this[int index] => layers[index];

    /// <summary>Calls the layers in order. Intermediate results are freed after their use.</summary>
    public override Tensor forward(Tensor input) => forward(input, ..);

    /// <summary>Calls some of the layers in order.</summary>
    public Tensor forward(Tensor input, Range range)
    {
        Tensor current = input;
        foreach (Module<Tensor, Tensor> layer in layers.Take(range))
        {
            Tensor next = layer.forward(current);
            if (current != input && current != next) current.Dispose();
            current = next;
        }
        return current;
    }

    /// <inheritdoc/>
    public IEnumerator<Module<Tensor, Tensor>> GetEnumerator() => layers.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A list of modules, named "0", "1", ...</summary>
/// <typeparam name="T">Type of the modules.</typeparam>
public sealed class ModuleList<T> : Module, IReadOnlyList<T> where T : Module
{
    private readonly List<T> items = [];

    /// <summary>A list of some modules.</summary>
    public ModuleList(params ReadOnlySpan<T> modules)
    {
        foreach (T module in modules) append(module);
    }

    /// <summary>Adds a module at the end.</summary>
    public ModuleList<T> append(T module)
    {
        items.Add(register_module($"{items.Count}", module));
        return this;
    }

    /// <summary>Number of modules.</summary>
    public int Count => items.Count;

    /// <summary>The module at a position.</summary>
    public T this[int index] => items[index];

    /// <inheritdoc/>
    public IEnumerator<T> GetEnumerator() => items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>Modules by name.</summary>
/// <typeparam name="T">Type of the modules.</typeparam>
public sealed class ModuleDict<T> : Module where T : Module
{
    private readonly OrderedDictionary<string, T> items = [];

    /// <summary>Some modules with their names.</summary>
    public ModuleDict(IEnumerable<(string name, T module)> modules)
    {
        foreach ((string name, T module) in modules) items.Add(name, register_module(name, module));
    }

    /// <summary>The module of a name.</summary>
    public T this[string name] => items[name];

    /// <summary>The names in order.</summary>
    public IEnumerable<string> keys() => items.Keys;
}
