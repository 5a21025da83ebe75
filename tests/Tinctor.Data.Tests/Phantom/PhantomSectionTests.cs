using Tinctor.Data.Phantom;

namespace Tinctor.Data.Tests.Phantom;

/// <summary>
/// Consecutive sections, HER2 levels that only fields show, and stained membranes that the morphology does not determine.
/// </summary>
public sealed class PhantomSectionTests
{
    private const int Side = 384;

    private static readonly PhantomOptions fieldOptions = new() { Width = Side, Height = Side, Seed = 5, Her2Level = 2, OnTumour = true };

    [Fact]
    public void Render_serial_section_has_same_glands_and_other_cells()
    {
        PhantomField serial = Render(fieldOptions with { Serial = true }), restain = Render(fieldOptions);
        Assert.Equal(restain.Images[0].Image.Data, serial.Images[0].Image.Data);
        Assert.Equal(restain.Nuclei, serial.Nuclei);
        Assert.Null(restain.Images[1].Truth);
        PhantomTruth next = serial.Images[1].Truth!;

        double same = serial.Tissue.Zip(next.Tissue).Count(pair => pair.First == pair.Second) / (double)(Side * Side);
        Assert.InRange(same, 0.9, 0.995);
        double layers = Correlation(Density(serial, 0, 16), Density(serial, 1, 16));
        Assert.True(layers > 0.5, $"correlation of layers {layers}");
        double other = Correlation(Density(serial, 0, 2), Density(serial, 1, 2)),
            own = Correlation(Density(restain, 0, 2), Density(restain, 1, 2));
        Assert.True(other < 0.85 * own, $"correlation of cells {other}, of a restain {own}");

        Assert.InRange(next.Nuclei.Count / (double)serial.Nuclei.Count, 0.75, 1.25);
        double matched = Matched(serial.Labels, next.Labels, serial.Nuclei);
        Assert.InRange(matched, 0.1, 0.45);
        Assert.Equal(1, Matched(restain.Labels, restain.Labels, restain.Nuclei));
    }

    [Fact]
    public void Render_serial_target_shows_next_section_at_displaced_positions()
    {
        PhantomOptions options = fieldOptions with { Serial = true, Misalign = 24 };
        PhantomField aligned = Render(options with { Misalign = 0 }), moved = Render(options);
        float[] shift = moved.Images[1].Displacement!;
        byte[] next = aligned.Images[1].Truth!.Tissue, seen = moved.Images[1].Truth!.Tissue;
        (int followed, int ignored, int count) = (0, 0, 0);
        for (int i = 0; i < seen.Length; i++)
        {
            (int x, int y) = ((int)Math.Round(i % Side + shift[i]), (int)Math.Round(i / Side + shift[seen.Length + i]));
            if (x is < 0 or >= Side || y is < 0 or >= Side) continue;
            count++;
            if (seen[i] == next[(y * Side) + x]) followed++;
            if (seen[i] == next[i]) ignored++;
        }
        Assert.True(followed > 0.98 * count && ignored < 0.95 * count, $"{followed}, {ignored} of {count}");
        double[] lengths = [.. Enumerable.Range(0, seen.Length).Select(i => double.Hypot(shift[i], shift[seen.Length + i]))];
        Assert.InRange(lengths.Max(), 6, 24);
        foreach (PhantomNucleus nucleus in moved.Images[1].Truth!.Nuclei.Where(nucleus => nucleus.Area > 60))
            Assert.InRange(nucleus.X, 0, Side - 1);
        byte[] bands = [.. PhantomSlide.RenderBands(options, PhantomStain.Her2, TestContext.Current.CancellationToken)
            .SelectMany(band => band.Data)];
        Assert.Equal(moved.Images[1].Image.Data, bands);
    }

    [Fact]
    public void Render_stain_seed_changes_membranes_but_not_morphology()
    {
        PhantomOptions options = fieldOptions with { LevelInFields = true, Width = 256, Height = 256 };
        PhantomField one = Render(options, keepConcentrations: true),
            other = Render(options with { StainSeed = 8 }, keepConcentrations: true);
        Assert.Equal(one.Images[0].Image.Data, other.Images[0].Image.Data);
        Assert.Equal(one.Labels, other.Labels);
        double[] a = Dab(one), b = Dab(other);
        int[] tumour = [.. Enumerable.Range(0, one.Tissue.Length).Where(i => one.Tissue[i] == (byte)PhantomTissue.Tumour)];
        double membranes = Correlation([.. tumour.Select(i => a[i])], [.. tumour.Select(i => b[i])]);
        Assert.True(membranes is > 0.1 and < 0.85, $"correlation of DAB {membranes}");
        Assert.InRange(tumour.Average(i => a[i]) / tumour.Average(i => b[i]), 0.5, 2);
        Assert.Equal(one.Images[1].Image.Data, Render(options with { StainSeed = 0 }).Images[1].Image.Data);
    }

    // Of 12 slides: the size of tumour nuclei of a field tells the level, the colour of a patch of 64 pixels in tumour does not.
    [Fact]
    public void Render_level_in_fields_is_visible_in_fields_only()
    {
        List<double> levels = [], sizes = [], patchLevels = [];
        List<double>[] colours = [[], [], []];
        for (int slide = 0; slide < 12; slide++)
        {
            int level = slide % 4;
            PhantomField field = Render(new()
            {
                Width = Side,
                Height = Side,
                Mpp = 1,
                Seed = (ulong)(100 + slide),
                Her2Level = level,
                LevelInFields = true,
                Stains = [PhantomStain.He],
            });
            levels.Add(level);
            sizes.Add(field.Nuclei.Where(nucleus => nucleus.Kind == PhantomNucleusKind.Tumour && nucleus.Area > 10)
                .Average(nucleus => nucleus.Area));
            foreach ((int left, int top) in from y in Enumerable.Range(0, Side / 32)
                                            from x in Enumerable.Range(0, Side / 32)
                                            select (32 * x, 32 * y))
            {
                int[] patch = [.. Enumerable.Range(0, 32 * 32).Select(i => ((top + (i / 32)) * Side) + left + (i % 32))];
                if (patch.Count(i => field.Tissue[i] == (byte)PhantomTissue.Tumour) < 512) continue;
                patchLevels.Add(level);
                for (int c = 0; c < 3; c++) colours[c].Add(patch.Average(i => field.Images[0].Image.Data[(3 * i) + c]));
            }
        }
        Assert.True(Correlation([.. levels], [.. sizes]) > 0.85, $"fields: {string.Join(" ", sizes)}");
        Assert.True(patchLevels.Count > 100);
        Assert.All(colours, colour => Assert.InRange(Math.Abs(Correlation([.. patchLevels], [.. colour])), 0, 0.5));
    }

    private static PhantomField Render(PhantomOptions options, bool keepConcentrations = false) =>
        PhantomSlide.Render(options, keepConcentrations, cancel: TestContext.Current.CancellationToken);

    private static double[] Dab(PhantomField field) =>
        [.. Enumerable.Range(0, field.Tissue.Length).Select(i => (double)field.Images[1].Concentrations![(3 * i) + 2])];

    // Mean optical density of blocks.
    private static double[] Density(PhantomField field, int image, int block)
    {
        byte[] data = field.Images[image].Image.Data;
        double[] sums = new double[Side / block * (Side / block)];
        for (int i = 0; i < Side * Side; i++)
        {
            for (int c = 0; c < 3; c++)
                sums[(i / Side / block * (Side / block)) + (i % Side / block)] -= Math.Log10(Math.Max(1, (int)data[(3 * i) + c]) / 255.0);
        }
        return sums;
    }

    // Share of nuclei that overlap one nucleus of the other section by more than half of their union.
    private static double Matched(int[] first, int[] second, IReadOnlyList<PhantomNucleus> nuclei)
    {
        Dictionary<int, int> areas = second.CountBy(label => label).ToDictionary();
        Dictionary<(int, int), int> common = first.Zip(second).CountBy(pair => pair).ToDictionary();
        HashSet<int> matched = [.. common.Where(pair => pair.Key is { Item1: > 0, Item2: > 0 }
            && pair.Value > 0.5 * (nuclei[pair.Key.Item1 - 1].Area + areas[pair.Key.Item2] - pair.Value)).Select(pair => pair.Key.Item1)];
        PhantomNucleus[] large = [.. nuclei.Where(nucleus => nucleus.Area > 40)];
        return large.Count(nucleus => matched.Contains(nucleus.Label)) / (double)large.Length;
    }

    private static double Correlation(double[] a, double[] b)
    {
        (double meanA, double meanB) = (a.Average(), b.Average());
        double Sum(Func<int, double> value) => Enumerable.Range(0, a.Length).Sum(value);
        return Sum(i => (a[i] - meanA) * (b[i] - meanB))
            / Math.Sqrt(Sum(i => (a[i] - meanA) * (a[i] - meanA)) * Sum(i => (b[i] - meanB) * (b[i] - meanB)));
    }
}
