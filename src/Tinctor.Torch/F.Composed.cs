namespace Tinctor.Torch;

public static partial class F
{
    // Maximum number of scores in memory: 64 MiB of float32.
    private const long MostScores = 1 << 24;

    /// <summary>
    /// softmax(query @ key.T / sqrt(E) + mask) @ value. Many scores are computed in chunks of queries, and again
    /// for their gradients, which limits memory.
    /// </summary>
    /// <param name="query">[..., L, E].</param>
    /// <param name="key">[..., S, E].</param>
    /// <param name="value">[..., S, Ev].</param>
    /// <param name="attn_mask">Added to the scores; broadcast to [..., L, S].</param>
    /// <param name="scale">Scale of the scores; 1 / sqrt(E) by default.</param>
    public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null,
        double? scale = null)
    {
        double factor = scale ?? 1 / Math.Sqrt(query.size(-1));
        if (OperatorObserver.Current is not { } observer) return Attention(query, key, value, attn_mask, factor, MostScores);
        // One operator for an observer, as in later versions of libtorch: the number of chunks depends on the size.
        Tensor result = OperatorObserver.Pause(() => Attention(query, key, value, attn_mask, factor, MostScores));
        observer.Called("aten::scaled_dot_product_attention", [query, key, value, attn_mask, factor], [result]);
        return result;
    }

    internal static Tensor Attention(Tensor query, Tensor key, Tensor value, Tensor? mask, double scale, long mostScores)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        long queries = query.size(-2), scoresOfOne = query.numel() / (queries * query.size(-1)) * key.size(-2);
        long together = Math.Max(1, mostScores / scoresOfOne);
        if (together >= queries) return AttentionOf(query, key, value, mask, scale).MoveToOuterDisposeScope();
        var parts = new List<Tensor>();
        for (long start = 0; start < queries; start += together)
        {
            long count = Math.Min(together, queries - start);
            Tensor? ofThese = mask is null || mask.ndim < 2 || mask.size(-2) == 1 ? mask : mask.narrow(-2, start, count);
            Tensor[] inputs = [query.narrow(-2, start, count), key, value, .. ofThese is null ? (Tensor[])[] : [ofThese]];
            parts.Add(torch.checkpoint(t => AttentionOf(t[0], t[1], t[2], t.ElementAtOrDefault(3), scale), inputs));
        }
        return torch.cat([.. parts], -2).MoveToOuterDisposeScope();
    }

    private static Tensor AttentionOf(Tensor query, Tensor key, Tensor value, Tensor? mask, double scale)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor scores = query.matmul(key.transpose(-2, -1)) * scale;
        if (mask is not null) scores += mask;
        return softmax(scores, -1).matmul(value).MoveToOuterDisposeScope();
    }

    /// <summary>input / max(|input|, eps), the p-norm taken along a dimension.</summary>
    public static Tensor normalize(Tensor input, double p = 2, long dim = 1, double eps = 1e-12)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (input / input.norm(p, [dim], keepdim: true).clamp(min: eps)).MoveToOuterDisposeScope();
    }

    // An operator that overwrites its first argument.
    private static Tensor InPlace(Operator overwrite, Tensor input, params ReadOnlySpan<Arg> options)
    {
        overwrite.CallVoid([input, .. options]);
        return input;
    }

    private static long[] Pair(Size2? size, long otherwise) => (size ?? otherwise).ToArray();

    private static long Reduction(string reduction) => Position(reduction, "none", "mean", "sum");
}
