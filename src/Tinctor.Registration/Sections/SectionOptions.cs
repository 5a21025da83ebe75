namespace Tinctor.Registration.Sections;

/// <summary>What a registration of sections may change.</summary>
public enum SectionModel
{
    /// <summary>Rotation and shift.</summary>
    Rigid,

    /// <summary>Rotation, shift, scales and shear.</summary>
    Affine,

    /// <summary>An affine map and a smooth displacement of every place.</summary>
    Nonrigid,
}

/// <summary>How two sections are registered. The defaults are for any pair.</summary>
public sealed record SectionOptions
{
    /// <summary>What may change.</summary>
    public SectionModel Model { get; init; } = SectionModel.Nonrigid;

    /// <summary>The longer side in pixels at which sections are compared, at least 64; not used with <see cref="Mpp"/>.</summary>
    public int Size { get; init; } = 1000;

    /// <summary>Micrometres per pixel at which sections are compared.</summary>
    public double? Mpp { get; init; }

    /// <summary>Whether the target may lie face down.</summary>
    public bool Mirror { get; init; }

    /// <summary>What is compared. Null: optical density of brightfield; edges for the search, brightness after it, of other pairs.</summary>
    public StructureChannel? Channel { get; init; }

    /// <summary>What is maximised. Null: local correlation of two brightfield images, gradient fields of other pairs.</summary>
    public Similarity? Similarity { get; init; }

    /// <summary>What keeps the displacement smooth.</summary>
    public Smoothness Smoothness { get; init; } = Smoothness.Diffusion;

    /// <summary>How much roughness counts against similarity, above 0.</summary>
    public double Stiffness { get; init; } = 3;

    /// <summary>Throws <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        if (Size < 64) throw new ArgumentException($"size {Size}: must be at least 64 pixels");
        if (!(Mpp is null or > 0)) throw new ArgumentException($"{Mpp} micrometres per pixel: must be above 0");
        if (!(Stiffness > 0)) throw new ArgumentException($"stiffness {Stiffness}: must be above 0");
    }
}
