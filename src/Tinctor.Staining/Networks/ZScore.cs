using Tinctor.Staining.Data;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Networks;

/// <summary><see cref="Autofluorescence.Standardise"/> as a layer: [N,C,H,W] to zero mean and unit deviation of each image.</summary>
public sealed class ZScore : Module<Tensor, Tensor>, INormalisesByImage
{
    /// <inheritdoc/>
    public bool by_image => true;

    /// <inheritdoc/>
    public Func<Moments, Moments>? moments { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        if (moments is null) return Autofluorescence.Standardise(x);
        using DisposeScope temporaries = torch.NewDisposeScope();
        Moments by = moments(new(x.mean([1, 2, 3], keepdim: true), x.var([1, 2, 3], unbiased: false, keepdim: true)));
        return ((x - by.Mean) / (by.Variance.sqrt() + Autofluorescence.Epsilon)).MoveToOuterDisposeScope();
    }
}
