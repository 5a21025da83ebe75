using System.Runtime.InteropServices;
using System.Text.Json;
using Tinctor.Slides.Colour;
using Tinctor.Tests;

namespace Tinctor.Slides.Tests;

/// <summary>Optical density and stain separation against skimage 0.19.</summary>
public sealed class ColourTests
{
    [Fact]
    public void StainMatrix_built_in_matrices_equal_skimage()
    {
        var reference = Reference();
        Close(reference["rgb_from_hed"], [.. StainMatrix.HaematoxylinEosinDab.Rows], 1e-15);
        Close(reference["hed_from_rgb_matrix"], [.. StainMatrix.HaematoxylinEosinDab.Inverse], 1e-12);
        Close(reference["rgb_from_hdx"], [.. StainMatrix.HaematoxylinDab.Rows], 1e-15);
        Close(reference["hdx_from_rgb_matrix"], [.. StainMatrix.HaematoxylinDab.Inverse], 1e-12);
    }

    [Fact]
    public void StainMatrix_separation_and_combination_equal_skimage()
    {
        var reference = Reference();
        foreach (var kind in new[] { "hed", "hdx", "hax", "rbd", "bex", "hpx" })
        {
            var matrix = new StainMatrix(reference[$"rgb_from_{kind}"]);
            foreach (var input in new[] { "", "_rand" })
            {
                var rgb = Array.ConvertAll(reference["rgb" + input], value => (float)(value / 255));
                var amounts = new float[rgb.Length];
                matrix.SeparateRgb(rgb, amounts);
                Close(reference[$"{kind}_from_rgb{input}"], Array.ConvertAll(amounts, value => (double)value), 2e-6);
                matrix.CombineRgb(amounts, amounts);
                Close(reference[$"combine_{kind}_from_rgb{input}"], Array.ConvertAll(amounts, value => (double)value), 2e-5);
            }
        }
    }

    [Fact]
    public void OpticalDensity_light_round_trips()
    {
        var light = Enumerable.Range(1, 255).Select(value => (byte)value).ToArray();
        var density = new float[light.Length];
        OpticalDensity.FromLight(light, density);
        Assert.Equal(0, density[254], 1e-6);
        Assert.Equal(Math.Log10(255), density[0], 1e-6);
        var back = new byte[light.Length];
        OpticalDensity.ToLight(density, back);
        Assert.Equal(light, back);

        OpticalDensity.FromLight([0, 240], density, white: 240, floor: 1);
        Assert.Equal(Math.Log10(240), density[0], 1e-6);
        Assert.Equal(0, density[1], 1e-6);
    }

    [Fact]
    public void OpticalDensity_of_odd_length_equals_formula_and_round_trips()
    {
        var light = Enumerable.Range(0, 41).Select(i => 0.001f + i / 41f).ToArray();
        var density = new float[41];
        OpticalDensity.FromLight(light, density, white: 0.9f);
        var again = new float[41];
        OpticalDensity.ToLight(density, again, white: 0.9f);
        for (var i = 0; i < 41; i++)
        {
            Assert.Equal(-Math.Log10(light[i] / 0.9), density[i], 1e-5);
            Assert.Equal(light[i], again[i], 1e-5);
        }
    }

    [Fact]
    public void Combine_after_Separate_restores_densities()
    {
        var density = Enumerable.Range(0, 30).Select(i => i * 0.05f).ToArray();
        var amounts = new float[30];
        StainMatrix.HaematoxylinEosin.Separate(density, amounts);
        StainMatrix.HaematoxylinEosin.Combine(amounts, amounts);
        Assert.All(density.Zip(amounts), pair => Assert.Equal(pair.First, pair.Second, 1e-5));
    }

    [Fact]
    public void Macenko_finds_stains_of_synthetic_image()
    {
        var truth = StainMatrix.FromStains(Unit(0.65, 0.70, 0.29), Unit(0.2, 0.8, 0.55));
        var random = new Random(5);
        var amounts = new float[30_000];
        for (var i = 0; i < amounts.Length; i += 3)
        {
            var kind = random.NextDouble(); // nuclei, stroma, both
            amounts[i] = kind < 0.6 ? 0.6f + random.NextSingle() : 0;
            amounts[i + 1] = kind > 0.3 ? 0.9f + random.NextSingle() : 0;
        }
        var density = new float[amounts.Length];
        truth.Combine(amounts, density);
        var found = StainEstimation.Macenko(density, minimum: 0.1);
        Assert.InRange(Degrees(truth.Rows[..3], found.Rows[..3]), 0, 1);
        Assert.InRange(Degrees(truth.Rows[3..6], found.Rows[3..6]), 0, 1);
        Assert.Throws<TinctorException>(() => StainEstimation.Macenko(new float[3000]));
        Assert.Throws<TinctorException>(() => StainEstimation.Macenko([.. Enumerable.Repeat(0.5f, 3000)]));
    }

    [Fact]
    public void Macenko_finds_haematoxylin_and_dab_of_real_section()
    {
        var image = Image.Read(RepositoryFiles.Sample("ihc/skimage_ihc.png"));
        var density = new float[image.Data.Length];
        OpticalDensity.FromLight(image.Data, density);
        var found = StainEstimation.Macenko(density);
        Assert.True(found.Rows[0] > found.Rows[2], "haematoxylin takes more red than blue");
        Assert.True(found.Rows[5] > found.Rows[3], "DAB takes more blue than red");
    }

    private static double[] Unit(params double[] v) => [.. v.Select(x => x / Math.Sqrt(v.Sum(y => y * y)))];

    private static double Degrees(ReadOnlySpan<double> a, ReadOnlySpan<double> b) =>
        Math.Acos(Math.Min(1, a[0] * b[0] + a[1] * b[1] + a[2] * b[2])) * 180 / Math.PI;

    [Fact]
    public void StainMatrix_wrong_matrices_and_sizes_throw()
    {
        Assert.Throws<ArgumentException>(() => new StainMatrix([1, 0, 0, 2, 0, 0, 0, 0, 1]));
        Assert.Throws<ArgumentException>(() => new StainMatrix([1, 0, 0]));
        Assert.Throws<ArgumentException>(() => StainMatrix.HaematoxylinDab.Separate(new float[4], new float[4]));
        Assert.Throws<ArgumentException>(() => OpticalDensity.FromLight(new float[4], new float[3]));
    }

    private static void Close(double[] expected, double[] actual, double tolerance)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max();
        Assert.True(worst <= tolerance, $"differs by {worst}");
    }

    /// <summary>The reference numbers: doubles, and the images as whole numbers.</summary>
    private static Dictionary<string, double[]> Reference() => Tensors("io.safetensors").Concat(Tensors("io_f64.safetensors"))
        .GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Last().Value);

    private static IEnumerable<KeyValuePair<string, double[]>> Tensors(string file)
    {
        var bytes = File.ReadAllBytes(TestVectors.Path($"metrics_stains/{file}"));
        var start = 8 + (int)BitConverter.ToInt64(bytes);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, start - 8));
        foreach (var tensor in header.RootElement.EnumerateObject().Where(tensor => tensor.Name != "__metadata__"))
        {
            var offsets = tensor.Value.GetProperty("data_offsets");
            var data = bytes.AsSpan(start + offsets[0].GetInt32(), offsets[1].GetInt32() - offsets[0].GetInt32());
            double[] values = tensor.Value.GetProperty("dtype").GetString() switch
            {
                "F64" => MemoryMarshal.Cast<byte, double>(data).ToArray(),
                "I64" => Array.ConvertAll(MemoryMarshal.Cast<byte, long>(data).ToArray(), value => (double)value),
                _ => Array.ConvertAll(MemoryMarshal.Cast<byte, float>(data).ToArray(), value => (double)value),
            };
            yield return new(tensor.Name, values);
        }
    }
}
