using Tinctor.Torch;

namespace Tinctor.Training.Export;

/// <summary>Value in a traced forward pass that depends on its inputs.</summary>
/// <param name="Id">Number of the value: inputs first, then results in the order of the calls.</param>
internal readonly record struct TracedValue(int Id);

/// <summary>Constant that a forward pass computed from weights alone, in float32.</summary>
internal sealed record TracedConstant(float[] Values, long[] Shape);

/// <summary>
/// Operator call of a traced forward pass. Arguments are .NET values; a tensor that depends on the inputs is a <see cref="TracedValue"/>, a
/// weight stays a <see cref="Tensor"/>, any other is a <see cref="TracedConstant"/>.
/// </summary>
internal sealed record TracedCall(string Operator, object?[] Arguments, int[] Results);

/// <summary>
/// Records the operators of a forward pass as a list of calls without effects: an operator that overwrites its argument gives a new value.
/// Calls on constants alone are not recorded; their results are constants.
/// </summary>
/// <param name="weights">Tensors of the network.</param>
internal sealed class ForwardTrace(IReadOnlySet<Tensor> weights) : OperatorObserver
{
    private readonly Dictionary<Tensor, TracedConstant> constants = new(ReferenceEqualityComparer.Instance);
    private readonly Dictionary<Tensor, int> values = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<Tensor> views = new(ReferenceEqualityComparer.Instance);
    private readonly List<TracedCall> calls = [];
    private readonly List<long[]> shapes = [];

    /// <summary>The calls in their order.</summary>
    public IReadOnlyList<TracedCall> Calls => calls;

    /// <summary>Shape of each value.</summary>
    public IReadOnlyList<long[]> Shapes => shapes;

    /// <summary>Declares a tensor as an input.</summary>
    public TracedValue Input(Tensor tensor) => Define(tensor);

    /// <summary>Gets the value of a tensor.</summary>
    /// <exception cref="TinctorException">The tensor does not depend on the inputs.</exception>
    public TracedValue ValueOf(Tensor tensor) => values.TryGetValue(tensor, out int id) ? new(id)
        : throw new TinctorException("an output of the network does not depend on its input");

    /// <inheritdoc/>
    public override void Called(string op, ReadOnlySpan<Arg> arguments, ReadOnlySpan<Tensor> results)
    {
        if (!Depends(arguments)) return;
        object?[] values = new object?[arguments.Length];
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = arguments[i].Value switch
            {
                Tensor tensor => Traced(tensor),
                Tensor?[] tensors => Array.ConvertAll(tensors, tensor => tensor is null ? null : Traced(tensor)),
                var other => other,
            };
        }
        bool overwrites = op.EndsWith('_');
        if (overwrites)
        {
            var target = (Tensor)arguments[0].Value!;
            if (views.Contains(target)) throw Refuse(op, "overwrites a part of another tensor");
            calls.Add(new(Name(op), values, [Define(target).Id]));
            foreach (Tensor alias in results) this.values[alias] = this.values[target];
            return;
        }
        int[] ids = new int[results.Length];
        for (int i = 0; i < ids.Length; i++)
        {
            ids[i] = Define(results[i]).Id;
            if (IsView(op)) views.Add(results[i]);
        }
        calls.Add(new(Name(op), values, ids));
    }

    /// <inheritdoc/>
    public override void ReadNumber(string op, ReadOnlySpan<Arg> arguments)
    {
        if (Depends(arguments)) throw Refuse(op, "reads a number that depends on the image");
    }

    private bool Depends(ReadOnlySpan<Arg> arguments)
    {
        foreach (ref readonly Arg argument in arguments)
        {
            if (argument.Value is Tensor tensor && values.ContainsKey(tensor)) return true;
            if (argument.Value is Tensor?[] tensors && tensors.Any(item => item is not null && values.ContainsKey(item))) return true;
        }
        return false;
    }

    private object Traced(Tensor tensor)
    {
        if (values.TryGetValue(tensor, out int id)) return new TracedValue(id);
        if (weights.Contains(tensor)) return tensor;
        if (constants.TryGetValue(tensor, out TracedConstant? constant)) return constant;
        return constants[tensor] = Pause(() => Read(tensor));
    }

    // Copied at once: the forward pass frees it.
    private static TracedConstant Read(Tensor tensor)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return new(tensor.detach().cpu().to(ScalarType.Float32).contiguous().ToArray<float>(), tensor.shape);
    }

    private TracedValue Define(Tensor tensor)
    {
        shapes.Add(tensor.shape);
        return new(values[tensor] = shapes.Count - 1);
    }

    // add_.Tensor has the name add, as its result is a value of its own.
    private static string Name(string op) => op["aten::".Length..].TrimEnd('_').TrimStart('_');

    private static bool IsView(string name) =>
        name is "aten::view" or "aten::narrow" or "aten::select" or "aten::slice" or "aten::transpose"
        or "aten::permute" or "aten::expand" or "aten::split" or "aten::chunk" or "aten::unbind" or "aten::flatten" or "aten::alias"
        or "aten::unsqueeze" or "aten::squeeze" or "aten::split_with_sizes" or "aten::detach" or "aten::reshape";

    private static TinctorException Refuse(string op, string problem) =>
        new($"the network cannot be exported: {op} {problem}");
}
