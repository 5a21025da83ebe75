using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Contrastive;

/// <summary>Reference to the encoders of a CEFF model; in config.yaml under <c>model.encoders</c>.</summary>
public sealed record EncoderReference
{
    /// <summary>Folder of the encoders.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 of the weights.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Creates the reference to the encoders in a folder.</summary>
    /// <exception cref="TinctorException">The folder contains no encoders.</exception>
    public static EncoderReference FromFolder(string folder)
    {
        ReadCard(folder);
        return new() { Path = System.IO.Path.GetFullPath(folder), Sha256 = SupervisedModel.Sha256(folder) };
    }

    /// <summary>Reads the card of the encoders in a folder.</summary>
    /// <exception cref="TinctorException">The folder contains no encoders.</exception>
    internal static EncoderCard ReadCard(string folder) => SupervisedModel.ReadCard<EncoderCard>(folder, EncoderCard.EncoderKind);

    /// <summary>Loads the encoders on the CPU.</summary>
    /// <exception cref="TinctorException">The encoders are missing or have changed.</exception>
    internal CeffEncoders Load()
    {
        EncoderCard card = ReadCard(Path);
        if (Sha256.Length > 0 && SupervisedModel.Sha256(Path) != Sha256)
            throw new TinctorException(Path, "the encoders have changed since the start of the run", "Restore them, or start a new run");
        var encoders = new CeffEncoders(card.Ngf, card.FeatureDim);
        SupervisedModel.LoadWeights(Path, encoders);
        return encoders;
    }
}
