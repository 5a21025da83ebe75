using System.Numerics;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Subtracts a mean from the pixels of each channel and multiplies them by a factor. Inputs: x [N, C, H, W], mean and factor
/// [N, C, 1, 1] or [1, C, 1, 1]. Attribute: relu, 0 or 1.
/// </summary>
/// <param name="least">Least value of the output.</param>
internal sealed unsafe class ChannelNormalization(float least) : Operator
{
    /// <summary>Description of the operator.</summary>
    public static OperatorType Type { get; } = new("ChannelNormalization", 3,
        node => new ChannelNormalization(node.LeastOutput));

    /// <inheritdoc/>
    public override void Run(OperatorRun run)
    {
        OperatorTensor source = run.Input(0), means = run.Input(1), factors = run.Input(2), target = run.Output(source.Shape);
        float* input = source.Data, output = target.Data, mean = means.Data, factor = factors.Data;
        int area = (int)(source.Shape[2] * source.Shape[3]), ofMean = means.Values.Length, ofFactor = factors.Values.Length;
        run.Parallel((int)(source.Shape[0] * source.Shape[1]), plane => Compute(new(input + ((nint)plane * area), area),
            mean[plane % ofMean], factor[plane % ofFactor], new(output + ((nint)plane * area), area)));
    }

    private void Compute(ReadOnlySpan<float> values, float mean, float factor, Span<float> results)
    {
        Vector<float> means = new(mean), lowest = new(least);
        int lanes = Vector<float>.Count, i = 0;
        for (; i <= values.Length - lanes; i += lanes)
            Vector.Max((new Vector<float>(values[i..]) - means) * factor, lowest).CopyTo(results[i..]);
        for (; i < values.Length; i++) results[i] = Math.Max((values[i] - mean) * factor, least);
    }
}
