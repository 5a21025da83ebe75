using System.Numerics;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Convolution in float32 by an algorithm of Winograd. A block of tiles is transformed, multiplied by the transformed kernels and
/// transformed back while it is in the cache. Planes are the channels, or parts of them with every second pixel.
/// </summary>
internal abstract unsafe class TileConvolution : Operator
{
    // Planes of the output in one pass over a block.
    private const int PassPlanes = 64;

    private readonly WinogradScheme scheme;
    private readonly int channels, inputs, outputs;
    private readonly float[] kernels; // [products, outputs / 8, inputs, 8]

    /// <summary>Creates the operator and transforms its kernels, or gets those of the same weights.</summary>
    /// <param name="node">The node; its second input has the weights, its third the bias.</param>
    /// <param name="scheme">Sizes of the tiles.</param>
    /// <param name="channels">Number of channels of the input.</param>
    /// <param name="inputs">Number of planes of the input.</param>
    /// <param name="outputs">Number of planes of the output.</param>
    /// <param name="transform">Transforms a kernel.</param>
    protected TileConvolution(
        OperatorNode node, WinogradScheme scheme, int channels, int inputs, int outputs, KernelTransform transform)
    {
        (this.scheme, this.channels, this.inputs, this.outputs) = (scheme, channels, inputs, outputs);
        Bias = node.Constant(2).Values.ToArray();
        Padding = (ConvolutionPadding)node.Integer("padding");
        Least = node.LeastOutput;
        kernels = SharedKernels.Get(node.Constant(1).Values, $"{GetType().Name}:{inputs}", weights => Transform(weights, transform));
    }

    /// <summary>Transforms the kernel from a plane of the input to a plane of the output.</summary>
    /// <param name="weights">Weights of the node.</param>
    /// <param name="output">Plane of the output.</param>
    /// <param name="input">Plane of the input.</param>
    /// <param name="kernel">Receives the transformed kernel.</param>
    protected delegate void KernelTransform(ReadOnlySpan<float> weights, int output, int input, Span<float> kernel);

    /// <summary>Number of floats in a vector.</summary>
    protected static int Lanes => Vector<float>.Count;

    /// <summary>Bias of each channel of the output.</summary>
    protected float[] Bias { get; }

    /// <summary>Values around the input.</summary>
    protected ConvolutionPadding Padding { get; }

    /// <summary>Least value of a pixel: 0 for a ReLU, else minus infinity.</summary>
    protected float Least { get; }

    private int Steps => FilterProducts.DivideUp(outputs, FilterProducts.Count);

    /// <inheritdoc/>
    public override void Run(OperatorRun run)
    {
        OperatorTensor source = run.Images(0, channels);
        (int count, int height, int width) = ((int)source.Shape[0], (int)source.Shape[2], (int)source.Shape[3]);
        (int outHeight, int outWidth) = OutputSize(height, width);
        TilePlan plan = Plan(outHeight, outWidth);
        OperatorTensor target = run.Output(count, Bias.Length, outHeight, outWidth);
        var input = new Images((nint)source.Data, height, width, (nint)channels * height * width);
        var output = new Images((nint)target.Data, outHeight, outWidth, (nint)Bias.Length * outHeight * outWidth);
        // Where there are fewer blocks than processors, several share the planes of one.
        int passes = FilterProducts.DivideUp(outputs, PassPlanes), blocks = count * plan.Blocks;
        int parts = Math.Clamp(Environment.ProcessorCount / blocks, 1, passes);
        run.Parallel(blocks * parts, step =>
        {
            (int blockOfBatch, int part) = Math.DivRem(step, parts);
            (int image, int number) = Math.DivRem(blockOfBatch, plan.Blocks);
            TileBlock block = plan.Block(number);
            var memory = new Memory(scheme, inputs, block);
            TransformInput(input.At(image), block, memory);
            for (int pass = part * passes / parts; pass < (part + 1) * passes / parts; pass++)
                Compute(pass * PassPlanes, Math.Min(outputs, (pass + 1) * PassPlanes), output.At(image), block, memory);
        });
    }

    /// <summary>Computes the size of the output.</summary>
    protected abstract (int Height, int Width) OutputSize(int height, int width);

    /// <summary>Divides an output of a size into tiles.</summary>
    protected virtual TilePlan Plan(int height, int width) => new(height, width, scheme.OutputSide);

    /// <summary>Transforms the tiles of all planes into <see cref="Memory.Input"/>, by <see cref="Products"/>.</summary>
    protected abstract void TransformInput(Images image, TileBlock block, Memory memory);

    /// <summary>Transforms a plane of <see cref="Memory.Output"/> and writes it.</summary>
    /// <param name="plane">The plane.</param>
    /// <param name="place">Its place in the memory.</param>
    /// <param name="image">The image to write to.</param>
    /// <param name="block">The tiles.</param>
    /// <param name="memory">Memory of the block.</param>
    protected abstract void TransformOutput(int plane, int place, Images image, TileBlock block, Memory memory);

    /// <summary>
    /// Gets the memory of a vector of transformed tiles, whose products follow at <see cref="TileBlock.Distance"/> of all inputs.
    /// </summary>
    protected float* Products(Memory memory, int plane, int vector)
    {
        (int step, int place) = Math.DivRem(vector, FilterProducts.Vectors);
        return memory.Input + (((((nint)step * inputs) + plane) * FilterProducts.Vectors) + place) * Lanes;
    }

    /// <summary>Gets the memory of a vector of products of a plane, which follow at a distance.</summary>
    protected static float* Results(Memory memory, TileBlock block, int place, int vector, out nint distance)
    {
        distance = block.Distance(PassPlanes);
        return memory.Output + (((place * block.Vectors) + vector) * Lanes);
    }

    private void Compute(int start, int end, Images image, TileBlock block, Memory memory)
    {
        Multiply(start, end, block, memory);
        for (int plane = start; plane < end; plane++) TransformOutput(plane, plane - start, image, block, memory);
    }

    private float[] Transform(ReadOnlySpan<float> weights, KernelTransform transform)
    {
        int products = scheme.Products;
        float[] result = new float[products * Steps * FilterProducts.Count * inputs];
        Span<float> kernel = stackalloc float[products];
        for (int output = 0; output < outputs; output++)
            for (int input = 0; input < inputs; input++)
            {
                transform(weights, output, input, kernel);
                (int step, int place) = Math.DivRem(output, FilterProducts.Count);
                for (int product = 0; product < products; product++)
                    result[(((((product * Steps) + step) * inputs) + input) * FilterProducts.Count) + place] = kernel[product];
            }
        return result;
    }

    private void Multiply(int start, int end, TileBlock block, Memory memory)
    {
        nint inputDistance = block.Distance(inputs), outputDistance = block.Distance(PassPlanes);
        int row = block.Length;
        fixed (float* kernel = kernels)
            for (int product = 0; product < scheme.Products; product++)
                for (int vector = 0; vector < block.Vectors; vector += FilterProducts.Vectors)
                {
                    float* tiles = memory.Input + (product * inputDistance) + ((nint)vector * inputs * Lanes);
                    float* result = memory.Output + (product * outputDistance) + (vector * Lanes);
                    for (int plane = start; plane < end; plane += FilterProducts.Count)
                    {
                        nint step = ((nint)product * Steps) + (plane / FilterProducts.Count);
                        FilterProducts.Compute(kernel + (step * inputs * FilterProducts.Count), tiles, (inputs, 1, 1),
                            FilterProducts.Positions, 0, result + ((plane - start) * row), row);
                    }
                }
    }

    /// <summary>Images of a batch.</summary>
    /// <param name="Data">The first one, [channels, height, width].</param>
    /// <param name="Height">Height.</param>
    /// <param name="Width">Width.</param>
    /// <param name="Length">Distance of the images.</param>
    protected readonly record struct Images(nint Data, int Height, int Width, nint Length)
    {
        /// <summary>Gets an image as the first.</summary>
        public Images At(int image) => this with { Data = Data + (image * Length * sizeof(float)) };

        /// <summary>Gets a channel.</summary>
        public float* Channel(int channel) => (float*)Data + ((nint)channel * Height * Width);
    }

    /// <summary>Memory of a block.</summary>
    protected readonly struct Memory
    {
        /// <summary>Transformed tiles [products, steps, inputs, 2 vectors].</summary>
        public readonly float* Input;

        /// <summary>Products [products, 64 planes, vectors].</summary>
        public readonly float* Output;

        /// <summary>Pixels of the tiles [pixels, tiles].</summary>
        public readonly float* Pixels;

        /// <summary>Sixteen numbers for each tile, and for one more.</summary>
        public readonly float* Line;

        private const int LinePixels = 16;

        /// <summary>Gets the memory of this thread.</summary>
        public Memory(WinogradScheme scheme, int inputs, TileBlock block)
        {
            nint input = scheme.Products * block.Distance(inputs), output = scheme.Products * block.Distance(PassPlanes),
                pixels = (nint)scheme.Pixels * block.Length;
            Input = ThreadMemory.Get((nuint)(input + output + pixels + (LinePixels * (block.Tiles + 1))));
            Output = Input + input;
            Pixels = Output + output;
            Line = Pixels + pixels;
        }
    }
}

/// <summary>Sizes of an algorithm of Winograd.</summary>
/// <param name="OutputSide">Side of a tile of the output.</param>
/// <param name="Products">Number of products of a tile.</param>
/// <param name="Pixels">Number of pixels of a tile that are kept while it is transformed.</param>
internal sealed record WinogradScheme(int OutputSide, int Products, int Pixels);
