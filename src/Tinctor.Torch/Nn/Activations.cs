namespace Tinctor.Torch.Nn;

/// <summary>max(x, 0).</summary>
/// <param name="inplace">Overwrites the input, which saves memory.</param>
public sealed class ReLU(bool inplace = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.relu(input, inplace);
}

/// <summary>x, or negative_slope * x below zero.</summary>
/// <param name="negative_slope">The slope below zero.</param>
/// <param name="inplace">Overwrites the input, which saves memory.</param>
public sealed class LeakyReLU(double negative_slope = 0.01, bool inplace = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.leaky_relu(input, negative_slope, inplace);
}

/// <summary>x, or alpha * (exp(x) - 1) below zero.</summary>
/// <param name="alpha">Minus the limit far below zero.</param>
/// <param name="inplace">Overwrites the input, which saves memory.</param>
public sealed class ELU(double alpha = 1, bool inplace = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.elu(input, alpha, inplace);
}

/// <summary>x * sigmoid(x).</summary>
/// <param name="inplace">Overwrites the input, which saves memory.</param>
public sealed class SiLU(bool inplace = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.silu(input, inplace);
}

/// <summary>x times the normal distribution function.</summary>
/// <param name="approximate">"none", or "tanh" for an approximation.</param>
public sealed class GELU(string approximate = "none") : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.gelu(input, approximate);
}

/// <summary>x * tanh(softplus(x)).</summary>
public sealed class Mish : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.mish(input);
}

/// <summary>The hyperbolic tangent.</summary>
public sealed class Tanh : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.tanh();
}

/// <summary>1 / (1 + exp(-x)).</summary>
public sealed class Sigmoid : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input.sigmoid();
}

/// <summary>log(1 + exp(beta * x)) / beta.</summary>
/// <param name="beta">Sharpness of the bend.</param>
/// <param name="threshold">Linear where beta * x is above it.</param>
public sealed class Softplus(double beta = 1, double threshold = 20) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.softplus(input, beta, threshold);
}

/// <summary>x limited to [min_val, max_val].</summary>
/// <param name="min_val">The least value.</param>
/// <param name="max_val">The greatest value.</param>
public sealed class Hardtanh(double min_val = -1, double max_val = 1) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.hardtanh(input, min_val, max_val);
}

/// <summary>exp(x) over its sum along a dimension.</summary>
/// <param name="dim">The dimension that sums to one.</param>
public sealed class Softmax(long dim) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.softmax(input, dim);
}

/// <summary>The input itself.</summary>
public sealed class Identity : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => input;
}

/// <summary>x, or a trainable slope times x below zero.</summary>
public sealed class PReLU : Module<Tensor, Tensor>
{
    /// <summary>Creates a layer with one slope for all channels, or one per channel.</summary>
    /// <param name="num_parameters">1, or the number of channels.</param>
    /// <param name="init">The first value of the slopes.</param>
    public PReLU(long num_parameters = 1, double init = 0.25) => weight = register_parameter("weight", torch.full([num_parameters], init))!;

    /// <summary>The slopes below zero.</summary>
    public Tensor weight { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.prelu(input, weight);
}
