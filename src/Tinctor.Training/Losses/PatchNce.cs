using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Contrastive loss of patches (Park et al. 2020, equation 3; models/patchnce.py of the official CUT): cross entropy of the cosines of a
/// vector to those of an image, divided by a temperature; the correct class is the vector of the same place.
/// </summary>
internal static class PatchNce
{
    // The cosine of a vector to its own place in the list of negatives.
    private const double Excluded = -10;

    /// <summary>Computes the loss of each vector, [N*P].</summary>
    /// <param name="query">Vectors [N*P,D] of length one, image by image.</param>
    /// <param name="key">Vectors [N*P,D] of the same places; they get no gradient.</param>
    /// <param name="images">Number of images N; 1 to take negatives from all images.</param>
    /// <param name="temperature">Temperature; small values emphasise hard negatives.</param>
    public static Tensor Compute(Tensor query, Tensor key, long images, double temperature)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        key = key.detach();
        Tensor positive = Similarity(query, key).unsqueeze(1);
        Tensor cosines = query.view(images, -1, query.size(1)).bmm(key.view(images, -1, key.size(1)).transpose(1, 2));
        Tensor own = torch.eye(cosines.size(1), device: cosines.device).to(ScalarType.Bool).unsqueeze(0);
        Tensor negative = cosines.masked_fill(own, Excluded).flatten(0, 1);
        Tensor logits = torch.cat([positive, negative], 1) / temperature;
        Tensor first = torch.zeros([logits.size(0)], dtype: ScalarType.Int64, device: logits.device);
        return F.cross_entropy(logits, first, reduction: "none").MoveToOuterDisposeScope();
    }

    /// <summary>Computes the cosine of each vector to the key of its place, [N*P].</summary>
    public static Tensor Similarity(Tensor query, Tensor key) => (query * key).sum([1]);
}
