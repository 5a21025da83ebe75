namespace Tinctor.Transforms;

/// <summary>Similarity metric of two images.</summary>
public enum SimilarityMetric
{
    /// <summary>Normalised cross-correlation of small windows; tolerates relations of the intensities that vary over the slide.</summary>
    LocalNcc,

    /// <summary>Normalised cross-correlation of the whole images.</summary>
    GlobalNcc,

    /// <summary>Normalised gradient fields: parallel edges, whichever side is darker.</summary>
    GradientFields,

    /// <summary>Mutual information: any relation of the intensities.</summary>
    MutualInformation,
}
