using System.Runtime.CompilerServices;

namespace Tinctor.Torch.SelfTest;

/// <summary>Operands of a convolution, in the order of their tensors' memory.</summary>
/// <param name="Input">Input.</param>
/// <param name="Weight">Weight.</param>
/// <param name="Bias">Bias.</param>
/// <param name="OutputGradient">Gradient of the output.</param>
internal sealed record ConvolutionOperands(float[] Input, float[] Weight, float[] Bias, float[] OutputGradient)
{
    /// <summary>Creates normal random numbers that bfloat16 represents exactly; always the same for a case.</summary>
    public static ConvolutionOperands Create(ConvolutionCase shape)
    {
        var random = new Random(shape.Kernel + (100 * shape.Inputs) + (10_000 * shape.Outputs));
        return new(Values(shape.InputShape), Values(shape.WeightShape), Values([shape.Outputs]), Values(shape.OutputShape));

        float[] Values(long[] sizes)
        {
            float[] values = new float[sizes.Aggregate(1L, (product, size) => product * size)];
            for (int i = 0; i < values.Length; i++) values[i] = Round(Normal());
            return values;
        }

        // Box and Muller.
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }

    // Keeps the upper 16 bits.
    private static float Round(double value) => BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits((float)value) & 0xFFFF0000);
}

/// <summary>Results of a convolution and its backward pass, in the order of their tensors' memory.</summary>
/// <param name="Output">Output.</param>
/// <param name="InputGradient">Gradient of the input.</param>
/// <param name="WeightGradient">Gradient of the weight.</param>
/// <param name="BiasGradient">Gradient of the bias.</param>
internal sealed record ConvolutionResults(double[] Output, double[] InputGradient, double[] WeightGradient, double[] BiasGradient)
{
    /// <summary>Computes the results in double precision from the definition of the convolution.</summary>
    public static ConvolutionResults Compute(ConvolutionCase shape, ConvolutionOperands operands)
    {
        int outputSize = shape.OutputHeight * shape.OutputWidth;
        var results = new ConvolutionResults(new double[operands.OutputGradient.Length], new double[operands.Input.Length],
            new double[operands.Weight.Length], new double[operands.Bias.Length]);
        for (int i = 0; i < results.Output.Length; i++)
        {
            int channel = i / outputSize % shape.Outputs;
            results.Output[i] = operands.Bias[channel];
            results.BiasGradient[channel] += operands.OutputGradient[i];
        }
        int inputsOfGroup = shape.Inputs / shape.Groups, outputsOfGroup = shape.Outputs / shape.Groups;
        for (int image = 0; image < ConvolutionCase.Images; image++)
            for (int input = 0; input < shape.Inputs; input++)
                for (int output = 0; output < outputsOfGroup; output++)
                {
                    int group = input / inputsOfGroup, target = (group * outputsOfGroup) + output;
                    int kernel = shape.IsTransposed ? (input * outputsOfGroup) + output
                        : (target * inputsOfGroup) + (input % inputsOfGroup);
                    results.Add(shape, operands, (image * shape.Inputs) + input, (image * shape.Outputs) + target, kernel);
                }
        return results;
    }

    // Adds the part of one input plane and one output plane, which one plane of the weight connects. Optimised at the first call: most
    // processes run it only once.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Add(ConvolutionCase shape, ConvolutionOperands operands, int inputPlane, int outputPlane, int kernelPlane)
    {
        for (int ky = 0; ky < shape.KernelHeight; ky++)
            for (int kx = 0; kx < shape.Kernel; kx++)
            {
                int k = (((kernelPlane * shape.KernelHeight) + ky) * shape.Kernel) + kx;
                double weight = operands.Weight[k], gradient = 0;
                // A transposed convolution exchanges the roles: each input position spreads over a window of the output.
                (int rows, int columns) = shape.IsTransposed ? (shape.InputHeight, shape.InputWidth)
                    : (shape.OutputHeight, shape.OutputWidth);
                for (int y = 0; y < rows; y++)
                    for (int x = 0; x < columns; x++)
                    {
                        int wideY = (y * shape.Stride) + (ky * shape.Dilation) - (shape.InputHeight == 1 ? 0 : shape.Padding);
                        int wideX = (x * shape.Stride) + (kx * shape.Dilation) - shape.Padding;
                        (int inY, int inX, int outY, int outX) = shape.IsTransposed ? (y, x, wideY, wideX) : (wideY, wideX, y, x);
                        if (inY < 0 || inY >= shape.InputHeight || inX < 0 || inX >= shape.InputWidth
                            || outY < 0 || outY >= shape.OutputHeight || outX < 0 || outX >= shape.OutputWidth)
                            continue;
                        int i = (((inputPlane * shape.InputHeight) + inY) * shape.InputWidth) + inX;
                        int o = (((outputPlane * shape.OutputHeight) + outY) * shape.OutputWidth) + outX;
                        Output[o] += operands.Input[i] * weight;
                        InputGradient[i] += operands.OutputGradient[o] * weight;
                        gradient += (double)operands.Input[i] * operands.OutputGradient[o];
                    }
                WeightGradient[k] += gradient;
            }
    }
}
