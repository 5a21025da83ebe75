namespace Tinctor.Staining.Operators;

/// <summary>
/// Transposed convolution of 4x4 with stride 2 in float32. Even and odd rows and columns of a channel of the output are four planes, of
/// which each is a convolution with every second weight of the kernel, 2x2, by Winograd's algorithm F(3x3, 2x2).
/// </summary>
internal sealed unsafe class DoublingConvolution : TileConvolution
{
    private const int Planes = 4;

    private static readonly WinogradScheme Scheme = new(SmallWinogradTransforms.OutputSide, SmallWinogradTransforms.Products,
        SmallWinogradTransforms.InputSide, SmallWinogradTransforms.OutputSide);

    private readonly int inputs, border, extra;

    private DoublingConvolution(OperatorNode node, int inputs, int outputs)
        : base(node, Scheme, inputs, inputs, Planes * outputs, (weights, output, input, kernel) =>
        {
            (int channel, int phase) = Math.DivRem(output, Planes);
            (int y, int x) = Math.DivRem(phase, 2);
            ReadOnlySpan<float> weight = weights[((((input * outputs) + channel) * 16) + (4 * y) + x)..];
            SmallWinogradTransforms.Kernel(weight[10], weight[8], weight[2], weight[0], kernel);
        })
    {
        this.inputs = inputs;
        (border, extra) = ((int)node.Integer("border"), (int)node.Integer("extra"));
    }

    /// <summary>
    /// Inputs: x [N, C, H, W], constant weight [C, K, 4, 4] and constant bias [K]. Attributes: border and extra, its padding and output
    /// padding; padding, 0; relu, 0 or 1.
    /// </summary>
    public static OperatorType Type { get; } = new("DoublingConvolution", 3, node =>
        new DoublingConvolution(node, (int)node.Constant(1).Shape[0], (int)node.Constant(1).Shape[1]));

    // Row y of the output belongs to the plane (y + border) % 2 of rows, and is its row (y + border) / 2.
    private int First => border / 2;

    /// <inheritdoc/>
    protected override (int Height, int Width) OutputSize(int height, int width) =>
        ((2 * (height + 1)) - (2 * border) + extra, (2 * (width + 1)) - (2 * border) + extra);

    /// <inheritdoc/>
    protected override TilePlan Plan(int height, int width) =>
        new(PlaneLength(height), PlaneLength(width), SmallWinogradTransforms.OutputSide);

    /// <inheritdoc/>
    protected override void TransformInput(Images image, TileBlock block, Memory memory)
    {
        int side = SmallWinogradTransforms.InputSide, step = SmallWinogradTransforms.OutputSide;
        for (int channel = 0; channel < inputs; channel++)
        {
            foreach (TileStrip strip in block.Strips)
                for (int y = 0; y < side; y++)
                {
                    Span<float> line = memory.Line[..((strip.Tiles * step) + side - step)];
                    PaddedLines.Copy(image.Channel(channel), image.Height, image.Width, First + strip.Top - 1 + y, First + strip.Left - 1,
                        Padding, line);
                    TileLines.Split(line, step, side, memory.Pixels + (y * side * block.Length) + strip.Place, block.Length, strip.Tiles);
                }
            for (int vector = 0; vector < block.Vectors; vector++)
                SmallWinogradTransforms.Input(memory.Pixels + (vector * Lanes), side * block.Length, block.Length,
                    Products(memory, channel, vector), block.Distance(inputs));
        }
    }

    /// <inheritdoc/>
    protected override void TransformOutput(int plane, int place, Images image, TilePlan plan, TileBlock block, Memory memory)
    {
        (int channel, int phase) = Math.DivRem(plane, Planes);
        (int bottom, int right) = Math.DivRem(phase, 2);
        int side = SmallWinogradTransforms.OutputSide;
        for (int vector = 0; vector < block.Vectors; vector++)
            SmallWinogradTransforms.Output(Results(memory, block, place, vector, out nint distance), distance,
                memory.Pixels + (vector * Lanes), block.Length, Bias[channel], Least);
        foreach (TileStrip strip in block.Strips)
            for (int row = 0; row < side; row++)
            {
                int y = (2 * (First + strip.Top + row)) + bottom - border, x = (2 * (First + strip.Left)) + right - border;
                if (y < 0 || y >= image.Height) continue;
                // The first column of a plane may be left of the image.
                float* parts = memory.Pixels + (row * side * block.Length) + strip.Place;
                TileLines.Join(parts, block.Length, side, step: 2, image.Channel(channel) + ((nint)y * image.Width) + x,
                    Math.Min(2 * strip.Tiles * side, image.Width - x), skipped: x < 0 ? 1 : 0);
            }
    }

    private int PlaneLength(int length) => ((length - 1 + border) / 2) - First + 1;
}
