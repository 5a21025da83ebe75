namespace Tinctor.Torch;

/// <summary>
/// Frees on time what was made inside it: every tensor created on this thread while the scope is open is disposed at its end,
/// unless it was moved out. Scopes nest; they belong to the thread that opened them.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    [ThreadStatic] private static DisposeScope? current;

    private readonly DisposeScope? outer;
    private readonly List<Tensor> tensors = [];

    internal DisposeScope()
    {
        outer = current;
        current = this;
    }

    /// <summary>The innermost open scope of this thread.</summary>
    internal static DisposeScope? Current => current;

    internal DisposeScope? Outer => outer;

    internal void Add(Tensor tensor)
    {
        tensor.scope = this;
        tensors.Add(tensor);
    }

    /// <summary>Frees what is left in the scope and goes back to the outer one.</summary>
    /// <exception cref="InvalidOperationException">Scopes were closed out of order or on another thread.</exception>
    public void Dispose()
    {
        if (current != this) throw new InvalidOperationException("scopes must be closed in reverse order, on the thread that opened them");
        current = outer;
        foreach (Tensor tensor in tensors)
        {
            if (tensor.scope == this) tensor.Dispose();
        }
        tensors.Clear();
    }
}

public static partial class torch
{
    /// <summary>Opens a scope that frees the tensors made inside it.</summary>
    public static DisposeScope NewDisposeScope() => new();
}
