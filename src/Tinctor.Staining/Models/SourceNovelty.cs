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
/// Features of a window, of its optical density: for each channel the mean, the logarithm of the variance, and the logarithms of the energy
/// of four octaves of detail. They describe colour, contrast, focus and texture, not the kind of tissue.
/// </remarks>
internal sealed class SourceNovelty
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
            throw new ArgumentException(
                $"{mean.Count} means, {precision.Count} numbers of precision and a limit of {limit} are no detector");
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
        {
            throw new TinctorException(null,
                $"the training sources have {rows.Count} patches of {Window}x{Window} pixels, expected {(2 * count) + 1} or more");
        }
        Matrix<double> features = Matrix<double>.Build.DenseOfRowArrays(rows);
        Vector<double> mean = features.ColumnSums() / rows.Count;
        Matrix<double> centred = Matrix<double>.Build.DenseOfRows(features.EnumerateRows().Select(row => row - mean));
        Matrix<double> covariance = centred.TransposeThisAndMultiply(centred) / (rows.Count - 1);
        // A little more spread than was seen: features that hardly vary in training must not dominate.
        Matrix<double> precision = (covariance + (0.01 * covariance.Diagonal().Average() * Matrix<double>.Build.DenseIdentity(count)))
            .Inverse();
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

    /// <summary>
    /// Computes the distances as an image of the stained source's size: 100 is the limit, 255 is 2.55 times the limit or more.
    /// </summary>
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

    private static double Distance(Vector<double> centred, Matrix<double> precision) =>
        Math.Sqrt(Math.Max(0, centred * (precision * centred)));

    // Features of the windows that fit, at least one: small images are one window.
    private static (int Columns, int Rows, double[][] Values) Features(Image image)
    {
        (int width, int height, int channels) = (image.Width, image.Height, image.Channels);
        int side = Math.Min(Window, Math.Min(width, height)), columns = width / side, rows = height / side;
        var light = new float[width * height * channels];
        image.CopyTo(light);
        double[][] features = [.. Enumerable.Range(0, columns * rows).Select(_ => new double[channels * (2 + Octaves)])];
        double[] density = new double[width * height], across = new double[density.Length];
        for (int c = 0; c < channels; c++)
        {
            for (int i = 0; i < density.Length; i++) density[i] = -Math.Log10(Math.Max(light[(c * density.Length) + i], Darkest));
            var windows = new WindowSums(side, columns, rows);
            for (int y = 0; y < windows.Height; y++) windows.Add(y, density.AsSpan(y * width, width), []);
            double[] mean = windows.Mean(), square = windows.MeanSquare();
            for (int w = 0; w < features.Length; w++)
                (features[w][c], features[w][channels + c]) = (mean[w], Logarithm(square[w] - (mean[w] * mean[w])));
            for (int octave = 0; octave < Octaves; octave++)
            {
                double[] energy = DetailEnergy(density, across, width, height, 2 << octave, new(side, columns, rows));
                for (int w = 0; w < features.Length; w++) features[w][((2 + octave) * channels) + c] = Logarithm(energy[w]);
            }
        }
        return (columns, rows, features);
    }

    // Mean square, for each window, of the difference between a pixel and the mean over a square of an even side around it, from side / 2
    // before the pixel to side / 2 - 1 after it; edges are repeated. The sums of columns move down row by row.
    private static double[] DetailEnergy(double[] plane, double[] across, int width, int height, int side, WindowSums windows)
    {
        int half = side / 2;
        for (int y = 0; y < height; y++) MeanAcross(plane.AsSpan(y * width, width), across.AsSpan(y * width, width), side);
        double[] sums = new double[width], smooth = new double[width];
        for (int i = -half; i < half; i++)
        {
            ReadOnlySpan<double> row = Row(i);
            for (int x = 0; x < width; x++) sums[x] += row[x];
        }
        for (int y = 0; y < windows.Height; y++)
        {
            ReadOnlySpan<double> next = Row(y + half), last = Row(y - half);
            for (int x = 0; x < width; x++)
            {
                smooth[x] = sums[x] / side;
                sums[x] += next[x] - last[x];
            }
            windows.Add(y, plane.AsSpan(y * width, width), smooth);
        }
        return windows.MeanSquare();

        ReadOnlySpan<double> Row(int y) => across.AsSpan(Math.Clamp(y, 0, height - 1) * width, width);
    }

    private static void MeanAcross(ReadOnlySpan<double> row, Span<double> mean, int side)
    {
        int half = side / 2, last = row.Length - 1;
        double sum = 0;
        for (int i = -half; i < half; i++) sum += row[Math.Clamp(i, 0, last)];
        for (int i = 0; i < row.Length; i++)
        {
            mean[i] = sum / side;
            sum += row[Math.Min(i + half, last)] - row[Math.Max(i - half, 0)];
        }
    }

    /// <summary>Sums over windows of pixels' differences from a baseline, added row by row.</summary>
    private sealed class WindowSums(int side, int columns, int rows)
    {
        private readonly double[] sums = new double[columns * rows], squares = new double[columns * rows];

        /// <summary>Rows that lie in windows.</summary>
        public int Height => rows * side;

        /// <summary>Adds a row; an empty baseline is 0.</summary>
        public void Add(int y, ReadOnlySpan<double> row, ReadOnlySpan<double> baseline)
        {
            for (int column = 0; column < columns; column++)
            {
                int window = (y / side * columns) + column;
                (double sum, double square) = (sums[window], squares[window]);
                for (int x = column * side; x < (column + 1) * side; x++)
                {
                    double value = baseline.IsEmpty ? row[x] : row[x] - baseline[x];
                    sum += value;
                    square += value * value;
                }
                (sums[window], squares[window]) = (sum, square);
            }
        }

        public double[] Mean() => Array.ConvertAll(sums, sum => sum / (side * side));

        public double[] MeanSquare() => Array.ConvertAll(squares, square => square / (side * side));
    }

    private static double Logarithm(double energy) => Math.Log10(Math.Max(energy, 0) + 1e-6);
}
