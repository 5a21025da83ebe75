namespace Tinctor.Torch.Nn;

/// <summary>Trainable vector per index: [...] of integers to [..., embedding_dim].</summary>
public sealed class Embedding : Module<Tensor, Tensor>
{
    private readonly long padding_idx;

    /// <summary>Weight [num_embeddings, embedding_dim].</summary>
    /// <param name="num_embeddings">Number of vectors.</param>
    /// <param name="embedding_dim">Length of the vectors.</param>
    /// <param name="padding_idx">A number whose vector starts as zero and is not trained; negative numbers count from the end.</param>
    public Embedding(long num_embeddings, long embedding_dim, long? padding_idx = null)
    {
        this.padding_idx = padding_idx is long index ? index < 0 ? num_embeddings + index : index : -1;
        if (this.padding_idx < -1 || this.padding_idx >= num_embeddings) throw new ArgumentOutOfRangeException(nameof(padding_idx));
        weight = register_parameter("weight", torch.empty([num_embeddings, embedding_dim]))!;
        init.normal_(weight);
        if (this.padding_idx < 0) return;
        using Guard quiet = torch.no_grad();
        using Tensor row = weight[this.padding_idx];
        row.zero_();
    }

    /// <summary>Vectors, one per row.</summary>
    public Tensor weight { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.embedding(input, weight, padding_idx);
}
