using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Tests.Segmentation;

/// <summary>Components, distances, watershed and scores on masks that can be checked by eye.</summary>
public class SegmentationAlgorithmTests
{
    [Fact]
    public void ConnectedComponents_join_corners_and_fill_holes()
    {
        var map = Draw("""
            #..#.
            .#.#.
            .....
            ####.
            #..#.
            ####.
            """);
        LabelMap parts = ConnectedComponents.Label(map.Mask(), map.Width, map.Height);
        Assert.Equal(3, parts.Count);
        Assert.Equal([16, 2, 2, 10], parts.Areas());
        bool[] filled = map.Mask();
        ConnectedComponents.FillHoles(filled, map.Width, map.Height, largest: 1);
        Assert.Equal(14, filled.Count(set => set));
        ConnectedComponents.FillHoles(filled, map.Width, map.Height);
        Assert.Equal(16, filled.Count(set => set));
    }

    [Fact]
    public void DistanceTransform_equals_exhaustive_search()
    {
        const int width = 23, height = 17;
        var random = new Random(3);
        bool[] mask = [.. Enumerable.Range(0, width * height).Select(_ => random.Next(40) == 0)];
        DistanceTransform transform = DistanceTransform.To(mask, width, height);
        int[] set = [.. Enumerable.Range(0, mask.Length).Where(i => mask[i])];
        for (int i = 0; i < mask.Length; i++)
        {
            int Squared(int j) => ((i % width - j % width) * (i % width - j % width)) + ((i / width - j / width) * (i / width - j / width));
            Assert.Equal(set.Min(Squared), transform.Squared[i]);
            Assert.Equal(transform.Squared[i], Squared(transform.Nearest[i]));
        }
        Assert.All(DistanceTransform.To(new bool[6], 3, 2).Squared, distance => Assert.Equal(float.PositiveInfinity, distance));
    }

    [Fact]
    public void Watershed_separates_two_touching_discs()
    {
        const int size = 60, radius = 12;
        // Centres 20 apart: the neck is half as wide as the discs.
        bool[] mask = Discs(size, (20, 30, radius), (40, 30, radius));
        Assert.Equal(1, ConnectedComponents.Label(mask, size, size).Count);
        LabelMap split = Watershed.Split(DistanceTransform.Signed(mask, size, size), mask, size, size, 1);
        Assert.Equal(2, split.Count);
        Assert.Equal(mask, split.Mask());
        int[] areas = split.Areas();
        Assert.InRange(areas[1] - areas[2], -2 * radius, 2 * radius);
        for (int y = 18; y < 43; y++)
        {
            for (int x = 0; x < size; x++)
            {
                // One column of doubt where both are equally near.
                int label = split.Labels[(y * size) + x];
                if (label != 0 && Math.Abs(x - 30) > 1) Assert.Equal(split.Labels[(30 * size) + (x < 30 ? 20 : 40)], label);
            }
        }
        Assert.Equal(1, Watershed.Split(DistanceTransform.Signed(mask, size, size), mask, size, size, 8).Count);
    }

    [Fact]
    public void Watershed_keeps_single_ellipse_whole()
    {
        const int width = 70, height = 40;
        bool[] mask = new bool[width * height];
        for (int i = 0; i < mask.Length; i++)
        {
            double x = (i % width - 34.3) / 28, y = (i / width - 19.6) / 9, u = (x * 0.9) + (y * 0.1);
            mask[i] = (u * u) + (y * y) < 1;
        }
        Assert.Equal(1, Watershed.Split(DistanceTransform.Signed(mask, width, height), mask, width, height, 1).Count);
    }

    [Fact]
    public void PixelAgreement_equals_values_by_hand()
    {
        PixelAgreement agreement = PixelAgreement.Compute([true, true, true, false, false], [true, false, false, true, false]);
        Assert.Equal(new PixelAgreement(1, 2, 1), agreement);
        Assert.Equal(2.0 / 5, agreement.Dice, 12);
        Assert.Equal(1.0 / 3, agreement.Precision, 12);
        Assert.Equal(0.5, agreement.Recall, 12);
        Assert.Equal(double.NaN, PixelAgreement.Compute([false], [false]).Dice);
        Assert.Equal(1.0 / 2, (agreement + new PixelAgreement(1, 1, 0)).Dice, 12);
    }

    [Fact]
    public void InstanceAgreement_equals_values_by_hand()
    {
        // Reference a (6 pixels), b (4), c (2); judged A covers 5 of a and 1 beside (IoU 5/7), B half of b (2 of 4, IoU exactly 1/2,
        // no match), D lies elsewhere (3).
        LabelMap reference = Letters("""
            aaaaaa..
            bbbb....
            cc......
            ........
            """);
        LabelMap judged = Letters("""
            .aaaaaa.
            bb......
            ........
            .....ddd
            """);
        InstanceAgreement agreement = InstanceAgreement.Compute(judged, reference);
        Assert.Equal((1, 2, 2), (agreement.Matched, agreement.Extra, agreement.Missed));
        Assert.Equal(5.0 / 7, agreement.SegmentationQuality, 12);
        Assert.Equal(1.0 / 3, agreement.RecognitionQuality, 12);
        Assert.Equal(5.0 / 21, agreement.PanopticQuality, 12);
        // Intersections 5 + 2 + 0; unions 7 + 4 + 2, and 3 of the judged object that no one chose.
        Assert.Equal(7.0 / 16, agreement.Aji, 12);
        Assert.Equal(10.0 / 42, (agreement + agreement).PanopticQuality, 12);
    }

    [Fact]
    public void InstanceAgreement_of_equal_and_empty_maps()
    {
        LabelMap map = Letters("aab.cc");
        InstanceAgreement same = InstanceAgreement.Compute(map, map);
        Assert.Equal((1.0, 1.0, 1.0, 1.0), (same.PanopticQuality, same.SegmentationQuality, same.RecognitionQuality, same.Aji));
        LabelMap nothing = Letters("......");
        Assert.Equal(0, InstanceAgreement.Compute(nothing, map).PanopticQuality);
        Assert.Equal(0, InstanceAgreement.Compute(map, nothing).Aji);
        Assert.Equal(double.NaN, InstanceAgreement.Compute(nothing, nothing).PanopticQuality);
    }

    [Fact]
    public void Otsu_threshold_separates_two_groups()
    {
        float threshold = Otsu.Threshold([0.1f, 0.12f, 0.11f, 0.13f, 0.9f, 0.95f, 0.88f]);
        Assert.InRange(threshold, 0.13f, 0.88f);
        Assert.Equal(3f, Otsu.Threshold([3, 3, 3]));
    }

    internal static bool[] Discs(int size, params (int X, int Y, int Radius)[] discs)
    {
        var mask = new bool[size * size];
        for (int i = 0; i < mask.Length; i++)
            mask[i] = discs.Any(d => ((i % size - d.X) * (i % size - d.X)) + ((i / size - d.Y) * (i / size - d.Y)) <= d.Radius * d.Radius);
        return mask;
    }

    private static LabelMap Draw(string picture) => Letters(picture.Replace('#', 'a'));

    private static LabelMap Letters(string picture)
    {
        string[] rows = picture.Split('\n');
        return LabelMap.Create(rows[0].Length, rows.Length, [.. rows.SelectMany(row => row).Select(c => c == '.' ? 0 : c - 'a' + 1)]);
    }
}
