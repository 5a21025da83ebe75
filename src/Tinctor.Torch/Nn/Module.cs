using System.Text;

namespace Tinctor.Torch.Nn;

/// <summary>
/// Module of a network: parameters, buffers and submodules, named as in the state dictionary. Constructors
/// register them explicitly; the order of registration is the order of the state dictionary.
/// </summary>
/// <remarks>Parameters and buffers do not belong to a scope; <see cref="Dispose"/> frees them.</remarks>
public abstract class Module : IDisposable
{
    private static readonly Operator set_data = new("aten::set_data");

    private readonly OrderedDictionary<string, Tensor> ownParameters = [];
    private readonly OrderedDictionary<string, Tensor> ownBuffers = [];
    private readonly OrderedDictionary<string, Module> ownModules = [];
    private readonly HashSet<string> notSaved = [];

    /// <summary>Whether the module is in training mode (dropout, batch statistics).</summary>
    public bool training { get; private set; } = true;

    /// <summary>Registers a trainable leaf tensor; null for none, such as the bias of a layer without one.</summary>
    /// <exception cref="ArgumentException">The name is taken, or the tensor is the result of a recorded operation.</exception>
    protected Tensor? register_parameter(string name, Tensor? parameter)
    {
        CheckName(name);
        if (parameter is null) return null;
        if (!parameter.is_leaf) throw new ArgumentException($"'{name}' must be a leaf tensor; detach() it first", nameof(parameter));
        ownParameters.Add(name, parameter.DetachFromDisposeScope());
        return parameter.requires_grad_(parameter.is_floating_point());
    }

    /// <summary>Registers a tensor that is saved with the module but not trained.</summary>
    /// <param name="name">Its name in the state dictionary.</param>
    /// <param name="tensor">The tensor; null for none.</param>
    /// <param name="persistent">Whether the state dictionary contains the tensor.</param>
    protected Tensor? register_buffer(string name, Tensor? tensor, bool persistent = true)
    {
        CheckName(name);
        if (tensor is null) return null;
        ownBuffers.Add(name, tensor.DetachFromDisposeScope());
        if (!persistent) notSaved.Add(name);
        return tensor;
    }

    /// <summary>Registers a submodule; its tensors are named <c>name.tensor</c>.</summary>
    protected T register_module<T>(string name, T module) where T : Module
    {
        CheckName(name);
        ownModules.Add(name, module);
        return module;
    }

    /// <summary>Registers a submodule from outside the constructor.</summary>
    internal T Add<T>(string name, T module) where T : Module => register_module(name, module);

    /// <summary>Replaces a parameter by one of another shape, before an optimiser refers to it.</summary>
    private protected Tensor ReplaceParameter(string name, Tensor parameter)
    {
        ownParameters[name].Dispose();
        ownParameters[name] = parameter.DetachFromDisposeScope();
        return parameter.requires_grad_(true);
    }

    private void CheckName(string name)
    {
        if (name.Length == 0 || name.Contains('.'))
            throw new ArgumentException($"'{name}' is not a valid name: it is empty or contains a dot", nameof(name));
        if (ownParameters.ContainsKey(name) || ownBuffers.ContainsKey(name) || ownModules.ContainsKey(name))
            throw new ArgumentException($"the name '{name}' is taken", nameof(name));
    }

    /// <summary>Direct submodules by name.</summary>
    public IEnumerable<(string name, Module module)> named_children() => ownModules.Select(pair => (pair.Key, pair.Value));

    /// <summary>Direct submodules.</summary>
    public IEnumerable<Module> children() => ownModules.Values;

    /// <summary>This module and all submodules by dotted name, parents first, shared ones once.</summary>
    public IEnumerable<(string name, Module module)> named_modules(string prefix = "")
    {
        var seen = new HashSet<Module>();
        return Paths(prefix).Where(path => seen.Add(path.module));
    }

    /// <summary>This module and all submodules.</summary>
    public IEnumerable<Module> modules() => named_modules().Select(named => named.module);

    /// <summary>Parameters by dotted name, shared ones once.</summary>
    /// <param name="prefix">Prefix of the names.</param>
    /// <param name="recurse">Whether to include submodules.</param>
    public IEnumerable<(string name, Tensor parameter)> named_parameters(string prefix = "", bool recurse = true) =>
        Named(prefix, recurse, module => module.ownParameters);

    /// <summary>Parameters.</summary>
    public IEnumerable<Tensor> parameters(bool recurse = true) => named_parameters("", recurse).Select(named => named.parameter);

    /// <summary>Buffers by dotted name, shared ones once.</summary>
    public IEnumerable<(string name, Tensor buffer)> named_buffers(string prefix = "", bool recurse = true) =>
        Named(prefix, recurse, module => module.ownBuffers);

    /// <summary>Buffers.</summary>
    public IEnumerable<Tensor> buffers(bool recurse = true) => named_buffers("", recurse).Select(named => named.buffer);

    private IEnumerable<(string, Tensor)> Named(string prefix, bool recurse, Func<Module, OrderedDictionary<string, Tensor>> tensors)
    {
        var seen = new HashSet<Tensor>();
        foreach ((string path, Module module) in recurse ? Paths(prefix) : [(prefix, this)])
        {
            foreach ((string name, Tensor tensor) in tensors(module))
            {
                if (seen.Add(tensor)) yield return (Join(path, name), tensor);
            }
        }
    }

    // All paths: a submodule registered twice appears under both names.
    private IEnumerable<(string path, Module module)> Paths(string prefix)
    {
        yield return (prefix, this);
        foreach ((string name, Module module) in ownModules)
        {
            foreach (var inner in module.Paths(Join(prefix, name))) yield return inner;
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    /// <summary>State dictionary with the keys and order of PyTorch. Tensors are not copied.</summary>
    public OrderedDictionary<string, Tensor> state_dict()
    {
        var state = new OrderedDictionary<string, Tensor>();
        foreach ((string path, Module module) in Paths(""))
        {
            foreach ((string name, Tensor tensor) in module.ownParameters) state.Add(Join(path, name), tensor);
            foreach ((string name, Tensor tensor) in module.ownBuffers)
            {
                if (!module.notSaved.Contains(name)) state.Add(Join(path, name), tensor);
            }
        }
        return state;
    }

    /// <summary>Copies values into the module's tensors, converting type and device.</summary>
    /// <param name="state_dict">Values by key.</param>
    /// <param name="strict">Whether all keys must fit; otherwise fitting tensors are copied.</param>
    /// <returns>Keys that do not fit; empty if strict. A missing <c>num_batches_tracked</c> is ignored: old files lack it.</returns>
    /// <exception cref="TinctorException">Strict, and a key does not fit; nothing is copied.</exception>
    public StateDictMismatch load_state_dict(IReadOnlyDictionary<string, Tensor> state_dict, bool strict = true)
    {
        OrderedDictionary<string, Tensor> own = this.state_dict();
        var mismatch = StateDictMismatch.Between(own, state_dict);
        if (strict && !mismatch.IsEmpty) throw new TinctorException($"the weights do not fit {GetType().Name}: {mismatch}");
        using Guard quiet = torch.no_grad();
        foreach ((string name, Tensor tensor) in own)
        {
            if (state_dict.TryGetValue(name, out Tensor? value) && value.shape.SequenceEqual(tensor.shape)) tensor.copy_(value);
        }
        return mismatch;
    }

    /// <summary>Removes the gradients, or sets them to zero.</summary>
    public void zero_grad(bool set_to_none = true)
    {
        foreach (Tensor parameter in parameters()) parameter.ClearGradient(set_to_none);
    }

    /// <summary>Switches training mode on or off; <see cref="ModuleExtensions.train"/> calls it on all submodules.</summary>
    protected internal virtual void SetTraining(bool mode) => training = mode;

    // In place, because optimisers refer to the tensors.
    internal void Replace(Func<Tensor, Tensor> convert)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach (Tensor tensor in parameters().Concat(buffers()))
        {
            Tensor? gradient = tensor.grad;
            tensor.grad = null;
            set_data.CallVoid(tensor, convert(tensor.detach()));
            if (gradient is not null) tensor.grad = convert(gradient);
        }
    }

    /// <summary>Frees the parameters and buffers of the module and its submodules.</summary>
    public virtual void Dispose()
    {
        foreach (Tensor tensor in ownParameters.Values.Concat(ownBuffers.Values)) tensor.Dispose();
        foreach (Module module in ownModules.Values) module.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Formats the tree of modules, one per line, with the shapes of their parameters.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        Describe(text, "", 0);
        return text.ToString();
    }

    private void Describe(StringBuilder text, string name, int depth)
    {
        if (depth > 0) text.Append('\n').Append(' ', 2 * depth).Append('(').Append(name).Append("): ");
        text.Append(GetType().Name).Append('(');
        text.AppendJoin(", ", ownParameters.Select(pair => $"{pair.Key} {pair.Value.ShapeText}")).Append(')');
        foreach ((string child, Module module) in ownModules) module.Describe(text, child, depth + 1);
    }
}

/// <summary>Module with one input.</summary>
/// <typeparam name="T">The input, often <see cref="Tensor"/>.</typeparam>
/// <typeparam name="TResult">The result, often <see cref="Tensor"/>.</typeparam>
public abstract class Module<T, TResult> : Module
{
    /// <summary>Computes the result.</summary>
    public abstract TResult forward(T input);
}

/// <summary>Module with two inputs.</summary>
/// <typeparam name="T1">The first input.</typeparam>
/// <typeparam name="T2">The second input.</typeparam>
/// <typeparam name="TResult">The result.</typeparam>
public abstract class Module<T1, T2, TResult> : Module
{
    /// <summary>Computes the result.</summary>
    public abstract TResult forward(T1 input1, T2 input2);
}

/// <summary>Module with three inputs.</summary>
/// <typeparam name="T1">The first input.</typeparam>
/// <typeparam name="T2">The second input.</typeparam>
/// <typeparam name="T3">The third input.</typeparam>
/// <typeparam name="TResult">The result.</typeparam>
public abstract class Module<T1, T2, T3, TResult> : Module
{
    /// <summary>Computes the result.</summary>
    public abstract TResult forward(T1 input1, T2 input2, T3 input3);
}
