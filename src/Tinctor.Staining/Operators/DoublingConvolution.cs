namespace Tinctor.Staining.Operators;

/// <summary>
/// Transposed convolution of 4x4 with stride 2 in float32. Even and odd rows and columns of a channel of the output are four planes, of
/// which each is a convolution with every second weight of the kernel, 2x2, by Winograd's algorithm F(3x3, 2x2).
/// </summary>
internal sealed unsafe class DoublingConvolution : TileConvolution
{
    private const int Planes = 4, OutputSide = SmallWinogradTransforms.OutputSide, InputSide = SmallWinogradTransforms.InputSide;

    private static readonly WinogradScheme Scheme =
        new(OutputSide, SmallWinogradTransforms.Products, Math.Max(InputSide * InputSide, 2 * OutputSide * OutputSide));

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
        new(PlaneLength(height), PlaneLength(width), OutputSide);

    /// <inheritdoc/>
    protected override void TransformInput(Images image, TileBlock block, Memory memory)
    {
        for (int channel = 0; channel < inputs; channel++)
        {
            foreach (TileStrip strip in block.Strips)
                for (int y = 0; y < InputSide; y++)
                {
                    PaddedLines.Copy(image.Channel(channel), image.Height, image.Width, First + strip.Top - 1 + y, First + strip.Left - 1,
                        Padding, new(memory.Line, (strip.Tiles * OutputSide) + 1));
                    TileLines.Split(memory.Line, memory.Pixels + (y * InputSide * block.Length) + strip.Place, block.Length, strip.Tiles);
                }
            for (int vector = 0; vector < block.Vectors; vector++)
                SmallWinogradTransforms.Input(memory.Pixels + (vector * Lanes), block.Length, Products(memory, channel, vector),
                    block.Distance(inputs));
        }
    }

    /// <inheritdoc/>
    protected override void TransformOutput(int plane, int place, Images image, TileBlock block, Memory memory)
    {
        (int channel, int phase) = Math.DivRem(plane, Planes);
        (int row, int column) = Math.DivRem(phase, 2);
        float* pixels = memory.Pixels + (column * OutputSide * OutputSide * block.Length);
        for (int vector = 0; vector < block.Vectors; vector++)
            SmallWinogradTransforms.Output(Results(memory, block, place, vector, out nint distance), distance, pixels + (vector * Lanes),
                block.Length, Bias[channel], Least);
        // Lines of the output need the planes of even and of odd columns, which follow each other.
        if (column == 0) return;
        foreach (TileStrip strip in block.Strips)
            for (int line = 0; line < OutputSide; line++)
            {
                int y = (2 * (First + strip.Top + line)) + row - border, x = (2 * (First + strip.Left)) - border;
                if (y < 0 || y >= image.Height) continue;
                ReadOnlySpan<float> joined = Joined(line, strip, block, memory);
                int skipped = Math.Max(0, -x), length = Math.Min(joined.Length, image.Width - x) - skipped;
                joined.Slice(skipped, length).CopyTo(new(image.Channel(channel) + ((nint)y * image.Width) + x + skipped, length));
            }
    }

    // Line of tiles of both planes.
    private static ReadOnlySpan<float> Joined(int line, TileStrip strip, TileBlock block, Memory memory)
    {
        int length = strip.Tiles * OutputSide;
        float* even = memory.Line, odd = even + length, result = odd + length;
        float* pixels = memory.Pixels + (line * OutputSide * block.Length) + strip.Place;
        TileLines.Join(pixels, block.Length, strip.Tiles, even);
        TileLines.Join(pixels + (OutputSide * OutputSide * block.Length), block.Length, strip.Tiles, odd);
        Interleaving.Join(even, length, 2, length, result);
        return new(result, 2 * length);
    }

    private int PlaneLength(int length) => ((length - 1 + border) / 2) - First + 1;
}
