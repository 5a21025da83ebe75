using Tinctor.Measurement.Ihc;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Tests;

/// <summary>Images painted from known densities, so that every quantity is known beforehand.</summary>
public class IhcCountsTests
{
    private const int Size = 100;
    private static readonly IhcSettings Settings = new() { Ring = 2 };

    [Fact]
    public void Measure_painted_nuclei_gives_ki67_index_and_h_score()
    {
        // Ten nuclei: four blue, three weak, two moderate, one strong.
        float[] densities = [0, 0, 0, 0.1f, 0.3f, 0.3f, 0.35f, 0.5f, 0.55f, 0.7f];
        var canvas = new Canvas();
        for (int i = 0; i < densities.Length; i++) canvas.Nucleus(10 + (i % 5 * 20), i < 5 ? 20 : 60, 5, 0.5f, densities[i]);
        IhcCounts counts = canvas.Measure(Settings);

        Assert.Equal(10, counts.Nuclei);
        Assert.Equal(new StainedCells(3, 2, 1), counts.StainedNuclei);
        Assert.Equal(60, Value(counts, "positive_nuclei"), 9);
        Assert.Equal((3 + (2 * 2) + 3) * 10, Value(counts, "h_score_nuclei"), 9);
        Assert.Equal(0, Value(counts, "h_score_membrane"), 9);
        // 100 x 100 pixels of half a micrometre are 0.0025 mm^2.
        Assert.Equal(10 / 0.0025, Value(counts, "nuclei_density"), 6);
    }

    [Fact]
    public void Measure_painted_area_gives_area_and_mean_density()
    {
        var canvas = new Canvas();
        // A fifth is glass, of the rest a quarter has DAB of 0.4.
        canvas.Fill(0, 0, Size, 80, 0.3f, 0);
        canvas.Fill(0, 0, Size, 20, 0.3f, 0.4f);
        IhcCounts counts = canvas.Measure(Settings);
        Assert.Equal(8000, counts.Tissue);
        Assert.Equal(25, Value(counts, "dab_area"), 9);
        Assert.Equal(0.4, Value(counts, "dab_density_positive"), 2);
        Assert.Equal(0.1, Value(counts, "dab_density"), 2);
        Assert.Equal(double.NaN, Value(counts, "positive_nuclei"));
    }

    [Fact]
    public void Measure_membranes_are_in_rings_of_their_nucleus()
    {
        var canvas = new Canvas();
        canvas.Nucleus(25, 50, 6, 0.5f, 0, ring: 4, ringDab: 0.65f);
        canvas.Nucleus(75, 50, 6, 0.5f, 0);
        IhcCounts counts = canvas.Measure(Settings);
        Assert.Equal(new StainedCells(0, 0, 1), counts.StainedRings);
        Assert.Equal(150, Value(counts, "h_score_membrane"), 9);
        Assert.Equal(50, Value(counts, "membrane_positive"), 9);
        Assert.Equal(0, Value(counts, "positive_nuclei"), 9);
    }

    [Fact]
    public void Sum_of_images_gives_counts_of_slide()
    {
        var (first, second) = (new Canvas(), new Canvas());
        first.Nucleus(20, 20, 5, 0.5f, 0.3f);
        for (int i = 0; i < 3; i++) second.Nucleus(20 + (25 * i), 50, 5, 0.5f, 0);
        IhcCounts slide = first.Measure(Settings) + second.Measure(Settings);
        // The mean of the images' own indices would be 50.
        Assert.Equal(25, Value(slide, "positive_nuclei"), 9);
    }

    [Fact]
    public void Validate_thresholds_not_rising_are_refused() =>
        Assert.Throws<ArgumentException>(() => new IhcSettings { Weak = 0.5 }.Validate());

    private static double Value(IhcCounts counts, string key) =>
        IhcCounts.Quantities(Settings).Single(quantity => quantity.Quantity.Key == key).Value(counts);

    /// <summary>Glass on which stain is put by density.</summary>
    private sealed class Canvas
    {
        private readonly float[] stains = new float[Size * Size * 3];
        private readonly int[] labels = new int[Size * Size];
        private int nuclei;

        public void Fill(int x, int y, int width, int height, float haematoxylin, float dab)
        {
            for (int v = y; v < y + height; v++)
                for (int u = x; u < x + width; u++) Set((v * Size) + u, haematoxylin, dab);
        }

        public void Nucleus(int x, int y, int radius, float haematoxylin, float dab, int ring = 0, float ringDab = 0)
        {
            nuclei++;
            for (int i = 0; i < labels.Length; i++)
            {
                double distance = Math.Sqrt(((i % Size - x) * (i % Size - x)) + ((i / Size - y) * (i / Size - y)));
                if (distance <= radius)
                {
                    labels[i] = nuclei;
                    Set(i, haematoxylin, dab);
                }
                else if (distance <= radius + ring + 1 && ring > 0) Set(i, 0.05f, ringDab);
            }
        }

        public IhcCounts Measure(IhcSettings settings)
        {
            var density = new float[stains.Length];
            StainMatrix.HaematoxylinDab.Combine(stains, density);
            var image = new Image(Size, Size, 3);
            OpticalDensity.ToLight(density, image.Data);
            return IhcCounts.Compute(new StainDensities(image), LabelMap.Create(Size, Size, labels), settings);
        }

        private void Set(int pixel, float haematoxylin, float dab) => (stains[3 * pixel], stains[(3 * pixel) + 1]) = (haematoxylin, dab);
    }
}
