using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Registration.Fields;

/// <summary>Two fields with their modalities and the structure that is compared.</summary>
internal sealed class FieldImages
{
    private readonly Image source, target;

    public FieldImages(Image source, Image target, StructureChannel? channel)
    {
        (this.source, SourceModality) = Prepared(source);
        (this.target, TargetModality) = Prepared(target);
        Channel = channel ?? (SourceModality == Modality.Brightfield && TargetModality == Modality.Brightfield ? StructureChannel.Grey
            : StructureChannel.Edges);
    }

    public Modality SourceModality { get; }

    public Modality TargetModality { get; }

    /// <summary>Structure that is compared: as requested, or grey for two brightfield fields and edges for others.</summary>
    public StructureChannel Channel { get; }

    /// <summary>Extracts the structures of both, [1, 1, H, W].</summary>
    public (Tensor Source, Tensor Target) Structures() =>
        (StructureImage.Create(source, Channel, SourceModality), StructureImage.Create(target, Channel, TargetModality));

    // A field without tissue can be dark as a whole, so the modality is that of the whole field, not of its tiles.
    private static (Image Image, Modality Modality) Prepared(Image image)
    {
        Modality modality = image.EstimateModality();
        return (modality == Modality.Fluorescence && image.Channels == 3 ? FluorescenceImage.FromRgb(image) : image, modality);
    }
}
