
namespace Tinctor.Torch;

public sealed unsafe partial class Tensor
{
    /// <summary>Accumulates the gradients of this tensor in the leaves of its graph.</summary>
    /// <param name="gradient">The gradient of this tensor; may be left out for a single number.</param>
    /// <param name="retain_graph">Keeps the graph for another backward.</param>
    /// <param name="create_graph">Records the backward pass, for second derivatives.</param>
    public void backward(Tensor? gradient = null, bool retain_graph = false, bool create_graph = false) =>
        torch.autograd.backward([this], gradient is null ? null : [gradient], retain_graph, create_graph);

    /// <summary>Removes the gradient, or sets it to zero.</summary>
    internal void ClearGradient(bool set_to_none)
    {
        using Tensor? gradient = set_to_none ? null : grad;
        using Tensor? zeros = gradient?.detach().zero_();
        grad = zeros;
    }
}

public static partial class torch
{
    /// <summary>Differentiation, as torch.autograd.</summary>
    public static unsafe class autograd
    {
        /// <summary>Accumulates the gradients of several roots at once.</summary>
        /// <param name="tensors">The roots.</param>
        /// <param name="grad_tensors">A gradient for each root, null for a single number.</param>
        /// <param name="retain_graph">Keeps the graph for another backward.</param>
        /// <param name="create_graph">Records the backward pass.</param>
        /// <param name="inputs">Leaves whose gradients are accumulated; all leaves by default.</param>
        /// <exception cref="TorchException">A root has no graph, or needs a gradient because it is not a scalar.</exception>
        public static void backward(Tensor[] tensors, Tensor?[]? grad_tensors = null, bool retain_graph = false, bool create_graph = false,
            Tensor[]? inputs = null)
        {
            Tensor?[] gradients = grad_tensors ?? new Tensor?[tensors.Length];
            if (gradients.Length != tensors.Length) throw new ArgumentException("one gradient per root is needed", nameof(grad_tensors));
            fixed (nint* roots = Handles(tensors), grads = Handles(gradients), leaves = Handles(inputs ?? []))
            {
                NativeMethods.Check(NativeMethods.tt_backward(roots, grads, tensors.Length, leaves, inputs?.Length ?? 0,
                    retain_graph ? 1 : 0, create_graph ? 1 : 0));
            }
            GC.KeepAlive(tensors);
            GC.KeepAlive(gradients);
            GC.KeepAlive(inputs);
        }

        /// <summary>The gradients of the outputs with respect to the inputs, without accumulating them.</summary>
        /// <returns>One gradient per input; null for an unused one if <paramref name="allow_unused"/>.</returns>
        /// <exception cref="TorchException">An input was not used, or an output has no graph.</exception>
        public static Tensor[] grad(Tensor[] outputs, Tensor[] inputs, Tensor?[]? grad_outputs = null, bool? retain_graph = null,
            bool create_graph = false, bool allow_unused = false)
        {
            Tensor?[] gradients = grad_outputs ?? new Tensor?[outputs.Length];
            if (gradients.Length != outputs.Length) throw new ArgumentException("one gradient per output is needed", nameof(grad_outputs));
            var results = new nint[inputs.Length];
            fixed (nint* roots = Handles(outputs), grads = Handles(gradients), leaves = Handles(inputs), found = results)
            {
                NativeMethods.Check(NativeMethods.tt_grad(roots, grads, outputs.Length, leaves, inputs.Length,
                    retain_graph ?? create_graph ? 1 : 0, create_graph ? 1 : 0, allow_unused ? 1 : 0, found));
            }
            GC.KeepAlive(outputs);
            GC.KeepAlive(gradients);
            GC.KeepAlive(inputs);
            return Array.ConvertAll(results, handle => handle == 0 ? null! : new Tensor(handle));
        }

        private static nint[] Handles(Tensor?[] tensors) => Array.ConvertAll(tensors, tensor => tensor?.Handle ?? 0);
    }
}
