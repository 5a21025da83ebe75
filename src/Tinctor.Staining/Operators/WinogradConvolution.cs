using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Staining.Operators;

/// <summary>Convolution of 3x3 with stride 1 in float32 by Winograd's algorithm F(4x4, 3x3).</summary>
internal sealed unsafe class WinogradConvolution : TileConvolution
{
    private static readonly WinogradScheme Scheme = new(WinogradTransforms.OutputSide, WinogradTransforms.Products,
        WinogradTransforms.InputSide * WinogradTransforms.InputSide);

    private readonly int inputs, border;

    private WinogradConvolution(OperatorNode node, int outputs, int inputs)
        : base(node, Scheme, inputs, inputs, outputs, (weights, output, input, kernel) =>
            WinogradTransforms.Kernel(weights.Slice(((output * inputs) + input) * 9, 9), kernel))
    {
        this.inputs = inputs;
        border = (int)node.Integer("border");
    }

    /// <summary>
    /// Inputs: x [N, C, H, W], constant weight [K, C, 3, 3] and constant bias [K]. Attributes: border, the number of
    /// pixels around the input, 0 or 1; padding, a <see cref="ConvolutionPadding"/>; relu, 0 or 1.
    /// </summary>
    public static OperatorType Type { get; } = new("WinogradConvolution", 3, node =>
        new WinogradConvolution(node, (int)node.Constant(1).Shape[0], (int)node.Constant(1).Shape[1]));

    /// <inheritdoc/>
    protected override (int Height, int Width) OutputSize(int height, int width) => (height - 2 + (2 * border), width - 2 + (2 * border));

    /// <inheritdoc/>
    protected override void TransformInput(Images image, TileBlock block, Memory memory)
    {
        for (int channel = 0; channel < inputs; channel++)
        {
            foreach (TileStrip strip in block.Strips)
                for (int y = 0; y < WinogradTransforms.InputSide; y++)
                {
                    var line = new Span<float>(memory.Line, (strip.Tiles + 1) * WinogradTransforms.OutputSide);
                    PaddedLines.Copy(image.Channel(channel), image.Height, image.Width, strip.Top - border + y, strip.Left - border,
                        Padding, line);
                    Split(line, memory.Pixels + (y * WinogradTransforms.InputSide * block.Length) + strip.Place, block.Length, strip.Tiles);
                }
            for (int vector = 0; vector < block.Vectors; vector++)
                WinogradTransforms.Input(memory.Pixels + (vector * Lanes), block.Length, Products(memory, channel, vector),
                    block.Distance(inputs));
        }
    }

    /// <inheritdoc/>
    protected override void TransformOutput(int plane, int place, Images image, TileBlock block, Memory memory)
    {
        int side = WinogradTransforms.OutputSide;
        for (int vector = 0; vector < block.Vectors; vector++)
            WinogradTransforms.Output(Results(memory, block, place, vector, out nint distance), distance, memory.Pixels + (vector * Lanes),
                block.Length, Bias[plane], Least);
        foreach (TileStrip strip in block.Strips)
        {
            int width = Math.Min(strip.Tiles * side, image.Width - strip.Left);
            for (int y = 0; y < Math.Min(side, image.Height - strip.Top); y++)
                Join(memory.Pixels + (y * side * block.Length) + strip.Place, block.Length,
                    new Span<float>(image.Channel(plane) + ((nint)(strip.Top + y) * image.Width) + strip.Left, width));
        }
    }

    // Sorts the pixels of a line by their place in a tile. The last two of a tile are the first two of the next.
    private static void Split(ReadOnlySpan<float> line, float* parts, int part, int tiles)
    {
        int tile = 0;
        for (; tile <= tiles - 4; tile += 4)
        {
            var pixels = Matrix4x4.Transpose(MemoryMarshal.Read<Matrix4x4>(MemoryMarshal.AsBytes(line[(tile * 4)..])));
            pixels.X.Store(parts + tile);
            pixels.Y.Store(parts + part + tile);
            pixels.Z.Store(parts + (2 * part) + tile);
            pixels.W.Store(parts + (3 * part) + tile);
        }
        for (; tile < tiles; tile++)
            for (int x = 0; x < 4; x++) parts[(x * part) + tile] = line[(tile * 4) + x];
        for (int x = 0; x < 2; x++)
        {
            new ReadOnlySpan<float>(parts + (x * part) + 1, tiles - 1).CopyTo(new(parts + ((x + 4) * part), tiles - 1));
            parts[((x + 4) * part) + tiles - 1] = line[(tiles * 4) + x];
        }
    }

    private static void Join(float* parts, int part, Span<float> line)
    {
        int x = 0;
        for (; x <= line.Length - 16; x += 16)
        {
            float* tiles = parts + (x / 4);
            Matrix4x4 pixels = Matrix4x4.Create(Load(tiles), Load(tiles + part), Load(tiles + (2 * part)), Load(tiles + (3 * part)));
            MemoryMarshal.Write(MemoryMarshal.AsBytes(line[x..]), Matrix4x4.Transpose(pixels));
        }
        for (; x < line.Length; x++) line[x] = parts[((x % 4) * part) + (x / 4)];
    }

    private static Vector4 Load(float* values) => Unsafe.ReadUnaligned<Vector4>(values);
}
