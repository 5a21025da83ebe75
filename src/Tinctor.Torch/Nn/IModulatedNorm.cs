namespace Tinctor.Torch.Nn;

/// <summary>Normalisation whose result [N,C,...] can be scaled and shifted by a condition (conditional normalisation).</summary>
internal interface IModulatedNorm
{
    /// <summary>Number of channels.</summary>
    long num_features { get; }

    /// <summary>Maps the result of the layer to a new tensor; null leaves it.</summary>
    Func<Tensor, Tensor>? Modulation { get; set; }
}
