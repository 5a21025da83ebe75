namespace Tinctor.Torch;

public static partial class F
{
    /// <summary>softmax(query @ key.T / sqrt(E) + mask) @ value.</summary>
    /// <param name="query">[..., L, E].</param>
    /// <param name="key">[..., S, E].</param>
    /// <param name="value">[..., S, Ev].</param>
    /// <param name="attn_mask">Added to the scores; broadcast to [..., L, S].</param>
    /// <param name="scale">Instead of 1 / sqrt(E).</param>
    public static Tensor scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask = null,
        double? scale = null)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor scores = query.matmul(key.transpose(-2, -1)) * (scale ?? 1 / Math.Sqrt(query.size(-1)));
        if (attn_mask is not null) scores += attn_mask;
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
