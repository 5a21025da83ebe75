namespace Tinctor.Torch.Nn;

/// <summary>What images are normalised by: a mean and a variance a channel, [N,C,1,1], or one for all channels, [N,1,1,1].</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Variance">The variance.</param>
public readonly record struct Moments(Tensor Mean, Tensor Variance)
{
    /// <summary>Those of each channel of each image [N,C,H,W]; the variance has n in the denominator.</summary>
    public static Moments Of(Tensor images)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor exact = images.to(ScalarType.Float32);
        return new(exact.mean([2, 3], keepdim: true).MoveToOuterDisposeScope(),
            exact.var([2, 3], unbiased: false, keepdim: true).MoveToOuterDisposeScope());
    }
}

/// <summary>
/// A layer whose output depends on the moments of the image that it sees. Where that image is a part of a larger one, neighbouring parts
/// agree only if they are normalised by moments that belong to both.
/// </summary>
public interface INormalisesByImage
{
    /// <summary>Whether the layer uses the image's moments at present, not running ones.</summary>
    bool by_image { get; }

    /// <summary>Sees the moments of the images and says by which they are normalised; null by their own.</summary>
    Func<Moments, Moments>? moments { get; set; }
}
