using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Convolution of 3x3 with stride 1 in float32 by Winograd's algorithm. A block of tiles is transformed, multiplied by the transformed
/// kernels and transformed back while it is in the cache.
/// </summary>
internal sealed unsafe class WinogradConvolution : Operator
{
    // Channels of the output in one pass over a block, and most tiles of a block.
    private const int PassChannels = 64, BlockTiles = 64;

    // Distances that are no power of two keep the 36 products of a tile in different sets of the cache.
    private const int Stagger = ThreadMemory.Alignment / sizeof(float);

    private static readonly int Lanes = Vector<float>.Count;

    private readonly int inputs, outputs, border;
    private readonly ConvolutionPadding padding;
    private readonly float least;
    private readonly float[] bias;
    private readonly float[] kernels; // [36, outputs / 8, inputs, 8]

    private WinogradConvolution(OperatorNode node)
    {
        OperatorTensor weight = node.Constant(1);
        (outputs, inputs) = ((int)weight.Shape[0], (int)weight.Shape[1]);
        bias = node.Constant(2).Values.ToArray();
        border = (int)node.Integer("border");
        padding = (ConvolutionPadding)node.Integer("padding");
        least = node.LeastOutput;
        kernels = SharedKernels.Get(weight.Values, inputs, Transform);
    }

    /// <summary>
    /// Inputs: x [N, C, H, W], constant weight [K, C, 3, 3] and constant bias [K]. Attributes: border, the number of
    /// pixels around the input, 0 or 1; padding, a <see cref="ConvolutionPadding"/>; relu, 0 or 1.
    /// </summary>
    public static OperatorType Type { get; } = new("WinogradConvolution", 3, node => new WinogradConvolution(node));

    private int Steps => FilterProducts.DivideUp(outputs, FilterProducts.Count);

    /// <inheritdoc/>
    public override void Run(OperatorRun run)
    {
        OperatorTensor source = run.Images(0, inputs);
        (int count, int height, int width) = ((int)source.Shape[0], (int)source.Shape[2], (int)source.Shape[3]);
        var plan = new Plan(OutputLength(height), OutputLength(width));
        OperatorTensor target = run.Output(count, outputs, plan.Height, plan.Width);
        float* input = source.Data, output = target.Data;
        nint inputArea = (nint)inputs * height * width, outputArea = (nint)outputs * plan.Height * plan.Width;
        run.Parallel(count * plan.Blocks, step =>
        {
            (int image, int block) = Math.DivRem(step, plan.Blocks);
            Block area = plan.Area(block);
            var memory = new Memory(inputs, area);
            TransformInput(input + (image * inputArea), height, width, area, memory);
            for (int start = 0; start < outputs; start += PassChannels)
            {
                int end = Math.Min(outputs, start + PassChannels);
                Multiply(start, end, area, memory);
                for (int channel = start; channel < end; channel++)
                    TransformOutput(channel, channel - start, output + (image * outputArea), plan, area, memory);
            }
        });
    }

    private int OutputLength(int length) => length - 2 + (2 * border);

    private float[] Transform(ReadOnlySpan<float> weight)
    {
        float[] result = new float[WinogradTransforms.Products * Steps * FilterProducts.Count * inputs];
        Span<float> kernel = stackalloc float[WinogradTransforms.Products];
        for (int output = 0; output < outputs; output++)
            for (int input = 0; input < inputs; input++)
            {
                WinogradTransforms.Kernel(weight.Slice(((output * inputs) + input) * 9, 9), kernel);
                (int step, int place) = Math.DivRem(output, FilterProducts.Count);
                for (int product = 0; product < kernel.Length; product++)
                    result[(((((product * Steps) + step) * inputs) + input) * FilterProducts.Count) + place] = kernel[product];
            }
        return result;
    }

    private void TransformInput(float* image, int height, int width, Block area, Memory memory)
    {
        nint distance = area.Distance(inputs);
        for (int channel = 0; channel < inputs; channel++)
        {
            float* plane = image + ((nint)channel * height * width);
            foreach (Strip strip in area.Strips)
                for (int y = 0; y < WinogradTransforms.InputSide; y++)
                {
                    Span<float> line = memory.Line[..((strip.Tiles + 1) * WinogradTransforms.OutputSide)];
                    PaddedLines.Copy(plane, height, width, strip.Top - border + y, strip.Left - border, padding, line);
                    Split(line, memory.Pixels + (y * WinogradTransforms.InputSide * area.Length) + strip.Place, area.Length, strip.Tiles);
                }
            for (int vector = 0; vector < area.Vectors; vector++)
            {
                (int step, int place) = Math.DivRem(vector, FilterProducts.Vectors);
                float* products = memory.Input + ((((step * inputs) + channel) * FilterProducts.Vectors) + place) * Lanes;
                WinogradTransforms.Input(memory.Pixels + (vector * Lanes), area.Length, products, distance);
            }
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

    private void Multiply(int start, int end, Block area, Memory memory)
    {
        nint inputDistance = area.Distance(inputs), outputDistance = area.Distance(PassChannels);
        int row = area.Length;
        fixed (float* kernel = kernels)
            for (int product = 0; product < WinogradTransforms.Products; product++)
                for (int vector = 0; vector < area.Vectors; vector += FilterProducts.Vectors)
                {
                    float* tiles = memory.Input + (product * inputDistance) + ((nint)vector * inputs * Lanes);
                    float* result = memory.Output + (product * outputDistance) + (vector * Lanes);
                    for (int channel = start; channel < end; channel += FilterProducts.Count)
                    {
                        nint step = ((nint)product * Steps) + (channel / FilterProducts.Count);
                        FilterProducts.Compute(kernel + (step * inputs * FilterProducts.Count), tiles, (inputs, 1, 1),
                            FilterProducts.Positions, 0, result + ((channel - start) * row), row);
                    }
                }
    }

    private void TransformOutput(int channel, int place, float* image, Plan plan, Block area, Memory memory)
    {
        int side = WinogradTransforms.OutputSide;
        for (int vector = 0; vector < area.Vectors; vector++)
            WinogradTransforms.Output(memory.Output + (((place * area.Vectors) + vector) * Lanes), area.Distance(PassChannels),
                memory.Pixels + (vector * Lanes), area.Length, bias[channel], least);
        foreach (Strip strip in area.Strips)
        {
            int width = Math.Min(strip.Tiles * side, plan.Width - strip.Left);
            for (int y = 0; y < Math.Min(side, plan.Height - strip.Top); y++)
                Join(memory.Pixels + (y * side * area.Length) + strip.Place, area.Length,
                    new Span<float>(image + ((((nint)channel * plan.Height) + strip.Top + y) * plan.Width) + strip.Left, width));
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

    /// <summary>Division of an output into blocks of tiles, which follow each other row by row.</summary>
    private sealed class Plan
    {
        private readonly int columns, tiles, blockTiles;

        public Plan(int height, int width)
        {
            (Height, Width) = (height, width);
            columns = FilterProducts.DivideUp(width, WinogradTransforms.OutputSide);
            tiles = columns * FilterProducts.DivideUp(height, WinogradTransforms.OutputSide);
            int even = FilterProducts.DivideUp(tiles, FilterProducts.DivideUp(tiles, BlockTiles));
            blockTiles = FilterProducts.DivideUp(even, FilterProducts.Positions) * FilterProducts.Positions;
        }

        public int Height { get; }

        public int Width { get; }

        public int Blocks => FilterProducts.DivideUp(tiles, blockTiles);

        public Block Area(int number)
        {
            int first = number * blockTiles, count = Math.Min(blockTiles, tiles - first);
            return new(count, [.. Strips(first, count)]);
        }

        private IEnumerable<Strip> Strips(int first, int count)
        {
            for (int place = 0, length; place < count; place += length)
            {
                (int row, int column) = Math.DivRem(first + place, columns);
                length = Math.Min(columns - column, count - place);
                yield return new(row * WinogradTransforms.OutputSide, column * WinogradTransforms.OutputSide, place, length);
            }
        }
    }

    /// <summary>Tiles that are computed together.</summary>
    private readonly record struct Block(int Tiles, Strip[] Strips)
    {
        /// <summary>Number of vectors, filled up to whole steps.</summary>
        public int Vectors => FilterProducts.DivideUp(Tiles, FilterProducts.Positions) * FilterProducts.Vectors;

        /// <summary>Number of tiles in all vectors.</summary>
        public int Length => Vectors * Lanes;

        /// <summary>Distance of the products in memory.</summary>
        public nint Distance(int channels) => ((nint)channels * Length) + Stagger;
    }

    /// <summary>Tiles of a block side by side.</summary>
    /// <param name="Top">First row of their output.</param>
    /// <param name="Left">First column of their output.</param>
    /// <param name="Place">Place of the first in the block.</param>
    /// <param name="Tiles">Their number.</param>
    private readonly record struct Strip(int Top, int Left, int Place, int Tiles);

    /// <summary>Memory of a block.</summary>
    private readonly ref struct Memory
    {
        /// <summary>Transformed tiles [36, steps, inputs, 2 vectors].</summary>
        public readonly float* Input;

        /// <summary>Products [36, 64 channels, vectors].</summary>
        public readonly float* Output;

        /// <summary>Pixels of the tiles [6, 6, tiles].</summary>
        public readonly float* Pixels;

        /// <summary>Pixels of a line.</summary>
        public readonly Span<float> Line;

        public Memory(int inputs, Block area)
        {
            nint input = WinogradTransforms.Products * area.Distance(inputs),
                output = WinogradTransforms.Products * area.Distance(PassChannels),
                pixels = WinogradTransforms.Products * area.Length;
            int line = (area.Tiles + 1) * WinogradTransforms.OutputSide;
            Input = ThreadMemory.Get((nuint)(input + output + pixels + line));
            Output = Input + input;
            Pixels = Output + output;
            Line = new(Pixels + pixels, line);
        }
    }
}
