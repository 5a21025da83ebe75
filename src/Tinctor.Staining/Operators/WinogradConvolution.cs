using System.Numerics;

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
        kernels = Transform(weight.Values);
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
        int part = (area.Vectors + 1) * Lanes, left = (area.Column * WinogradTransforms.OutputSide) - border;
        nint distance = area.Distance(inputs);
        for (int channel = 0; channel < inputs; channel++)
            for (int row = 0; row < area.Rows; row++)
            {
                int top = ((area.Row + row) * WinogradTransforms.OutputSide) - border;
                for (int y = 0; y < WinogradTransforms.InputSide; y++)
                {
                    Span<float> line = memory.Line;
                    PaddedLines.Copy(image + ((nint)channel * height * width), height, width, top + y, left, padding, line);
                    Split(line, memory.Rows + (y * WinogradTransforms.OutputSide * part), part, area.Columns);
                }
                for (int vector = 0; vector < area.Vectors; vector++)
                {
                    (int step, int place) = Math.DivRem((row * area.Vectors) + vector, FilterProducts.Vectors);
                    float* products = memory.Input + ((((step * inputs) + channel) * FilterProducts.Vectors) + place) * Lanes;
                    WinogradTransforms.Input(memory.Rows + (vector * Lanes), part, products, distance);
                }
            }
    }

    private static void Split(ReadOnlySpan<float> line, float* parts, int part, int tiles)
    {
        for (int tile = 0; tile < tiles; tile++)
        {
            ReadOnlySpan<float> pixels = line.Slice(tile * 4, 4);
            parts[tile] = pixels[0];
            parts[part + tile] = pixels[1];
            parts[(2 * part) + tile] = pixels[2];
            parts[(3 * part) + tile] = pixels[3];
        }
        parts[tiles] = line[tiles * 4];
        parts[part + tiles] = line[(tiles * 4) + 1];
    }

    private void Multiply(int start, int end, Block area, Memory memory)
    {
        nint inputDistance = area.Distance(inputs), outputDistance = area.Distance(PassChannels);
        int row = area.AllVectors * Lanes;
        fixed (float* kernel = kernels)
            for (int product = 0; product < WinogradTransforms.Products; product++)
                for (int vector = 0; vector < area.AllVectors; vector += FilterProducts.Vectors)
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
        int part = area.Vectors * Lanes, side = WinogradTransforms.OutputSide;
        for (int row = 0; row < area.Rows; row++)
        {
            for (int vector = 0; vector < area.Vectors; vector++)
                WinogradTransforms.Output(memory.Output + (((place * area.AllVectors) + (row * area.Vectors) + vector) * Lanes),
                    area.Distance(PassChannels), memory.Rows + (vector * Lanes), part, bias[channel], least);
            int top = (area.Row + row) * side, left = area.Column * side;
            int width = Math.Min(area.Columns * side, plan.Width - left);
            for (int y = 0; y < Math.Min(side, plan.Height - top); y++)
                Join(memory.Rows + (y * side * part), part,
                    new Span<float>(image + ((((nint)channel * plan.Height) + top + y) * plan.Width) + left, width));
        }
    }

    private static void Join(float* parts, int part, Span<float> line)
    {
        Span<float> whole = line[..(line.Length & ~3)];
        for (int x = 0, tile = 0; x < whole.Length; x += 4, tile++)
        {
            Span<float> pixels = whole.Slice(x, 4);
            pixels[0] = parts[tile];
            pixels[1] = parts[part + tile];
            pixels[2] = parts[(2 * part) + tile];
            pixels[3] = parts[(3 * part) + tile];
        }
        for (int x = whole.Length; x < line.Length; x++) line[x] = parts[((x % 4) * part) + (x / 4)];
    }

    /// <summary>Division of an output into blocks of tiles.</summary>
    private sealed class Plan
    {
        private readonly int rows, columns, blockRows, blockColumns;

        public Plan(int height, int width)
        {
            (Height, Width) = (height, width);
            rows = FilterProducts.DivideUp(height, WinogradTransforms.OutputSide);
            columns = FilterProducts.DivideUp(width, WinogradTransforms.OutputSide);
            blockColumns = FilterProducts.DivideUp(columns, FilterProducts.DivideUp(columns, BlockTiles));
            blockRows = Math.Min(rows, Math.Max(1, BlockTiles / blockColumns));
        }

        public int Height { get; }

        public int Width { get; }

        public int Blocks => FilterProducts.DivideUp(rows, blockRows) * FilterProducts.DivideUp(columns, blockColumns);

        public Block Area(int number)
        {
            (int y, int x) = Math.DivRem(number, FilterProducts.DivideUp(columns, blockColumns));
            (int row, int column) = (y * blockRows, x * blockColumns);
            return new(row, column, Math.Min(blockRows, rows - row), Math.Min(blockColumns, columns - column));
        }
    }

    /// <summary>Tiles that are computed together.</summary>
    private readonly record struct Block(int Row, int Column, int Rows, int Columns)
    {
        /// <summary>Vectors of a row of tiles.</summary>
        public int Vectors => FilterProducts.DivideUp(Columns, Lanes);

        /// <summary>Vectors of all rows, filled up to whole steps.</summary>
        public int AllVectors => FilterProducts.DivideUp(Rows * Vectors, FilterProducts.Vectors) * FilterProducts.Vectors;

        /// <summary>Distance of the products in memory.</summary>
        public nint Distance(int channels) => ((nint)channels * AllVectors * Lanes) + Stagger;
    }

    /// <summary>Memory of a block.</summary>
    private readonly ref struct Memory
    {
        /// <summary>Transformed tiles [36, steps, inputs, 2 vectors].</summary>
        public readonly float* Input;

        /// <summary>Products [36, 64 channels, vectors].</summary>
        public readonly float* Output;

        /// <summary>Lines of a row of tiles, by pixels of the tiles.</summary>
        public readonly float* Rows;

        /// <summary>Pixels of a line.</summary>
        public readonly Span<float> Line;

        public Memory(int inputs, Block area)
        {
            nint input = WinogradTransforms.Products * area.Distance(inputs),
                output = WinogradTransforms.Products * area.Distance(PassChannels),
                rows = WinogradTransforms.Products * (area.Vectors + 1) * Lanes;
            int line = (area.Columns * WinogradTransforms.OutputSide) + 2;
            Input = ThreadMemory.Get((nuint)(input + output + rows + line));
            Output = Input + input;
            Rows = Output + output;
            Line = new(Rows + rows, line);
        }
    }
}
