namespace Tinctor.Torch;

public static partial class torch
{
    /// <summary>Tensors joined along a dimension.</summary>
    public static Tensor cat(Tensor[] tensors, long dim = 0) => Ops.cat.Call(tensors, dim);

    /// <summary>Tensors joined along a new dimension.</summary>
    public static Tensor stack(Tensor[] tensors, long dim = 0) => Ops.stack.Call(tensors, dim);

    /// <summary>input where the condition is true, other elsewhere.</summary>
    public static Tensor where(Tensor condition, Tensor input, Tensor other) => Ops.where__self.Call(condition, input, other);

    /// <summary>A sum of products in Einstein's notation.</summary>
    public static Tensor einsum(string equation, params Tensor[] operands) => Ops.einsum.Call(equation, operands);

    /// <summary>beta * input + alpha * batch1 @ batch2.</summary>
    public static Tensor baddbmm(Tensor input, Tensor batch1, Tensor batch2, Scalar? beta = null, Scalar? alpha = null) =>
        Ops.baddbmm.Call(input, batch1, batch2, beta ?? 1, alpha ?? 1);

    /// <summary>Coordinates of a grid from its axes.</summary>
    public static Tensor[] meshgrid(Tensor[] tensors, string indexing = "ij") => Ops.meshgrid__indexing.CallMany(tensors, indexing);

    /// <summary>Ones with the given probabilities.</summary>
    public static Tensor bernoulli(Tensor input, Generator? generator = null) => Ops.bernoulli.Call(input, generator);

    /// <summary>Positions drawn with the given weights.</summary>
    public static Tensor multinomial(Tensor input, long num_samples, bool replacement = false, Generator? generator = null) =>
        Ops.multinomial.Call(input, num_samples, replacement, generator);

    /// <summary>Indices at which values would be inserted to keep a sorted order.</summary>
    public static Tensor searchsorted(Tensor sorted_sequence, Tensor values, bool right = false) =>
        Ops.searchsorted__Tensor.Call(sorted_sequence, values, false, right);

    /// <summary>Whether |input - other| &lt;= atol + rtol * |other| everywhere.</summary>
    public static bool allclose(Tensor input, Tensor other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) =>
        Ops.allclose.CallNumber(input, other, rtol, atol, equal_nan) != 0;

    /// <summary>Whether shape and elements are the same.</summary>
    public static bool equal(Tensor input, Tensor other) => Ops.equal.CallNumber(input, other) != 0;

    /// <summary>Complex numbers from their parts.</summary>
    public static Tensor complex(Tensor real, Tensor imag) => Ops.complex.Call(real, imag);

    /// <summary>A complex tensor as pairs of reals, a view.</summary>
    public static Tensor view_as_real(Tensor input) => Ops.view_as_real.Call(input);

    /// <inheritdoc cref="Tensor.exp"/>
    public static Tensor exp(Tensor input) => input.exp();

    /// <inheritdoc cref="Tensor.log"/>
    public static Tensor log(Tensor input) => input.log();

    /// <inheritdoc cref="Tensor.sqrt"/>
    public static Tensor sqrt(Tensor input) => input.sqrt();

    /// <inheritdoc cref="Tensor.abs"/>
    public static Tensor abs(Tensor input) => input.abs();

    /// <inheritdoc cref="Tensor.sin"/>
    public static Tensor sin(Tensor input) => input.sin();

    /// <inheritdoc cref="Tensor.cos"/>
    public static Tensor cos(Tensor input) => input.cos();

    /// <inheritdoc cref="Tensor.tanh"/>
    public static Tensor tanh(Tensor input) => input.tanh();

    /// <inheritdoc cref="Tensor.sigmoid"/>
    public static Tensor sigmoid(Tensor input) => input.sigmoid();

    /// <inheritdoc cref="Tensor.relu"/>
    public static Tensor relu(Tensor input) => input.relu();

    /// <inheritdoc cref="Tensor.floor"/>
    public static Tensor floor(Tensor input) => input.floor();

    /// <inheritdoc cref="Tensor.round"/>
    public static Tensor round(Tensor input) => input.round();

    /// <inheritdoc cref="Tensor.isnan"/>
    public static Tensor isnan(Tensor input) => input.isnan();

    /// <inheritdoc cref="Tensor.isfinite"/>
    public static Tensor isfinite(Tensor input) => input.isfinite();

    /// <inheritdoc cref="Tensor.square"/>
    public static Tensor square(Tensor input) => input.square();

    /// <inheritdoc cref="Tensor.maximum"/>
    public static Tensor maximum(Tensor input, Tensor other) => input.maximum(other);

    /// <inheritdoc cref="Tensor.minimum"/>
    public static Tensor minimum(Tensor input, Tensor other) => input.minimum(other);

    /// <inheritdoc cref="Tensor.atan2"/>
    public static Tensor atan2(Tensor input, Tensor other) => input.atan2(other);

    /// <inheritdoc cref="Tensor.matmul"/>
    public static Tensor matmul(Tensor input, Tensor other) => input.matmul(other);

    /// <inheritdoc cref="Tensor.bmm"/>
    public static Tensor bmm(Tensor input, Tensor other) => input.bmm(other);

    /// <inheritdoc cref="Tensor.mm"/>
    public static Tensor mm(Tensor input, Tensor other) => input.mm(other);
}
