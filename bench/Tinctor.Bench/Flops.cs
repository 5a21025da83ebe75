namespace Tinctor.Bench;

/// <summary>Floating-point operations of the convolutions; a multiply-add counts as two.</summary>
internal static class Flops
{
    /// <summary>One forward pass of ResNet-9 with ngf 64 on a square image.</summary>
    public static double Generator(double size)
    {
        double half = size / 2, quarter = size / 4;
        return Conv(3, 64, 7, size) + Conv(64, 128, 3, half) + Conv(128, 256, 3, quarter)
            + 18 * Conv(256, 256, 3, quarter)
            // A transposed convolution multiplies every input pixel by the whole kernel.
            + Conv(256, 128, 3, quarter) + Conv(128, 64, 3, half) + Conv(64, 3, 7, size);
    }

    /// <summary>One forward pass of PatchGAN with three layers and ndf 64 on source and target together.</summary>
    public static double Discriminator(double size) => Conv(6, 64, 4, size / 2) + Conv(64, 128, 4, size / 4) + Conv(128, 256, 4, size / 8)
        + Conv(256, 512, 4, size / 8 - 1) + Conv(512, 1, 4, size / 8 - 2);

    private static double Conv(double channels, double outputs, double kernel, double size) =>
        2 * channels * outputs * kernel * kernel * size * size;
}
