namespace Tinctor.Torch.Optim;

/// <summary>Parameters that share a learning rate and a weight decay.</summary>
public sealed class ParamGroup
{
    internal ParamGroup(IEnumerable<Tensor> parameters, double lr, double weight_decay)
    {
        this.parameters = [.. parameters];
        (this.lr, this.weight_decay) = (lr, weight_decay);
    }

    /// <summary>The parameters.</summary>
    public IReadOnlyList<Tensor> parameters { get; }

    /// <summary>The learning rate; schedulers set it.</summary>
    public double lr { get; set; }

    /// <summary>The weight decay.</summary>
    public double weight_decay { get; set; }
}
