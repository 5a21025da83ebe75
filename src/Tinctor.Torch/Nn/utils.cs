namespace Tinctor.Torch.Nn;

/// <summary>Limits on gradients, as torch.nn.utils.</summary>
public static class utils
{
    private static readonly Operator foreach_norm = new("aten::_foreach_norm", "Scalar");

    /// <summary>Scales the gradients in place so that their norm, taken over all of them together, is at most max_norm.</summary>
    /// <param name="parameters">Parameters; those without a gradient are ignored.</param>
    /// <param name="max_norm">The largest norm.</param>
    /// <param name="norm_type">The kind of norm; infinity for the largest element.</param>
    /// <param name="error_if_nonfinite">Whether a NaN or infinite norm throws.</param>
    /// <returns>The norm before.</returns>
    /// <exception cref="ArithmeticException">The norm is not finite and <paramref name="error_if_nonfinite"/>.</exception>
    public static Tensor clip_grad_norm_(IEnumerable<Tensor> parameters, double max_norm, double norm_type = 2,
        bool error_if_nonfinite = false)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor[] gradients = [.. parameters.Select(parameter => parameter.grad).OfType<Tensor>()];
        if (gradients.Length == 0) return torch.zeros([]).MoveToOuterDisposeScope();
        Tensor[] norms = foreach_norm.CallMany(gradients, norm_type);
        Tensor norm = torch.stack(Array.ConvertAll(norms, each => each.to(norms[0].device))).norm(norm_type);
        if (error_if_nonfinite && !double.IsFinite(norm.item()))
            throw new ArithmeticException($"the norm of the gradients is {norm.item()}");
        // No branch on the norm, which would synchronise with a GPU.
        Tensor scale = (max_norm / (norm + 1e-6)).clamp(max: 1.0);
        foreach (Tensor gradient in gradients) gradient.mul_(scale.to(gradient.device));
        return norm.MoveToOuterDisposeScope();
    }

    /// <summary>Clips every element of the gradients to [-clip_value, clip_value], in place.</summary>
    public static void clip_grad_value_(IEnumerable<Tensor> parameters, double clip_value)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        foreach (Tensor parameter in parameters) parameter.grad?.clamp_(-clip_value, clip_value);
    }
}
