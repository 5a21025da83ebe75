using Tinctor.Torch;

namespace Tinctor.Registration.Metrics;

/// <summary>Translation between two images.</summary>
/// <param name="X">Pixels by which the target's structure is further right.</param>
/// <param name="Y">Pixels by which the target's structure is further down.</param>
/// <param name="Peak">Height of the correlation peak: 1 for identical images, near 0 for unrelated ones.</param>
internal readonly record struct Shift(double X, double Y, double Peak);

/// <summary>
/// Phase correlation (Kuglin and Hines 1975): both images are windowed (Hann), only the phases of their spectra are compared, and
/// frequencies are weighted by a Gaussian. The correlation peak then is Gaussian too, and three points give its position with subpixel
/// accuracy.
/// </summary>
internal static class PhaseCorrelation
{
    /// <summary>Cut-off for cells, in cycles per pixel; higher frequencies hold noise and differences of focus.</summary>
    public const double Cells = 0.12;

    /// <summary>Cut-off for glands and layers, in cycles per pixel; serial sections share them even where their cells differ.</summary>
    public const double Layers = 0.02;

    private const int Rounds = 4;
    private const double AboveChance = 5; // standard deviations of the correlation of unrelated images

    /// <summary>Gets the height that peaks of unrelated images of this side do not reach.</summary>
    public static double Chance(long side) => AboveChance / Math.Sqrt(2 * Math.PI * Math.Pow(Cells * side, 2));

    /// <summary>
    /// Estimates the translation of the target relative to the source, both [1, 1, H, W] with mean 0. The first estimate is refined on the
    /// overlap: windows over different tissue bias the estimate towards 0.
    /// </summary>
    /// <param name="source">Source image.</param>
    /// <param name="target">Target image; may have another size.</param>
    /// <param name="largest">Largest translation along an axis, in pixels.</param>
    /// <param name="cutOff">Standard deviation of the frequency weights, in cycles per pixel.</param>
    public static Shift Estimate(Tensor source, Tensor target, double largest, double cutOff = Cells)
    {
        Shift total = Once(source, target, 0, 0, largest, cutOff);
        for (int round = 1; round < Rounds; round++)
        {
            (int x, int y) = ((int)Math.Round(total.X), (int)Math.Round(total.Y));
            Shift rest = Once(source, target, x, y, 2, cutOff);
            total = new(x + rest.X, y + rest.Y, rest.Peak);
            if ((int)Math.Round(total.X) == x && (int)Math.Round(total.Y) == y) break;
        }
        return total;
    }

    // Translation that remains after the target is moved by (x, y) pixels.
    private static Shift Once(Tensor source, Tensor target, int x, int y, double largest, double cutOff)
    {
        using var scope = torch.NewDisposeScope();
        (long left, long top) = (Math.Max(0, -x), Math.Max(0, -y));
        long width = Math.Min(source.size(3) - left, target.size(3) - left - x),
            height = Math.Min(source.size(2) - top, target.size(2) - top - y);
        if (width < 8 || height < 8) return default;
        Tensor Part(Tensor image, long x0, long y0) => image.narrow(2, y0, height).narrow(3, x0, width)[0, 0];
        (Tensor surface, double scale) = Surface(Part(source, left, top), Part(target, left + x, top + y), cutOff);
        return Peak(surface.data<float>(), (int)width, (int)height, largest, scale);
    }

    /// <summary>
    /// Computes the phase correlation of two images [.., h, w], with translation 0 at the first pixel, and the factor that scales the peak
    /// of identical images to 1.
    /// </summary>
    internal static (Tensor Surface, double Scale) Surface(Tensor source, Tensor target, double cutOff)
    {
        using var scope = torch.NewDisposeScope();
        (long height, long width) = (source.size(-2), source.size(-1));
        Tensor window = Window(height).unsqueeze(1) * Window(width).unsqueeze(0);
        Tensor a = torch.fft.fft2(Windowed(source, window)), b = torch.fft.fft2(Windowed(target, window));
        Tensor cross = a.conj() * b;
        Tensor weight = Weights(height, cutOff).unsqueeze(1) * Weights(width, cutOff).unsqueeze(0);
        Tensor surface = torch.fft.ifft2(cross / (cross.abs() + 1e-12) * weight).real().contiguous();
        return (surface.MoveToOuterDisposeScope(), height * width / weight.sum().item());
    }

    private static Tensor Windowed(Tensor image, Tensor window) => (image - image.mean([-2, -1], keepdim: true)) * window;

    private static Tensor Window(long size) => torch.hann_window(size, periodic: false);

    private static Tensor Weights(long size, double cutOff)
    {
        var weights = new float[size];
        for (long i = 0; i < size; i++)
        {
            double frequency = (double)(i <= size / 2 ? i : i - size) / size;
            weights[i] = (float)Math.Exp(-frequency * frequency / (2 * cutOff * cutOff));
        }
        return torch.tensor(weights, size);
    }

    /// <summary>Finds the highest point of a correlation within the largest translation, with subpixel accuracy.</summary>
    internal static Shift Peak(ReadOnlySpan<float> surface, int width, int height, double largest, double scale)
    {
        int reachX = (int)Math.Min(Math.Ceiling(largest), (width - 1) / 2), reachY = (int)Math.Min(Math.Ceiling(largest), (height - 1) / 2);
        (int bestX, int bestY, float best) = (0, 0, float.NegativeInfinity);
        for (int y = -reachY; y <= reachY; y++)
        {
            for (int x = -reachX; x <= reachX; x++)
            {
                float value = At(surface, x, y);
                if (value > best) (bestX, bestY, best) = (x, y, value);
            }
        }
        double dx = Vertex(At(surface, bestX - 1, bestY), best, At(surface, bestX + 1, bestY));
        double dy = Vertex(At(surface, bestX, bestY - 1), best, At(surface, bestX, bestY + 1));
        return new(bestX + dx, bestY + dy, Math.Clamp(best * scale, 0, 1));

        float At(ReadOnlySpan<float> values, int x, int y) => values[(((y + height) % height) * width) + ((x + width) % width)];
    }

    // Maximum of the Gaussian through three points at -1, 0 and 1.
    private static double Vertex(float before, float at, float after)
    {
        if (before <= 0 || after <= 0 || at <= 0) return 0;
        double a = Math.Log(before), b = Math.Log(at), c = Math.Log(after), bend = a - (2 * b) + c;
        return bend < 0 ? Math.Clamp((a - c) / (2 * bend), -0.5, 0.5) : 0;
    }
}
