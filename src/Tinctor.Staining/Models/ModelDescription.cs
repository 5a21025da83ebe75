using System.Text.Json.Serialization;
using Tinctor.Slides.Colour;

namespace Tinctor.Staining.Models;

/// <summary>
/// Properties of a trained model that staining needs, whichever engine runs its network; <c>model.json</c> of a model folder.
/// </summary>
public sealed record ModelDescription
{
    /// <summary>Name of the staining method.</summary>
    public required string Method { get; init; }

    /// <summary>AtoB or BtoA: with BtoA, the model was trained on the pairs of a data set with source and target exchanged.</summary>
    public string Direction { get; init; } = "AtoB";

    /// <summary>Channels of sources.</summary>
    public required int InputChannels { get; init; }

    /// <summary>Channels of stained images.</summary>
    public required int OutputChannels { get; init; }

    /// <summary>Pixels of the stained image to one of the source, along each axis.</summary>
    public int Upscaling { get; init; } = 1;

    /// <summary>Height and width of sources that the network takes are multiples of this.</summary>
    public int SizeMultiple { get; init; } = 1;

    /// <summary>Smallest height and width of sources that the network takes.</summary>
    public int SmallestSize { get; init; } = 1;

    /// <summary>Side of the only sources that the network takes, in pixels; null for any size.</summary>
    public int? TileSize { get; init; }

    /// <summary>Size at which the network sees an image, as a share of the image's own size.</summary>
    public double Scale { get; init; } = 1;

    /// <summary>Micrometres per pixel of the training images; null if unknown.</summary>
    public double? Mpp { get; init; }

    /// <summary>IHC levels that the network predicts from the source, in the order of its logits; empty if it predicts none.</summary>
    public IReadOnlyList<string> IhcLevels { get; init; } = [];

    /// <summary>Stains that the model was trained on; a network of several takes one of them as an input. Empty if unknown.</summary>
    public IReadOnlyList<string> Stains { get; init; } = [];

    /// <summary>Colours that sources are normalised to before staining; null if they are left as they are.</summary>
    public StainProfile? SourceStains { get; init; }

    /// <summary>
    /// Whether the network takes sources that are z-scored by the mean and standard deviation of the whole image or slide, over all its
    /// pixels and channels. Default: false.
    /// </summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public bool StandardizesSource { get; init; }

    /// <summary>Diffusion bridge of the model; null for networks that stain in one pass.</summary>
    public BridgeDescription? Bridge { get; init; }

    /// <summary>Whether results are random: the same seed gives the same pixels.</summary>
    [JsonIgnore]
    public bool IsStochastic => Bridge is not null;
}
