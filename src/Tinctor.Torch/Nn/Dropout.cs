namespace Tinctor.Torch.Nn;

/// <summary>Zeroes elements with probability p while training, and scales the rest.</summary>
/// <param name="p">The probability.</param>
/// <param name="inplace">Overwrites the input, which saves memory.</param>
public sealed class Dropout(double p = 0.5, bool inplace = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.dropout(input, p, training, inplace);
}

/// <summary>Zeroes whole channels with probability p while training, and scales the rest.</summary>
/// <param name="p">The probability.</param>
/// <param name="inplace">Overwrites the input, which saves memory.</param>
public sealed class Dropout2d(double p = 0.5, bool inplace = false) : Module<Tensor, Tensor>
{
    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.dropout2d(input, p, training, inplace);
}
