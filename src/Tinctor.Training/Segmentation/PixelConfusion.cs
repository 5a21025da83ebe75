namespace Tinctor.Training.Segmentation;

/// <summary>Pixels by their class in the reference and in a segmentation; class 0 is background. Counts of images add up.</summary>
internal sealed class PixelConfusion
{
    private readonly long[,] counts;

    /// <summary>Creates a matrix of zeros.</summary>
    /// <param name="classes">Number of classes with the background.</param>
    public PixelConfusion(int classes) => counts = new long[classes, classes];

    /// <summary>Number of classes with the background.</summary>
    public int Classes => counts.GetLength(0);

    /// <summary>Gets the number of pixels of a class in the reference that the segmentation assigns to another or the same class.</summary>
    public long this[int reference, int found] => counts[reference, found];

    /// <summary>Dice coefficient, precision and recall of all classes except background, merged; 0 if they are not defined.</summary>
    public (double Dice, double Precision, double Recall) Foreground
    {
        get
        {
            (double both, double found, double there) = (0, 0, 0);
            for (int i = 0; i < Classes; i++)
            {
                for (int j = 0; j < Classes; j++)
                {
                    if (i > 0) there += counts[i, j];
                    if (j > 0) found += counts[i, j];
                    if (i > 0 && j > 0) both += counts[i, j];
                }
            }
            return (2 * both / Math.Max(found + there, 1), both / Math.Max(found, 1), both / Math.Max(there, 1));
        }
    }

    /// <summary>Mean F1 of the classes except background that occur in the reference or the segmentation; NaN if none does.</summary>
    public double MacroF1 => Occurring.Select(F1).DefaultIfEmpty(double.NaN).Average();

    /// <summary>
    /// Mean F1 of the classes except background, weighted by their pixels in the reference; NaN if the reference has none of them.
    /// </summary>
    public double WeightedF1
    {
        get
        {
            int[] there = [.. Occurring.Where(c => Pixels(c) > 0)];
            return there.Length == 0 ? double.NaN : there.Sum(c => Pixels(c) * F1(c)) / there.Sum(Pixels);
        }
    }

    /// <summary>Adds the pixels of an image.</summary>
    public void Add(ReadOnlySpan<long> reference, ReadOnlySpan<long> found)
    {
        if (reference.Length != found.Length) throw new ArgumentException($"{reference.Length} and {found.Length} pixels are no pair");
        for (int i = 0; i < reference.Length; i++) counts[reference[i], found[i]]++;
    }

    /// <summary>Adds the pixels of an image.</summary>
    public void Add(ReadOnlySpan<byte> reference, ReadOnlySpan<byte> found)
    {
        if (reference.Length != found.Length) throw new ArgumentException($"{reference.Length} and {found.Length} pixels are no pair");
        for (int i = 0; i < reference.Length; i++) counts[reference[i], found[i]]++;
    }

    /// <summary>Adds the counts of another matrix.</summary>
    public void Add(PixelConfusion other)
    {
        for (int i = 0; i < Classes; i++)
            for (int j = 0; j < Classes; j++) counts[i, j] += other.counts[i, j];
    }

    /// <summary>Number of pixels of a class in the reference.</summary>
    public long Pixels(int reference) => Enumerable.Range(0, Classes).Sum(found => counts[reference, found]);

    /// <summary>F1, the same as Dice: 2 TP / (2 TP + FP + FN); NaN if the class occurs nowhere.</summary>
    public double F1(int c) => 2.0 * counts[c, c] / (Pixels(c) + Found(c));

    /// <summary>Share of the pixels found of a class that are of it; NaN if none is found.</summary>
    public double Precision(int c) => (double)counts[c, c] / Found(c);

    /// <summary>Share of the pixels of a class that are found; NaN if there are none.</summary>
    public double Recall(int c) => (double)counts[c, c] / Pixels(c);

    private IEnumerable<int> Occurring => Enumerable.Range(1, Classes - 1).Where(c => Pixels(c) + Found(c) > 0);

    private long Found(int c) => Enumerable.Range(0, Classes).Sum(reference => counts[reference, c]);
}
