namespace Tinctor.Training.Loading;

/// <summary>
/// Geometric distortion of a crop, as BCIStainer augments its images: a resized crop, and a distortion of one of three kinds with equal
/// probability: a grid of 5 x 5 cells whose widths and heights vary by up to 30 %, an affine transform that moves three points by up to 5 %
/// of the side, or lens distortion with coefficients of up to 0.05. Pixels between samples are bilinear, those beyond the border reflected.
/// </summary>
internal sealed class Distortion
{
    private const int GridCells = 5;
    private const double GridLimit = 0.3, AffineLimit = 0.05, LensLimit = 0.05, LeastArea = 0.8, GreatestAspect = 4.0 / 3;

    // From positions of the distorted crop to positions of the crop, both in units of its sides.
    private readonly Func<double, double, (double X, double Y)> map;

    private Distortion(Func<double, double, (double X, double Y)> map) => this.map = map;

    /// <summary>Draws a distortion; null for none.</summary>
    /// <param name="random">Random numbers.</param>
    /// <param name="distorted">Probability of a grid, affine or lens distortion.</param>
    /// <param name="resized">Probability of a resized crop.</param>
    public static Distortion? Draw(ref SampleRandom random, double distorted, double resized)
    {
        bool crops = random.NextDouble() < resized, distorts = random.NextDouble() < distorted;
        Func<double, double, (double X, double Y)>? part = crops ? ResizedCrop(ref random) : null;
        if (!distorts) return part is null ? null : new(part);
        Func<double, double, (double X, double Y)> shape = random.Next(3) switch
        {
            0 => Grid(ref random),
            1 => Affine(ref random),
            _ => Lens(random.NextDouble(-LensLimit, LensLimit)),
        };
        return part is null ? new(shape) : new((x, y) =>
        {
            (x, y) = shape(x, y);
            return part(x, y);
        });
    }

    /// <summary>Distorts samples [height, width, channels].</summary>
    public float[] Apply(float[] samples, int width, int height)
    {
        int channels = samples.Length / (width * height);
        var result = new float[samples.Length];
        for (int i = 0; i < width * height; i++)
        {
            (double x, double y) = map(((i % width) + 0.5) / width, ((i / width) + 0.5) / height);
            Interpolate(samples, width, height, (x * width) - 0.5, (y * height) - 0.5, result.AsSpan(i * channels, channels));
        }
        return result;
    }

    // Positions are those of pixel centres.
    private static void Interpolate(ReadOnlySpan<float> samples, int width, int height, double x, double y, Span<float> pixel)
    {
        (double left, double top) = (Math.Floor(x), Math.Floor(y));
        (float u, float v) = ((float)(x - left), (float)(y - top));
        for (int corner = 0; corner < 4; corner++)
        {
            (int right, int below) = (corner & 1, corner >> 1);
            float weight = (right == 1 ? u : 1 - u) * (below == 1 ? v : 1 - v);
            int start = ((Reflect((int)top + below, height) * width) + Reflect((int)left + right, width)) * pixel.Length;
            for (int c = 0; c < pixel.Length; c++) pixel[c] += weight * samples[start + c];
        }
    }

    private static Func<double, double, (double X, double Y)> ResizedCrop(ref SampleRandom random)
    {
        double area = random.NextDouble(LeastArea, 1), aspect = Math.Exp(random.NextDouble(-1, 1) * Math.Log(GreatestAspect));
        double width = Math.Min(1, Math.Sqrt(area * aspect)), height = Math.Min(1, Math.Sqrt(area / aspect));
        (double left, double top) = (random.NextDouble(0, 1 - width), random.NextDouble(0, 1 - height));
        return (x, y) => (left + (x * width), top + (y * height));
    }

    private static Func<double, double, (double X, double Y)> Grid(ref SampleRandom random)
    {
        double[] columns = Nodes(ref random), rows = Nodes(ref random);
        return (x, y) => (Between(columns, x), Between(rows, y));
    }

    // The outer nodes stay at the border.
    private static double[] Nodes(ref SampleRandom random)
    {
        var nodes = new double[GridCells + 1];
        for (int i = 1; i <= GridCells; i++) nodes[i] = nodes[i - 1] + 1 + random.NextDouble(-GridLimit, GridLimit);
        return [.. nodes.Select(node => node / nodes[^1])];
    }

    private static double Between(double[] nodes, double position)
    {
        int cell = Math.Clamp((int)(position * GridCells), 0, GridCells - 1);
        return double.Lerp(nodes[cell], nodes[cell + 1], (position * GridCells) - cell);
    }

    // Three points at a third of the side from the centre move independently.
    private static Func<double, double, (double X, double Y)> Affine(ref SampleRandom random)
    {
        const double Arm = 2.0 / 3;
        (double X, double Y) a = Shift(ref random), right = Shift(ref random), below = Shift(ref random);
        (double xx, double xy, double yx, double yy) =
            ((right.X - a.X) / Arm, (below.X - a.X) / Arm, (right.Y - a.Y) / Arm, (below.Y - a.Y) / Arm);
        const double Origin = 0.5 - (Arm / 2);
        return (x, y) =>
        {
            (double u, double v) = (x - Origin, y - Origin);
            return (x + a.X + (xx * u) + (xy * v), y + a.Y + (yx * u) + (yy * v));
        };
    }

    private static (double X, double Y) Shift(ref SampleRandom random) =>
        (random.NextDouble(-AffineLimit, AffineLimit), random.NextDouble(-AffineLimit, AffineLimit));

    private static Func<double, double, (double X, double Y)> Lens(double k) => (x, y) =>
    {
        (double u, double v) = (x - 0.5, y - 0.5);
        double square = (u * u) + (v * v), scale = 1 + (k * square) + (k * square * square);
        return (0.5 + (u * scale), 0.5 + (v * scale));
    };

    private static int Reflect(int position, int count)
    {
        if (count == 1) return 0;
        int period = 2 * (count - 1), folded = ((position % period) + period) % period;
        return folded < count ? folded : period - folded;
    }
}
