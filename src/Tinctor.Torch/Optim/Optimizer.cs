using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Updates parameters by their gradients.</summary>
public abstract class Optimizer : IDisposable
{
    private readonly List<ParamGroup> groups = [];
    private readonly Dictionary<Tensor, ParamState> states = [];
    private readonly double lr, weight_decay;

    /// <summary>Creates an optimiser with one group of parameters.</summary>
    protected Optimizer(IEnumerable<Tensor> parameters, double lr, double weight_decay)
    {
        (this.lr, this.weight_decay) = (NotNegative(lr, nameof(lr)), NotNegative(weight_decay, nameof(weight_decay)));
        add_param_group(parameters);
    }

    /// <summary>The groups of parameters, each with its learning rate and weight decay.</summary>
    public IReadOnlyList<ParamGroup> param_groups => groups;

    /// <summary>Adds a group of parameters with its own learning rate and weight decay, by default those of the constructor.</summary>
    /// <exception cref="ArgumentException">A parameter is already in the optimiser, or is not a leaf.</exception>
    public ParamGroup add_param_group(IEnumerable<Tensor> parameters, double? lr = null, double? weight_decay = null)
    {
        double rate = NotNegative(lr ?? this.lr, nameof(lr)), decay = NotNegative(weight_decay ?? this.weight_decay, nameof(weight_decay));
        var group = new ParamGroup(parameters, rate, decay);
        foreach (Tensor parameter in group.parameters)
        {
            if (!parameter.is_leaf) throw new ArgumentException("only leaf tensors can be optimised", nameof(parameters));
            if (!states.TryAdd(parameter, new())) throw new ArgumentException("a parameter is given twice", nameof(parameters));
        }
        groups.Add(group);
        return group;
    }

    /// <summary>Completes the gradients before they are used, as a sum over ranks; null for nothing.</summary>
    internal Action? GradientsNeeded { get; set; }

    /// <summary>Follows the removal of gradients; null for nothing.</summary>
    internal Action? GradientsCleared { get; set; }

    /// <summary>Completes the gradients; <see cref="step"/> does so too, unless it was done.</summary>
    internal void CompleteGradients() => GradientsNeeded?.Invoke();

    /// <summary>Removes the gradients, or sets them to zero.</summary>
    public void zero_grad(bool set_to_none = true)
    {
        GradientsCleared?.Invoke();
        foreach (Tensor parameter in states.Keys) parameter.ClearGradient(set_to_none);
    }

    /// <summary>Updates all parameters with a gradient.</summary>
    public void step()
    {
        CompleteGradients();
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach (ParamGroup group in groups)
        {
            var entries = new List<Entry>();
            foreach (Tensor parameter in group.parameters)
            {
                if (parameter.grad is not Tensor gradient) continue;
                ParamState state = states[parameter];
                state.step++;
                entries.Add(new(parameter, gradient, state));
            }
            // On the CPU tensor by tensor, so that each stays in the cache; elsewhere all at once that have made as many steps.
            foreach (var together in entries.GroupBy(entry => entry.IsOnCpu ? (object)entry.parameter : entry.state.step))
            {
                using DisposeScope update = torch.NewDisposeScope();
                Update(group, [.. together]);
            }
        }
    }

    /// <summary>Updates parameters with an equal number of steps; called without autograd.</summary>
    private protected abstract void Update(ParamGroup group, Entry[] entries);

    /// <summary>Writes hyperparameters other than learning rate and weight decay.</summary>
    private protected abstract void WriteOptions(JsonObject options);

    /// <summary>Reads the hyperparameters of <see cref="WriteOptions"/>.</summary>
    private protected abstract void ReadOptions(JsonObject options);

    /// <summary>State needed to resume: tensors named "PARAMETER.NAME", steps, hyperparameters.</summary>
    public OptimizerState state_dict()
    {
        var tensors = new OrderedDictionary<string, Tensor>();
        var steps = new JsonArray();
        foreach ((int index, Tensor parameter) in Parameters().Index())
        {
            ParamState state = states[parameter];
            steps.Add(state.step);
            foreach ((string name, Tensor tensor) in state.tensors) tensors.Add($"{index}.{name}", tensor);
        }
        var options = new JsonObject();
        WriteOptions(options);
        var written = groups.Select(group => new JsonObject
        {
            ["lr"] = group.lr,
            ["weight_decay"] = group.weight_decay,
            ["parameters"] = group.parameters.Count,
        });
        return new(tensors, new()
        {
            ["optimizer"] = GetType().Name,
            ["options"] = options,
            ["param_groups"] = new JsonArray([.. written]),
            ["steps"] = steps,
        });
    }

    /// <summary>Loads a state; its tensors are copied.</summary>
    /// <exception cref="TinctorException">The state is of another optimiser or of other parameters; nothing was changed.</exception>
    public void load_state_dict(OptimizerState state)
    {
        JsonObject numbers = state.numbers;
        var parameters = Parameters().ToList();
        Check(state, parameters);
        ReadOptions(numbers["options"]!.AsObject());
        foreach ((ParamGroup group, JsonNode? written) in groups.Zip(numbers["param_groups"]!.AsArray()))
            (group.lr, group.weight_decay) = ((double)written!["lr"]!, (double)written["weight_decay"]!);
        using Guard quiet = torch.no_grad();
        foreach ((int index, Tensor parameter) in parameters.Index())
        {
            states[parameter].Clear();
            states[parameter].step = (long)numbers["steps"]![index]!;
        }
        foreach ((string key, Tensor tensor) in state.tensors)
        {
            (int index, string name) = Split(key);
            states[parameters[index]].Keep(name, torch.empty_like(parameters[index]).copy_(tensor));
        }
    }

    private void Check(OptimizerState state, List<Tensor> parameters)
    {
        string? optimizer = (string?)state.numbers["optimizer"];
        if (optimizer != GetType().Name) throw new TinctorException($"the state is of the optimiser {optimizer}, not {GetType().Name}");
        string saved = string.Join(" + ", state.numbers["param_groups"]!.AsArray().Select(group => (int)group!["parameters"]!));
        string own = string.Join(" + ", groups.Select(group => group.parameters.Count));
        if (saved != own || state.numbers["steps"]!.AsArray().Count != parameters.Count)
            throw new TinctorException($"the optimiser's state has {saved} parameters, the network {own}");
        foreach ((string key, Tensor tensor) in state.tensors)
        {
            (int index, string name) = Split(key);
            if (index >= parameters.Count || !tensor.shape.SequenceEqual(parameters[index].shape))
                throw new TinctorException($"the optimiser's state '{key}' {tensor.ShapeText} fits no parameter");
        }
    }

    private static (int index, string name) Split(string key) =>
        key.Split('.', 2) is [var number, var name] && int.TryParse(number, out int index) && index >= 0
            ? (index, name)
            : throw new TinctorException($"'{key}' is no name in an optimiser's state");

    private IEnumerable<Tensor> Parameters() => groups.SelectMany(group => group.parameters);

    /// <summary>Disposes the state of the optimiser, but not the parameters.</summary>
    public void Dispose()
    {
        foreach (ParamState state in states.Values) state.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>Checks that a hyperparameter is not negative.</summary>
    private protected static double NotNegative(double value, string name) =>
        value >= 0 ? value : throw new ArgumentOutOfRangeException(name, value, "must not be negative");

    /// <summary>Parameter with its gradient and state.</summary>
    private protected readonly record struct Entry(Tensor parameter, Tensor gradient, ParamState state)
    {
        public bool IsOnCpu => parameter.device.type == DeviceType.CPU;
    }

    /// <summary>State of one parameter.</summary>
    private protected sealed class ParamState
    {
        public readonly OrderedDictionary<string, Tensor> tensors = [];
        public long step;

        public Tensor Keep(string name, Tensor tensor) => tensors[name] = tensor.DetachFromDisposeScope();

        public void Clear()
        {
            foreach (Tensor tensor in tensors.Values) tensor.Dispose();
            tensors.Clear();
            step = 0;
        }
    }

    /// <summary>Gets state tensors by name; they are created on first use.</summary>
    private protected static Tensor[] Remembered(Entry[] entries, string name, Func<Entry, Tensor> first) =>
        Array.ConvertAll(entries, entry => entry.state.tensors.GetValueOrDefault(name) ?? entry.state.Keep(name, first(entry)));
}
