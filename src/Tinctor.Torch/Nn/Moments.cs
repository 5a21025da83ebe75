namespace Tinctor.Torch.Nn;

/// <summary>Mean and variance of images, per channel [N,C,1,1] or per image [N,1,1,1].</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Variance">The variance.</param>
internal readonly record struct Moments(Tensor Mean, Tensor Variance)
{
    /// <summary>Computes those of each channel of each image [N,C,H,W]; the variance has n in the denominator.</summary>
    public static Moments Of(Tensor images)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor exact = images.to(ScalarType.Float32);
        return new(exact.mean([2, 3], keepdim: true).MoveToOuterDisposeScope(),
            exact.var([2, 3], unbiased: false, keepdim: true).MoveToOuterDisposeScope());
    }
}

/// <summary>
/// Layer whose output depends on the moments of its input image. If the image is a tile of a larger one, adjacent tiles agree only if
/// they are normalised by common moments, which <see cref="MomentsContext"/> provides.
/// </summary>
internal interface INormalizesByImage
{
    /// <summary>Whether the layer currently uses the moments of the image instead of running ones.</summary>
    bool by_image { get; }
}

/// <summary>
/// Moments that layers normalise images by during a forward pass, a property of the calling thread as autocast is: the network itself stays
/// unchanged, so threads may share it.
/// </summary>
internal static class MomentsContext
{
    [ThreadStatic]
    private static Func<Moments, Moments>? current;

    /// <summary>Receives the moments of the images in each layer and returns those to use; null if layers use their own.</summary>
    public static Func<Moments, Moments>? Current => current;

    /// <summary>Runs a forward pass whose layers use the moments that a function returns.</summary>
    public static T Run<T>(Func<Moments, Moments> moments, Func<T> forward)
    {
        Func<Moments, Moments>? outer = current;
        current = moments;
        try
        {
            return forward();
        }
        finally
        {
            current = outer;
        }
    }
}
