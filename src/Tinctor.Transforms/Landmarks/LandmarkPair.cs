namespace Tinctor.Transforms.Landmarks;

/// <summary>Positions of the same structure in source and target, in pixels of level 0 with whole numbers at pixel centres.</summary>
/// <param name="SourceX">Column in the source.</param>
/// <param name="SourceY">Row in the source.</param>
/// <param name="TargetX">Column in the target.</param>
/// <param name="TargetY">Row in the target.</param>
public readonly record struct LandmarkPair(double SourceX, double SourceY, double TargetX, double TargetY)
{
    /// <summary>Computes the target registration error under a transform, in target pixels.</summary>
    public double Error(RegistrationTransform transform)
    {
        (double u, double v) = transform.Apply(SourceX, SourceY);
        return double.Hypot(u - TargetX, v - TargetY);
    }
}
