using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Standardises each image [N,C,H,W] to zero mean and unit standard deviation over all its pixels and channels together, as the code of
/// pixel super-resolved virtual staining prepares autofluorescence.
/// </summary>
internal sealed class ZScore : Module<Tensor, Tensor>, INormalizesByImage
{
    /// <summary>Added to the standard deviation, for constant images.</summary>
    private const double Epsilon = 1e-6;

    /// <inheritdoc/>
    public bool by_image => true;

    /// <summary>Standardises images [C,H,W] or [N,C,H,W] of any range.</summary>
    public static Tensor Standardize(Tensor image)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor mean = image.mean([-3, -2, -1], keepdim: true), deviation = image.std([-3, -2, -1], unbiased: false, keepdim: true);
        return ((image - mean) / (deviation + Epsilon)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        if (MomentsContext.Current is not { } moments) return Standardize(x);
        using DisposeScope temporaries = torch.NewDisposeScope();
        Moments by = moments(new(x.mean([1, 2, 3], keepdim: true), x.var([1, 2, 3], unbiased: false, keepdim: true)));
        return ((x - by.Mean) / (by.Variance.sqrt() + Epsilon)).MoveToOuterDisposeScope();
    }
}
