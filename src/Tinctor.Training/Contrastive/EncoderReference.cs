using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Contrastive;

/// <summary>The encoders that a CEFF model is trained with; they stand in its config.yaml under <c>model.encoders</c>.</summary>
public sealed record EncoderReference
{
    /// <summary>The encoders' folder.</summary>
    public string Path { get; init; } = "";

    /// <summary>SHA-256 of their weights.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Refers to a folder.</summary>
    /// <exception cref="TinctorException">It holds no encoders.</exception>
    public static EncoderReference FromFolder(string folder)
    {
        ReadCard(folder);
        return new() { Path = System.IO.Path.GetFullPath(folder), Sha256 = SupervisedModel.Sha256(folder) };
    }

    /// <summary>Reads the card of the encoders in a folder.</summary>
    /// <exception cref="TinctorException">It holds no encoders.</exception>
    public static EncoderCard ReadCard(string folder) => SupervisedModel.ReadCard<EncoderCard>(folder, EncoderCard.EncoderKind);

    /// <summary>Reads them, on the CPU.</summary>
    /// <exception cref="TinctorException">They are not there, or not those of the run's start.</exception>
    public CeffEncoders Load()
    {
        EncoderCard card = ReadCard(Path);
        if (Sha256.Length > 0 && SupervisedModel.Sha256(Path) != Sha256)
            throw new TinctorException($"{Path}: these encoders are not the ones that the run began with; bring those back");
        var encoders = new CeffEncoders(card.Ngf, card.FeatureDim);
        SupervisedModel.LoadWeights(Path, encoders);
        return encoders;
    }
}
