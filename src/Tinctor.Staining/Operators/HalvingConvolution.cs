namespace Tinctor.Staining.Operators;

/// <summary>
/// Convolution of 4x4 with stride 2 in float32. Even and odd rows and columns of a channel are four planes, of which each is convolved
/// with every second weight of the kernel, 2x2, by Winograd's algorithm F(3x3, 2x2).
/// </summary>
internal sealed unsafe class HalvingConvolution : TileConvolution
{
    private const int Planes = 4, OutputSide = SmallWinogradTransforms.OutputSide, InputSide = SmallWinogradTransforms.InputSide;

    private static readonly WinogradScheme Scheme = new(OutputSide, SmallWinogradTransforms.Products, Planes * InputSide * InputSide);

    private readonly int inputs;
    private readonly (int Top, int Left, int Bottom, int Right) border;

    private HalvingConvolution(OperatorNode node, int outputs, int inputs)
        : base(node, Scheme, inputs, Planes * inputs, outputs, (weights, output, input, kernel) =>
        {
            (int channel, int phase) = Math.DivRem(input, Planes);
            (int y, int x) = Math.DivRem(phase, 2);
            ReadOnlySpan<float> weight = weights[((((output * inputs) + channel) * 16) + (4 * y) + x)..];
            SmallWinogradTransforms.Kernel(weight[0], weight[2], weight[8], weight[10], kernel);
        })
    {
        this.inputs = inputs;
        border = ((int)node.Integer("top"), (int)node.Integer("left"), (int)node.Integer("bottom"), (int)node.Integer("right"));
    }

    /// <summary>
    /// Inputs: x [N, C, H, W], constant weight [K, C, 4, 4] and constant bias [K]. Attributes: top, left, bottom and right, numbers of
    /// pixels around the input; padding, a <see cref="ConvolutionPadding"/>; relu, 0 or 1.
    /// </summary>
    public static OperatorType Type { get; } = new("HalvingConvolution", 3, node =>
        new HalvingConvolution(node, (int)node.Constant(1).Shape[0], (int)node.Constant(1).Shape[1]));

    /// <inheritdoc/>
    protected override (int Height, int Width) OutputSize(int height, int width) =>
        ((height + border.Top + border.Bottom - 2) / 2, (width + border.Left + border.Right - 2) / 2);

    /// <inheritdoc/>
    protected override void TransformInput(Images image, TileBlock block, Memory memory)
    {
        for (int channel = 0; channel < inputs; channel++)
        {
            foreach (TileStrip strip in block.Strips)
                for (int y = 0; y < 2 * InputSide; y++)
                {
                    int length = (strip.Tiles * OutputSide) + 1;
                    float* line = memory.Line, even = line + (2 * length), odd = even + length;
                    PaddedLines.Copy(image.Channel(channel), image.Height, image.Width, (2 * strip.Top) - border.Top + y,
                        (2 * strip.Left) - border.Left, Padding, new(line, 2 * length));
                    TileLines.Halve(line, even, odd, length);
                    (int row, int parity) = Math.DivRem(y, 2);
                    float* pixels = Pixels(memory, block, parity, 0) + (row * InputSide * block.Length) + strip.Place;
                    TileLines.Split(even, pixels, block.Length, strip.Tiles);
                    TileLines.Split(odd, pixels + (InputSide * InputSide * block.Length), block.Length, strip.Tiles);
                }
            for (int phase = 0; phase < Planes; phase++)
                for (int vector = 0; vector < block.Vectors; vector++)
                    SmallWinogradTransforms.Input(Pixels(memory, block, phase / 2, phase % 2) + (vector * Lanes), block.Length,
                        Products(memory, (channel * Planes) + phase, vector), block.Distance(Planes * inputs));
        }
    }

    /// <inheritdoc/>
    protected override void TransformOutput(int plane, int place, Images image, TileBlock block, Memory memory)
    {
        for (int vector = 0; vector < block.Vectors; vector++)
            SmallWinogradTransforms.Output(Results(memory, block, place, vector, out nint distance), distance,
                memory.Pixels + (vector * Lanes), block.Length, Bias[plane], Least);
        foreach (TileStrip strip in block.Strips)
        {
            int width = Math.Min(strip.Tiles * OutputSide, image.Width - strip.Left);
            for (int y = 0; y < Math.Min(OutputSide, image.Height - strip.Top); y++)
            {
                TileLines.Join(memory.Pixels + (y * OutputSide * block.Length) + strip.Place, block.Length, strip.Tiles, memory.Line);
                new ReadOnlySpan<float>(memory.Line, width)
                    .CopyTo(new(image.Channel(plane) + ((nint)(strip.Top + y) * image.Width) + strip.Left, width));
            }
        }
    }

    // Pixels [4, 4, tiles] of the even or odd rows and columns of a channel.
    private static float* Pixels(Memory memory, TileBlock block, int row, int column) =>
        memory.Pixels + (((2 * row) + column) * InputSide * InputSide * block.Length);
}
