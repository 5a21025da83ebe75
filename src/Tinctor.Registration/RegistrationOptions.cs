using Tinctor.Registration.Metrics;
using Tinctor.Transforms;

namespace Tinctor.Registration;

/// <summary>Penalty that keeps a displacement smooth.</summary>
public enum Regularization
{
    /// <summary>Mean squared first derivatives of the displacement.</summary>
    Diffusion,

    /// <summary>Mean squared second derivatives of the displacement; affine motion is not penalised.</summary>
    Bending,
}

/// <summary>Options of the registration of fields and of slides. The defaults suit any pair.</summary>
public sealed record RegistrationOptions
{
    /// <summary>
    /// Transform that is estimated. Null: <see cref="TransformModel.Translation"/> for fields, <see cref="TransformModel.Nonrigid"/> for
    /// slides. Fields take all models but nonrigid, slides all but translation.
    /// </summary>
    public TransformModel? Transform { get; init; }

    /// <summary>
    /// Structure that is compared. Null: optical density of two brightfield images; for other pairs of fields edges; for other pairs of
    /// slides edges in the search and intensity in the refinement.
    /// </summary>
    public StructureChannel? Channel { get; init; }

    /// <summary>Fields: largest translation along an axis, as a share of the shorter side, 0 to 0.5.</summary>
    public double MaxShift { get; init; } = 0.25;

    /// <summary>Fields: largest rotation that is searched, in degrees, 0 to 180; not used for translations.</summary>
    public double MaxRotation { get; init; } = 12;

    /// <summary>
    /// Slides: longer side of the overviews that are registered, in pixels, at least 64; not used with <see cref="Mpp"/>.
    /// </summary>
    public int Size { get; init; } = 1000;

    /// <summary>Slides: resolution of the overviews that are registered, in micrometres per pixel, above 0.</summary>
    public double? Mpp { get; init; }

    /// <summary>Slides: whether mirrored alignments are searched too, for sections that were mounted face down.</summary>
    public bool Mirror { get; init; }

    /// <summary>
    /// Slides: metric that is maximised. Null: <see cref="SimilarityMetric.LocalNcc"/> for two brightfield images,
    /// <see cref="SimilarityMetric.GradientFields"/> for other pairs.
    /// </summary>
    public SimilarityMetric? Similarity { get; init; }

    /// <summary>Slides: penalty that keeps the displacement smooth.</summary>
    public Regularization Regularization { get; init; } = Regularization.Diffusion;

    /// <summary>Slides: weight of the penalty relative to the similarity, above 0.</summary>
    public double Stiffness { get; init; } = 3;

    /// <summary>Checks the values.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    public void Validate()
    {
        if (!(MaxShift is >= 0 and <= 0.5))
            throw new OptionException(nameof(MaxShift), $"the largest shift is {MaxShift}, but must be 0 to 0.5 of the image's side");
        if (!(MaxRotation is >= 0 and <= 180))
            throw new OptionException(nameof(MaxRotation), $"the largest rotation is {MaxRotation}, but must be 0 to 180 degrees");
        if (Size < 64) throw new OptionException(nameof(Size), $"the size is {Size} pixels, but must be at least 64");
        if (!(Mpp is null or (> 0 and < double.PositiveInfinity)))
            throw new OptionException(nameof(Mpp), $"the resolution is {Mpp} micrometres per pixel, but must be above 0");
        if (!(Stiffness > 0)) throw new OptionException(nameof(Stiffness), $"the stiffness is {Stiffness}, but must be above 0");
    }
}
