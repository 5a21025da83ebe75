namespace Tinctor.Transforms;

/// <summary>Model of a transform between two images.</summary>
public enum TransformModel
{
    /// <summary>Translation: 2 parameters.</summary>
    Translation,

    /// <summary>Translation and rotation: 3 parameters.</summary>
    Rigid,

    /// <summary>Translation, rotation, scales and shear: 6 parameters.</summary>
    Affine,

    /// <summary>Affine transform and a smooth displacement of every pixel.</summary>
    Nonrigid,
}
