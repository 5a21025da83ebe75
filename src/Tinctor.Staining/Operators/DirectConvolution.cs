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

    private static readonly int Step = FilterProducts.Positions;

    private readonly FilterGroup[] groups;
    private readonly float[] bias;
    private readonly Window window;
    private readonly int inputs;
    private readonly ConvolutionPadding padding;
    private readonly float least;

    private DirectConvolution(FilterGroup[] groups, Window window, int inputs, float[] bias, OperatorNode node)
    {
        (this.groups, this.window, this.inputs, this.bias) = (groups, window, inputs, bias);
        padding = (ConvolutionPadding)node.Integer("padding");
        least = node.LeastOutput;
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
        int blockColumns = Math.Min(BlockColumns, FilterProducts.DivideUp(columns, Step) * Step);
        int lines = BlockSize / inputs / (blockColumns + window.Columns);
        int blockRows = Math.Clamp((lines - window.Rows) / window.StepRows, 1, rows);
        int blocksX = FilterProducts.DivideUp(columns, blockColumns), blocks = FilterProducts.DivideUp(rows, blockRows) * blocksX;
        run.Parallel(count * blocks, step =>
        {
            (int image, int block) = Math.DivRem(step, blocks);
            (int y, int x) = Math.DivRem(block, blocksX);
            var area = new Area(y * blockRows, x * blockColumns, Math.Min(blockRows, rows - (y * blockRows)),
                Math.Min(blockColumns, columns - (x * blockColumns)));
            float* copy = Copy(input + ((nint)image * inputs * height * width), height, width, area);
            float* result = output + ((nint)image * bias.Length * outHeight * outWidth);
            foreach (FilterGroup group in groups) Run(group, copy, area, result, outHeight, outWidth);
        });
    }

    private static DirectConvolution CreateConvolution(OperatorNode node)
    {
        OperatorTensor weight = node.Constant(1);
        FilterGroup[] groups = FilterGroup.OfConvolution(weight.Values.ToArray(), weight.Shape, out int rows);
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
        FilterGroup[] groups = FilterGroup.OfTransposed(weight.Values.ToArray(), weight.Shape, stride, border, out int before,
            out int length);
        (int, int) size = (stride, (int)weight.Shape[2] + (int)node.Integer("extra") - stride - (2 * border));
        var window = new Window(before, before, length, length, 1, stride, stride, size, size);
        return new(groups, window, (int)weight.Shape[0], node.Constant(2).Values.ToArray(), node);
    }

    // Length of a copied line: the last step reads whole vectors.
    private int LineLength(Area area) => (FilterProducts.DivideUp(area.Columns, Step) * Step) + window.Columns - 1;

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

    private void Run(FilterGroup group, float* copy, Area area, float* output, int height, int width)
    {
        (int length, int lines) = (LineLength(area), Lines(area));
        float* results = stackalloc float[FilterProducts.Count * Step];
        fixed (float* weights = group.Weights)
            for (int row = 0; row < area.Rows; row++)
                for (int column = 0; column < area.Columns; column += Step)
                {
                    float* corner = copy + (((row * window.StepRows) + group.Top) * length) + group.Left + column;
                    FilterProducts.Compute(weights, corner, (inputs, group.Rows, group.Columns), lines * length, length, results, Step);
                    for (int i = 0; i < group.Places.Length; i++)
                    {
                        FilterPlace place = group.Places[i];
                        int y = ((area.Row + row) * window.OutputRows) + place.Row;
                        int x = ((area.Column + column) * window.OutputColumns) + place.Column;
                        if (y >= height || x >= width) continue;
                        int inside = FilterProducts.DivideUp(width - x, window.OutputColumns);
                        int count = Math.Min(Math.Min(Step, area.Columns - column), inside);
                        float* line = output + ((((nint)place.Channel * height) + y) * width);
                        Store(results + (i * Step), count, bias[place.Channel], line + x);
                    }
                }
    }

    private void Store(float* values, int count, float offset, float* line)
    {
        for (int i = 0; i < Step; i += Vector<float>.Count)
            Vector.Max(Vector.Load(values + i) + new Vector<float>(offset), new Vector<float>(least)).Store(values + i);
        int step = window.OutputColumns;
        if (step == 1) new ReadOnlySpan<float>(values, count).CopyTo(new(line, count));
        else
            for (int i = 0; i < count; i++) line[i * step] = values[i];
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
