using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Changes parameters by their gradients.</summary>
public abstract class Optimizer : IDisposable
{
    private readonly List<ParamGroup> groups = [];
    private readonly Dictionary<Tensor, ParamState> states = [];
    private readonly double lr, weight_decay;

    /// <summary>Starts with one group of parameters.</summary>
    protected Optimizer(IEnumerable<Tensor> parameters, double lr, double weight_decay)
    {
        (this.lr, this.weight_decay) = (NotNegative(lr, nameof(lr)), NotNegative(weight_decay, nameof(weight_decay)));
        add_param_group(parameters);
    }

    /// <summary>The groups of parameters, each with its learning rate and weight decay.</summary>
    public IReadOnlyList<ParamGroup> param_groups => groups;

    /// <summary>Adds parameters with a learning rate and a weight decay of their own, or those of the constructor.</summary>
    /// <exception cref="ArgumentException">A parameter belongs to the optimiser already, or is not a leaf.</exception>
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

    /// <summary>Drops the gradients, or sets them to zero.</summary>
    public void zero_grad(bool set_to_none = true)
    {
        foreach (Tensor parameter in states.Keys) parameter.ClearGradient(set_to_none);
    }

    /// <summary>Changes every parameter that has a gradient.</summary>
    public void step()
    {
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

    /// <summary>Changes parameters that have made the same number of steps; called without recording.</summary>
    private protected abstract void Update(ParamGroup group, Entry[] entries);

    /// <summary>Writes hyperparameters beside learning rate and weight decay.</summary>
    private protected abstract void WriteOptions(JsonObject options);

    /// <summary>Reads what <see cref="WriteOptions"/> wrote.</summary>
    private protected abstract void ReadOptions(JsonObject options);

    /// <summary>Everything that is needed to go on: tensors named "parameter.what", steps, hyperparameters.</summary>
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

    /// <summary>Goes on from a state; its tensors are copied.</summary>
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

    /// <summary>Frees what the optimiser remembers; the parameters are their owner's.</summary>
    public void Dispose()
    {
        foreach (ParamState state in states.Values) state.Clear();
        GC.SuppressFinalize(this);
    }

    /// <summary>A hyperparameter that must not be negative.</summary>
    private protected static double NotNegative(double value, string name) =>
        value >= 0 ? value : throw new ArgumentOutOfRangeException(name, value, "must not be negative");

    /// <summary>A parameter, its gradient and what is remembered of it.</summary>
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

    /// <summary>The remembered tensors of a name, made when they are first asked for.</summary>
    private protected static Tensor[] Remembered(Entry[] entries, string name, Func<Entry, Tensor> first) =>
        Array.ConvertAll(entries, entry => entry.state.tensors.GetValueOrDefault(name) ?? entry.state.Keep(name, first(entry)));
}
