namespace Tinctor.Torch.Nn;

/// <summary>
/// Divides a layer's weight by its largest singular value, followed by power iteration (Miyato et al. 2018), as
/// torch.nn.utils.spectral_norm. Replaces the layer; its keys are <c>bias</c>, <c>weight_orig</c>, <c>weight_u</c>, <c>weight_v</c>.
/// </summary>
public sealed class SpectralNorm : Module<Tensor, Tensor>
{
    private readonly Tensor weight_u, weight_v;
    private readonly int n_power_iterations, dim;
    private readonly double eps;

    /// <summary>Takes ownership of the parameters of a layer.</summary>
    /// <param name="layer">A convolution or linear layer.</param>
    /// <param name="n_power_iterations">Iterations per forward pass in training.</param>
    /// <param name="eps">Lower limit of norms.</param>
    public SpectralNorm(WeightedLayer layer, int n_power_iterations = 1, double eps = 1e-12)
    {
        (Layer, this.n_power_iterations, this.eps) = (layer, n_power_iterations, eps);
        dim = layer is ConvTranspose2d ? 1 : 0;
        register_parameter("bias", layer.bias);
        register_parameter("weight_orig", layer.weight);
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor matrix = Matrix();
        weight_u = register_buffer("weight_u", F.normalize(torch.randn([matrix.size(0)]), dim: 0, eps: eps))!;
        weight_v = register_buffer("weight_v", F.normalize(torch.randn([matrix.size(1)]), dim: 0, eps: eps))!;
    }

    /// <summary>Layer whose weight is normalised.</summary>
    public WeightedLayer Layer { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor matrix = Matrix();
        if (training) Iterate(matrix);
        // Copies: the next forward changes u and v before this one's backward reads them.
        Tensor sigma = weight_u.clone().dot(matrix.mv(weight_v.clone()));
        return Layer.forward(input, Layer.weight / sigma).MoveToOuterDisposeScope();
    }

    private void Iterate(Tensor matrix)
    {
        using Guard quiet = torch.no_grad();
        for (int i = 0; i < n_power_iterations; i++)
        {
            weight_v.copy_(F.normalize(matrix.t().mv(weight_u), dim: 0, eps: eps));
            weight_u.copy_(F.normalize(matrix.mv(weight_v), dim: 0, eps: eps));
        }
    }

    // The weight as a matrix with one row per output channel.
    private Tensor Matrix()
    {
        Tensor weight = dim == 0 ? Layer.weight : Layer.weight.transpose(0, dim);
        return weight.reshape(weight.size(0), -1);
    }
}
