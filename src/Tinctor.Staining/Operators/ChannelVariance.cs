using System.Numerics;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Variance of the pixels of each channel, with the number of pixels as divisor. Input: x [N, C, H, W]; output: [N, C, 1, 1].
/// </summary>
internal sealed unsafe class ChannelVariance : Operator
{
    // Partial sums in float32 stay short, so that their rounding does not add up.
    private const int Part = 4096;

    /// <summary>Description of the operator.</summary>
    public static OperatorType Type { get; } = new("ChannelVariance", 1, _ => new ChannelVariance());

    /// <inheritdoc/>
    public override void Run(OperatorRun run)
    {
        OperatorTensor source = run.Input(0), target = run.Output(source.Shape[0], source.Shape[1], 1, 1);
        float* input = source.Data, output = target.Data;
        int area = (int)(source.Shape[2] * source.Shape[3]);
        run.Parallel(target.Values.Length, plane => output[plane] = Compute(new(input + ((nint)plane * area), area)));
    }

    private static float Compute(ReadOnlySpan<float> values)
    {
        float mean = (float)(Sum(values, 0, isSquared: false) / values.Length);
        return (float)(Sum(values, mean, isSquared: true) / values.Length);
    }

    // Sum of the differences from a value, or of their squares.
    private static double Sum(ReadOnlySpan<float> values, float offset, bool isSquared)
    {
        double sum = 0;
        for (int start = 0; start < values.Length; start += Part)
        {
            ReadOnlySpan<float> part = values[start..Math.Min(start + Part, values.Length)];
            Vector<float> partial = default, offsets = new(offset);
            int lanes = Vector<float>.Count, i = 0;
            for (; i <= part.Length - lanes; i += lanes)
            {
                Vector<float> difference = new Vector<float>(part[i..]) - offsets;
                partial += isSquared ? difference * difference : difference;
            }
            sum += Vector.Sum(partial);
            for (; i < part.Length; i++) sum += isSquared ? (part[i] - offset) * (part[i] - offset) : part[i] - offset;
        }
        return sum;
    }
}
