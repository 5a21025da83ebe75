using System.Text.Json.Serialization;
using MathNet.Numerics.LinearAlgebra;
using Tinctor.Slides;

namespace Tinctor.Staining.Models;

/// <summary>
/// Detector of sources unlike those that a model was trained on: the Mahalanobis distance of simple features of small windows, relative to
/// the distance below which 99 of 100 training windows lie. A result far from training cannot be trusted, however certain the network is.
/// Thread-safe.
/// </summary>
/// <remarks>
/// Features of a window, of its optical density: for each channel the mean, the logarithm of the variance, and the logarithms of the energy of
/// four octaves of detail. They describe colour, contrast, focus and texture, not the kind of tissue.
/// </remarks>
public sealed class SourceNovelty
{
    /// <summary>Side of a window in pixels.</summary>
    public const int Window = 64;

    /// <summary>Sample of a <see cref="Map"/> at the distance below which 99 of 100 training windows lie.</summary>
    public const int Known = 100;

    /// <summary>Share of unfamiliar windows from which on a slide counts as unlike the training images.</summary>
    public const double UnlikeShare = 0.5;

    private const int Octaves = 4;
    private const double Darkest = 1 / 255.0;
    private readonly Matrix<double> precision;

    /// <summary>Creates a detector from its numbers.</summary>
    /// <param name="mean">Mean of each feature over the training windows.</param>
    /// <param name="precision">Inverse of their covariance matrix, row by row.</param>
    /// <param name="limit">Distance below which 99 of 100 training windows lie.</param>
    /// <exception cref="ArgumentException">The numbers do not fit each other.</exception>
    [JsonConstructor]
    public SourceNovelty(IReadOnlyList<double> mean, IReadOnlyList<double> precision, double limit)
    {
        if (mean.Count == 0 || mean.Count % (2 + Octaves) != 0 || precision.Count != mean.Count * mean.Count || !(limit > 0))
            throw new ArgumentException($"{mean.Count} means, {precision.Count} numbers of precision and a limit of {limit} are no detector");
        (Mean, Precision, Limit) = (mean, precision, limit);
        this.precision = Matrix<double>.Build.DenseOfRowMajor(mean.Count, mean.Count, precision);
    }

    /// <summary>Channel of a <see cref="Map"/>; viewers show what is beyond the known.</summary>
    public static SlideChannel Channel { get; } = new("novelty") { Colour = 0xFF00FF, Display = (Known, 255) };

    /// <summary>Mean of each feature over the training windows.</summary>
    public IReadOnlyList<double> Mean { get; }

    /// <summary>Inverse of the features' covariance matrix, row by row.</summary>
    public IReadOnlyList<double> Precision { get; }

    /// <summary>Distance below which 99 of 100 training windows lie.</summary>
    public double Limit { get; }

    /// <summary>Creates a detector from training sources, prepared as the network sees them.</summary>
    /// <exception cref="TinctorException">There are too few windows.</exception>
    public static SourceNovelty FromSources(IEnumerable<Image> sources)
    {
        var rows = new List<double[]>();
        foreach (Image image in sources) rows.AddRange(Features(image).Values);
        int count = rows.Count == 0 ? 0 : rows[0].Length;
        if (rows.Count <= 2 * count)
            throw new TinctorException($"too few training patches ({rows.Count} of {Window} x {Window} pixels) for detection of unfamiliar sources");
        Matrix<double> features = Matrix<double>.Build.DenseOfRowArrays(rows);
        Vector<double> mean = features.ColumnSums() / rows.Count;
        Matrix<double> centred = Matrix<double>.Build.DenseOfRows(features.EnumerateRows().Select(row => row - mean));
        Matrix<double> covariance = centred.TransposeThisAndMultiply(centred) / (rows.Count - 1);
        // A little more spread than was seen: features that hardly vary in training must not dominate.
        Matrix<double> precision = (covariance + (0.01 * covariance.Diagonal().Average() * Matrix<double>.Build.DenseIdentity(count))).Inverse();
        double[] distances = [.. centred.EnumerateRows().Select(row => Distance(row, precision)).Order()];
        return new(mean.ToArray(), precision.ToRowMajorArray(), SampleStatistics.Quantile(distances, 0.99));
    }

    /// <summary>Computes the share of an image's windows that are beyond the limit: 0.01 for training images.</summary>
    /// <exception cref="TinctorException">The image has other channels than the training images.</exception>
    public double ShareBeyondLimit(IEnumerable<Image> sources)
    {
        double[] distances = [.. sources.SelectMany(source => Distances(source).Values)];
        return distances.Length == 0 ? 0 : distances.Count(distance => distance > 1) / (double)distances.Length;
    }

    /// <summary>Computes the distances as an image of the stained source's size: 100 is the limit, 255 is 2.55 times the limit or more.</summary>
    /// <exception cref="TinctorException">The image has other channels than the training images.</exception>
    public Image Map(Image source, int factor)
    {
        (int columns, int rows, double[] distances) = Distances(source);
        var map = new Image(columns, rows, 1);
        for (int i = 0; i < distances.Length; i++) map.Data[i] = (byte)(Math.Clamp(distances[i] * Known / 255, 0, 1) * 255 + 0.5);
        return map.Resize(source.Width * factor, source.Height * factor, ResizeKernel.Linear);
    }

    private (int Columns, int Rows, double[] Values) Distances(Image source)
    {
        if (source.Channels * (2 + Octaves) != Mean.Count)
            throw new TinctorException($"{source.Channels} channels, but the training images have {Mean.Count / (2 + Octaves)}");
        (int columns, int rows, double[][] features) = Features(source);
        Vector<double> mean = Vector<double>.Build.DenseOfEnumerable(Mean);
        return (columns, rows, Array.ConvertAll(features, row => Distance(Vector<double>.Build.Dense(row) - mean, precision) / Limit));
    }

    private static double Distance(Vector<double> centred, Matrix<double> precision) => Math.Sqrt(Math.Max(0, centred * (precision * centred)));

    // Features of the windows that fit, at least one: small images are one window.
    private static (int Columns, int Rows, double[][] Values) Features(Image image)
    {
        (int width, int height, int channels) = (image.Width, image.Height, image.Channels);
        int side = Math.Min(Window, Math.Min(width, height)), columns = width / side, rows = height / side;
        var light = new float[width * height * channels];
        image.CopyTo(light);
        double[][] features = [.. Enumerable.Range(0, columns * rows).Select(_ => new double[channels * (2 + Octaves)])];
        var density = new double[width * height];
        for (int c = 0; c < channels; c++)
        {
            for (int i = 0; i < density.Length; i++) density[i] = -Math.Log10(Math.Max(light[(c * density.Length) + i], Darkest));
            Pool(density, value => value, (window, mean) => features[window][c] = mean);
            Pool(density, value => value * value, (window, square) =>
                features[window][channels + c] = Logarithm(square - (features[window][c] * features[window][c])));
            for (int octave = 0; octave < Octaves; octave++)
            {
                double[] smooth = BoxMean(density, width, height, 2 << octave);
                var detail = new double[density.Length];
                for (int i = 0; i < detail.Length; i++) detail[i] = density[i] - smooth[i];
                int place = ((2 + octave) * channels) + c;
                Pool(detail, value => value * value, (window, energy) => features[window][place] = Logarithm(energy));
            }
        }
        return (columns, rows, features);

        void Pool(double[] plane, Func<double, double> of, Action<int, double> set)
        {
            for (int window = 0; window < columns * rows; window++)
            {
                double sum = 0;
                (int top, int left) = (window / columns * side, window % columns * side);
                for (int y = top; y < top + side; y++)
                    for (int x = left; x < left + side; x++) sum += of(plane[(y * width) + x]);
                set(window, sum / (side * side));
            }
        }
    }

    // Mean over a square of an even side, from side / 2 before a pixel to side / 2 - 1 after it; edges are repeated.
    private static double[] BoxMean(double[] plane, int width, int height, int side)
    {
        var across = new double[plane.Length];
        var result = new double[plane.Length];
        for (int y = 0; y < height; y++) Slide(plane, across, y * width, 1, width);
        for (int x = 0; x < width; x++) Slide(across, result, x, width, height);
        return result;

        void Slide(double[] from, double[] to, int start, int stride, int count)
        {
            double sum = 0;
            for (int i = -side / 2; i < side / 2; i++) sum += At(i);
            for (int i = 0; i < count; i++)
            {
                to[start + (i * stride)] = sum / side;
                sum += At(i + (side / 2)) - At(i - (side / 2));
            }

            double At(int i) => from[start + (Math.Clamp(i, 0, count - 1) * stride)];
        }
    }

    private static double Logarithm(double energy) => Math.Log10(Math.Max(energy, 0) + 1e-6);
}
