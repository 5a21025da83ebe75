using Tinctor.Slides.Tissue;

namespace Tinctor.Registration.Pairs;

/// <summary>Options of the preparation of a data set from fields or slides.</summary>
public sealed record PreparationOptions
{
    /// <summary>Options of the registration; null if source and target are aligned already.</summary>
    public RegistrationOptions? Registration { get; init; } = new();

    /// <summary>Options of the tiles.</summary>
    public TilingOptions Tiling { get; init; } = new();

    /// <summary>Whether existing results in the folder are replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Fields: whether all fields of a slide get the same transform, the median of their own ones, for scanners with a constant offset.
    /// </summary>
    public bool TransformPerSlide { get; init; }

    /// <summary>Slides: options of the detection of tissue.</summary>
    public TissueOptions Tissue { get; init; } = new();

    /// <summary>Slides: folder with NAME.geojson, the annotated tissue of sources; it is detected in slides without such a file.</summary>
    public string? SourceTissueFolder { get; init; }

    /// <summary>Slides: folder with NAME.geojson, the annotated tissue of targets.</summary>
    public string? TargetTissueFolder { get; init; }

    /// <summary>
    /// Slides: folder with transforms, which are used in place of a registration for pairs with the names of their slides; null for none.
    /// </summary>
    public string? TransformFolder { get; init; }

    /// <summary>Slides: micrometres per pixel of the sources, if their metadata is missing or wrong.</summary>
    public double? SourceMpp { get; init; }

    /// <summary>Slides: micrometres per pixel of the targets, if their metadata is missing or wrong.</summary>
    public double? TargetMpp { get; init; }

    /// <summary>Checks the values.</summary>
    /// <exception cref="OptionException">A value is out of range.</exception>
    public void Validate()
    {
        Registration?.Validate();
        Tiling.Validate();
    }
}
