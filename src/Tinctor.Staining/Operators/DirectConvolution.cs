using System.Numerics;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Convolution with stride 1, or transposed convolution, in float32. It is for those that ONNX Runtime computes slowly: with three
/// channels as input or output, and the transposed ones. A block of the input is copied with its border, so that it stays in the cache,
/// and eight filters read it at once.
/// </summary>
internal sealed unsafe class DirectConvolution : Operator
{
    // Numbers of the input in a block, for the second-level cache, and columns of a block.
    private const int BlockSize = 96 << 10, BlockColumns = 128;

    private readonly FilterGroup[][] groups; // those of a row compute neighbouring columns of the same channels
    private readonly float[] bias;
    private readonly Window window;
    private readonly int inputs;
    private readonly ConvolutionPadding padding;
    private readonly float least;
    private readonly int step; // positions that are computed together

    private DirectConvolution(FilterGroup[][] groups, Window window, int inputs, float[] bias, OperatorNode node)
    {
        (this.groups, this.window, this.inputs, this.bias) = (groups, window, inputs, bias);
        padding = (ConvolutionPadding)node.Integer("padding");
        least = node.LeastOutput;
        step = groups[0][0].IsThree ? FilterProducts.ThreePositions : FilterProducts.Positions;
    }

    /// <summary>
    /// Convolution. Inputs: x [N, C, H, W], constant weight [K, C, h, w] and constant bias [K]. Attributes: top, left, bottom and right,
    /// numbers of pixels around the input; padding, a <see cref="ConvolutionPadding"/>; relu, 0 or 1.
    /// </summary>
    public static OperatorType Type { get; } = new("DirectConvolution", 3, CreateConvolution);

    /// <summary>
    /// Transposed convolution. Inputs: x [N, C, H, W], constant weight [C, K, k, k] and constant bias [K]. Attributes: stride, border and
    /// extra, its padding and output padding; padding, 0; relu, 0 or 1.
    /// </summary>
    public static OperatorType TransposedType { get; } = new("DirectTransposedConvolution", 3, CreateTransposed);

    /// <inheritdoc/>
    public override void Run(OperatorRun run)
    {
        OperatorTensor source = run.Images(0, inputs);
        (int count, int height, int width) = ((int)source.Shape[0], (int)source.Shape[2], (int)source.Shape[3]);
        (int outHeight, int outWidth) = (window.OutputLength(height, vertical: true), window.OutputLength(width, vertical: false));
        OperatorTensor target = run.Output(count, bias.Length, outHeight, outWidth);
        float* input = source.Data, output = target.Data;
        int rows = FilterProducts.DivideUp(outHeight, window.OutputRows), columns = FilterProducts.DivideUp(outWidth, window.OutputColumns);
        int blockColumns = Math.Min(BlockColumns, FilterProducts.DivideUp(columns, step) * step);
        int lines = BlockSize / inputs / (blockColumns + window.Columns);
        int blockRows = Math.Clamp((lines - window.Rows) / window.StepRows, 1, rows);
        int blocksX = FilterProducts.DivideUp(columns, blockColumns), blocks = FilterProducts.DivideUp(rows, blockRows) * blocksX;
        run.Parallel(count * blocks, number =>
        {
            (int image, int block) = Math.DivRem(number, blocks);
            (int y, int x) = Math.DivRem(block, blocksX);
            var area = new Area(y * blockRows, x * blockColumns, Math.Min(blockRows, rows - (y * blockRows)),
                Math.Min(blockColumns, columns - (x * blockColumns)));
            float* copy = Copy(input + ((nint)image * inputs * height * width), height, width, area);
            float* result = output + ((nint)image * bias.Length * outHeight * outWidth);
            foreach (FilterGroup[] row in groups) Run(row, copy, area, result, outHeight, outWidth);
        });
    }

    private static DirectConvolution CreateConvolution(OperatorNode node)
    {
        OperatorTensor weight = node.Constant(1);
        FilterGroup[][] groups = FilterGroup.OfConvolution(weight.Values.ToArray(), weight.Shape, out int rows);
        int top = (int)node.Integer("top"), left = (int)node.Integer("left"), bottom = (int)node.Integer("bottom"),
            right = (int)node.Integer("right");
        int tapRows = (int)weight.Shape[2], tapColumns = (int)weight.Shape[3];
        var window = new Window(top, left, tapRows + rows - 1, tapColumns, rows, rows, 1,
            Vertical: (1, top + bottom - tapRows + 1), Horizontal: (1, left + right - tapColumns + 1));
        return new(groups, window, (int)weight.Shape[1], node.Constant(2).Values.ToArray(), node);
    }

    private static DirectConvolution CreateTransposed(OperatorNode node)
    {
        OperatorTensor weight = node.Constant(1);
        (int stride, int border) = ((int)node.Integer("stride"), (int)node.Integer("border"));
        FilterGroup[][] groups = FilterGroup.OfTransposed(weight.Values.ToArray(), weight.Shape, stride, border, out int before,
            out int length);
        (int, int) size = (stride, (int)weight.Shape[2] + (int)node.Integer("extra") - stride - (2 * border));
        var window = new Window(before, before, length, length, 1, stride, stride, size, size);
        return new(groups, window, (int)weight.Shape[0], node.Constant(2).Values.ToArray(), node);
    }

    // Length of a copied line: the last step reads whole vectors.
    private int LineLength(Area area) => (FilterProducts.DivideUp(area.Columns, step) * step) + window.Columns - 1;

    private int Lines(Area area) => ((area.Rows - 1) * window.StepRows) + window.Rows;

    private float* Copy(float* image, int height, int width, Area area)
    {
        (int length, int lines) = (LineLength(area), Lines(area));
        float* copy = ThreadMemory.Get((nuint)inputs * (nuint)(lines * length));
        for (int channel = 0; channel < inputs; channel++)
            for (int line = 0; line < lines; line++)
                PaddedLines.Copy(image + ((nint)channel * height * width), height, width, (area.Row * window.StepRows) - window.Top + line,
                    area.Column - window.Left, padding, new(copy + ((((nint)channel * lines) + line) * length), length));
        return copy;
    }

    private void Run(FilterGroup[] groups, float* copy, Area area, float* output, int height, int width)
    {
        (int length, int lines) = (LineLength(area), Lines(area));
        int columns = window.OutputColumns, filters = groups[0].Places.Length;
        float* results = stackalloc float[columns * FilterProducts.Count * step];
        float* joined = stackalloc float[columns * step];
        float** targets = stackalloc float*[FilterProducts.Count];
        for (int row = 0; row < area.Rows; row++)
        {
            for (int i = 0; i < filters; i++)
                targets[i] = Line(groups[0].Places[i], (area.Row + row) * window.OutputRows, output, height, width);
            for (int column = 0; column < area.Columns; column += step)
            {
                for (int i = 0; i < columns; i++)
                {
                    FilterGroup group = groups[i];
                    float* corner = copy + (((row * window.StepRows) + group.Top) * length) + group.Left + column;
                    group.Compute(corner, inputs, lines * length, length, results + (i * FilterProducts.Count * step), step);
                }
                int x = (area.Column + column) * columns, count = Math.Min(Math.Min(step, area.Columns - column) * columns, width - x);
                for (int i = 0; i < filters; i++)
                    if (targets[i] is not null)
                        Store(results + (i * step), joined, count, bias[groups[0].Places[i].Channel], targets[i] + x);
            }
        }
    }

    // Line of the output; null below the image.
    private static float* Line(FilterPlace place, int top, float* output, int height, int width) => top + place.Row is var y && y < height
        ? output + ((((nint)place.Channel * height) + y) * width) : null;

    // Joins the results of a filter in neighbouring columns.
    private void Store(float* values, float* joined, int count, float offset, float* line)
    {
        Vector<float> bias = new(offset), least = new(this.least);
        int columns = window.OutputColumns, distance = FilterProducts.Count * step;
        bool isWhole = count == columns * step;
        float* result = isWhole ? line : joined;
        for (int i = 0; i < columns; i++)
            for (int place = i * distance; place < (i * distance) + step; place += Vector<float>.Count)
                Vector.Max(Vector.Load(values + place) + bias, least).Store(columns == 1 ? result + place : values + place);
        if (columns > 1) Interleaving.Join(values, distance, columns, step, result);
        if (!isWhole) new ReadOnlySpan<float>(joined, count).CopyTo(new(line, count));
    }

    /// <summary>Part of the positions.</summary>
    private readonly record struct Area(int Row, int Column, int Rows, int Columns);

    /// <summary>
    /// Pixels that the filters read at a position, and the pixels of the output that belong to it. A position is <c>StepRows</c> rows of
    /// the input below the one above.
    /// </summary>
    private sealed record Window(int Top, int Left, int Rows, int Columns, int StepRows, int OutputRows, int OutputColumns,
        (int Factor, int Offset) Vertical, (int Factor, int Offset) Horizontal)
    {
        public int OutputLength(int length, bool vertical) =>
            vertical ? (length * Vertical.Factor) + Vertical.Offset : (length * Horizontal.Factor) + Horizontal.Offset;
    }
}
