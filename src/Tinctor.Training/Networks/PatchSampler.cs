using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// Takes vectors of features at some places, maps them by a two-layer perceptron for each layer and scales them to length one
/// (networks.PatchSampleF of the official CUT; its state-dict keys).
/// </summary>
internal sealed class PatchSampler : Module
{
    private const double Epsilon = 1e-7;
    private readonly Sequential[] perceptrons;
    private readonly bool shifted;

    /// <param name="channels">Channels of the features of each layer.</param>
    /// <param name="width">Length of the mapped vectors; 0 for no perceptron.</param>
    /// <param name="shifted">
    /// Whether 1e-7 is added to the vector before its length is computed (ASP) instead of to the length (CUT).
    /// </param>
    public PatchSampler(IReadOnlyList<int> channels, int width, bool shifted = false)
    {
        this.shifted = shifted;
        perceptrons = width == 0 ? [] : [.. channels.Select((from, i) =>
            register_module($"mlp_{i}", new Sequential(new Linear(from, width), new ReLU(), new Linear(width, width))))];
    }

    /// <summary>Computes the vectors at some places of the features of each layer.</summary>
    /// <param name="features">Features [N,C,h,w] of each layer.</param>
    /// <param name="places">Indices [P] into the h*w places of each layer; the same for all images.</param>
    /// <returns>Vectors [N*P,width] of length one, image by image, for each layer.</returns>
    public Tensor[] Sample(IReadOnlyList<Tensor> features, IReadOnlyList<Tensor> places) =>
        [.. features.Select((feature, i) =>
        {
            Tensor vectors = feature.flatten(2).index_select(2, places[i]).transpose(1, 2).flatten(0, 1);
            return Scaled(perceptrons.Length == 0 ? vectors : perceptrons[i].forward(vectors));
        })];

    private Tensor Scaled(Tensor vectors) => shifted
        ? vectors / (vectors + Epsilon).norm(2, [1], keepdim: true)
        : vectors / (vectors.norm(2, [1], keepdim: true) + Epsilon);
}
