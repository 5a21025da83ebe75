namespace Tinctor.Torch;

/// <summary>
/// Disposes tensors at the end of a block: every tensor created on this thread while the scope is open is disposed at its end,
/// unless it was moved out. Scopes can be nested and belong to the thread that opened them.
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

    /// <summary>Disposes the tensors of the scope and restores the outer scope.</summary>
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
    /// <summary>Opens a scope that disposes the tensors created inside it.</summary>
    public static DisposeScope NewDisposeScope() => new();
}
