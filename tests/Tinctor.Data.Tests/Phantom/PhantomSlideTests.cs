using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Slides.Tissue;

namespace Tinctor.Data.Tests.Phantom;

public sealed class PhantomSlideTests
{
    private static readonly PhantomOptions smallOptions = new() { Width = 300, Height = 260, Seed = 42 };
    private static readonly PhantomOptions ideal = smallOptions with { StainVariation = 1, Shading = 0, SensorNoise = 0, Blur = 0 };

    [Fact]
    public void Render_gives_equal_bytes_on_one_and_four_threads()
    {
        PhantomStain[] stains = [PhantomStain.He, PhantomStain.Her2, PhantomStain.Unstained, PhantomStain.Autofluorescence];
        PhantomOptions options = smallOptions with { Stains = stains, Misalign = 6 };
        PhantomField one = Render(options with { Threads = 1 }), four = Render(options with { Threads = 4 });
        for (int i = 0; i < one.Images.Count; i++)
        {
            Assert.Equal(one.Images[i].Image.Data, four.Images[i].Image.Data);
            Assert.Equal(one.Images[i].Displacement, four.Images[i].Displacement);
        }
        Assert.Equal(one.Labels, four.Labels);
        Assert.Equal(one.Tissue, four.Tissue);
        Assert.Equal(one.Nuclei, four.Nuclei);
    }

    [Fact]
    public void Render_larger_field_continues_tissue()
    {
        PhantomField small = Render(smallOptions), large = Render(smallOptions with { Width = 560, Height = 500 });
        for (int i = 0; i < 2; i++)
            Assert.Equal(small.Images[i].Image.Data, large.Images[i].Image.Crop(0, 0, 300, 260).Data);
        for (int y = 0; y < 260; y++)
            Assert.Equal(small.Tissue[(y * 300)..((y + 1) * 300)], large.Tissue[(y * 560)..((y * 560) + 300)]);
    }

    [Fact]
    public void Sample_is_independent_of_blocks()
    {
        var model = new TissueModel(7, 2, null);
        var whole = new TissueBlock(model, new TissueArea(100, 200, 300, 380));
        var part = new TissueBlock(model, new TissueArea(187.25f, 255.5f, 230, 300));
        for (float y = 256; y < 300; y += 1.3f)
        {
            for (float x = 188; x < 230; x += 1.3f)
            {
                TissuePoint a = whole.Sample(x, y), b = part.Sample(x, y);
                Assert.Equal((a.Thickness, a.Nucleus, a.Chromatin, a.Cytoplasm, a.Collagen, a.Membrane),
                    (b.Thickness, b.Nucleus, b.Chromatin, b.Cytoplasm, b.Collagen, b.Membrane));
                Assert.Equal((a.Her2, a.Ki67, a.Tissue), (b.Her2, b.Ki67, b.Tissue));
            }
        }
    }

    [Fact]
    public void Render_other_seed_or_field_gives_other_image()
    {
        byte[] Pixels(PhantomOptions options) => Render(options).Images[0].Image.Data;
        byte[] first = Pixels(smallOptions);
        Assert.NotEqual(first, Pixels(smallOptions with { Seed = 43 }));
        Assert.NotEqual(first, Pixels(smallOptions with { Field = 1 }));
    }

    [Theory]
    [InlineData(nameof(PhantomStain.He))]
    [InlineData(nameof(PhantomStain.Her2))]
    [InlineData(nameof(PhantomStain.Ki67))]
    public void Render_concentrations_follow_from_pixels_by_Beer_Lambert(string name)
    {
        PhantomStain stain = Enum.Parse<PhantomStain>(name);
        PhantomField field = Render(ideal with { Stains = [stain] }, keepConcentrations: true);
        PhantomImage image = field.Images[0];
        double[] inverse = Inverse([.. image.StainMatrix.Select(v => (double)v)]);
        double worst = 0;
        for (int i = 0; i < 300 * 260; i++)
        {
            byte[] rgb = image.Image.Data[(3 * i)..((3 * i) + 3)];
            // Eight bits resolve the density of dark pixels badly.
            if (rgb.Min() < 60)
                continue;
            double[] density = [.. rgb.Select((v, c) => -Math.Log10(v / 255.0 / image.Light[c]))];
            for (int s = 0; s < 3; s++)
            {
                double found = (density[0] * inverse[s]) + (density[1] * inverse[3 + s]) + (density[2] * inverse[6 + s]);
                worst = Math.Max(worst, Math.Abs(found - image.Concentrations![(3 * i) + s]));
            }
        }
        // Half a grey level at 60 is 0.0036 in density; the inverse magnifies it by its row sums.
        double magnified = Enumerable.Range(0, 3).Max(s => Enumerable.Range(0, 3).Sum(c => Math.Abs(inverse[(3 * c) + s])));
        Assert.InRange(worst, 0, 0.0037 * magnified);
    }

    [Fact]
    public void Render_displacement_equals_misalignment()
    {
        PhantomOptions options = ideal with
        {
            Stains = [PhantomStain.Her2, PhantomStain.Ki67],
            Misalign = 12,
            Her2Level = 0,
            Ki67Share = 0,
            StainVariation = 0,
            Blur = 0.6,
        };
        PhantomField field = Render(options);
        Image source = field.Images[0].Image;
        PhantomField aligned = Render(options with { Stains = [PhantomStain.Ki67] });
        Image still = aligned.Images[0].Image, moved = field.Images[1].Image;
        float[] u = field.Images[1].Displacement!;
        int n = 300 * 260;
        double warped = 0, unwarped = 0, longest = 0;
        int count = 0;
        for (int y = 20; y < 240; y++)
        {
            for (int x = 20; x < 280; x++)
            {
                int at = (y * 300) + x;
                longest = Math.Max(longest, Math.Sqrt((u[at] * u[at]) + (u[n + at] * u[n + at])));
                double value = moved.Data[(3 * at) + 1];
                warped += Math.Abs(value - Bilinear(still, x + u[at], y + u[n + at]));
                unwarped += Math.Abs(value - still.Data[(3 * at) + 1]);
                count++;
            }
        }
        Assert.InRange(longest, 3, 12);
        Assert.InRange(warped / count, 0, 1.2);
        Assert.True(unwarped > 8 * warped, $"warped {warped / count:0.00}, unwarped {unwarped / count:0.00}");
        Assert.Null(field.Images[0].Displacement);
        Assert.Equal(Render(options with { Misalign = 0 }).Images[0].Image.Data, source.Data);
    }

    [Fact]
    public void Render_masks_and_nuclei_agree()
    {
        PhantomField field = Render(smallOptions with { Width = 512, Height = 512 });
        int[] area = new int[field.Nuclei.Count + 1];
        var sum = new (double X, double Y)[area.Length];
        for (int i = 0; i < field.Labels.Length; i++)
        {
            int label = field.Labels[i];
            area[label]++;
            sum[label] = (sum[label].X + (i % 512), sum[label].Y + (i / 512));
        }
        Assert.InRange(field.Nuclei.Count, 50, 2000);
        Assert.Equal(Enumerable.Range(1, field.Nuclei.Count), field.Nuclei.Select(n => n.Label));
        foreach (PhantomNucleus n in field.Nuclei)
        {
            Assert.Equal(n.Area, area[n.Label]);
            Assert.True(n.Area > 0);
        }
        PhantomNucleus[] whole = [.. field.Nuclei.Where(n => n.X is > 20 and < 492 && n.Y is > 20 and < 492 && n.Area > 60)];
        double offset = whole.Average(n => Math.Abs((sum[n.Label].X / n.Area) - n.X) + Math.Abs((sum[n.Label].Y / n.Area) - n.Y));
        Assert.InRange(offset, 0, 2.5);
        // Nuclei are darker than what lies around them.
        Image he = field.Images[0].Image;
        double Mean(Func<int, bool> where) => Enumerable.Range(0, field.Labels.Length).Where(where).Average(i => he.Data[3 * i]);
        Assert.True(Mean(i => field.Labels[i] > 0) < Mean(i => field.Labels[i] == 0 && field.Tissue[i] == (byte)PhantomTissue.Stroma) - 60);
        Assert.DoesNotContain(field.Tissue, t => t > (byte)PhantomTissue.Vessel);
    }

    [Fact]
    public void Render_dab_and_atypia_increase_with_her2_level()
    {
        double[] dab = new double[4], size = new double[4];
        for (int level = 0; level < 4; level++)
        {
            PhantomField field = Render(
                ideal with { Width = 512, Height = 512, Stains = [PhantomStain.Her2], Her2Level = level, StainVariation = 0 },
                keepConcentrations: true);
            int[] tumour = [.. Enumerable.Range(0, field.Tissue.Length).Where(i => field.Tissue[i] == (byte)PhantomTissue.Tumour)];
            dab[level] = tumour.Average(i => field.Images[0].Concentrations![(3 * i) + 2]);
            size[level] = field.Nuclei.Where(n => n.Kind == PhantomNucleusKind.Tumour).Average(n => n.Area);
        }
        for (int level = 1; level < 4; level++)
        {
            Assert.True(dab[level] > 1.5 * dab[level - 1], $"DAB {string.Join(" ", dab)}");
            Assert.True(size[level] > size[level - 1], $"nuclei {string.Join(" ", size)}");
        }
    }

    [Fact]
    public void Render_level_in_he_determines_visibility_of_level()
    {
        // Of all tumour nuclei of a field: mean area, and mean haematoxylin of their pixels.
        (double Area, double Dark) Nuclei(int level, double levelInHe)
        {
            PhantomField field = Render(
                ideal with
                {
                    Width = 512,
                    Height = 512,
                    Stains = [PhantomStain.He],
                    Her2Level = level,
                    LevelInHe = levelInHe,
                    StainVariation = 0,
                },
                keepConcentrations: true);
            HashSet<int> tumour = [.. field.Nuclei.Where(n => n.Kind == PhantomNucleusKind.Tumour).Select(n => n.Label)];
            return (field.Nuclei.Where(n => tumour.Contains(n.Label)).Average(n => n.Area),
                Enumerable.Range(0, field.Labels.Length).Where(i => tumour.Contains(field.Labels[i]))
                    .Average(i => field.Images[0].Concentrations![3 * i]));
        }
        (double Area, double Dark)[] plain = [.. Enumerable.Range(0, 4).Select(level => Nuclei(level, 1))];
        for (int level = 1; level < 4; level++)
        {
            Assert.True(plain[level].Area > 1.2 * plain[level - 1].Area, $"area {string.Join(" ", plain)}");
            Assert.True(plain[level].Dark > 1.08 * plain[level - 1].Dark, $"haematoxylin {string.Join(" ", plain)}");
        }
        Assert.True(plain[3].Area / plain[0].Area > 1.4 * (Nuclei(3, 0).Area / Nuclei(0, 0).Area));
    }

    [Fact]
    public void Render_on_tumour_shifts_small_fields_to_tumour()
    {
        PhantomOptions small = ideal with { Width = 128, Height = 128, Mpp = 1, Stains = [PhantomStain.He] };
        double Tumour(int seed, bool onTumour) =>
            Render(small with { Seed = (ulong)seed, OnTumour = onTumour }).Tissue.Count(t => t == (byte)PhantomTissue.Tumour) / 16384.0;
        double[] moved = [.. Enumerable.Range(0, 12).Select(seed => Tumour(seed, true))];
        Assert.All(moved, share => Assert.InRange(share, 0.2, 0.8));
        Assert.Contains(Enumerable.Range(0, 12), seed => Tumour(seed, false) < 0.1);
    }

    [Fact]
    public void Render_Ki67_positive_nuclei_are_brown()
    {
        PhantomField field = Render(ideal with { Width = 512, Height = 512, Stains = [PhantomStain.Ki67], Ki67Share = 0.5 },
            keepConcentrations: true);
        double Dab(bool positive) => Enumerable.Range(0, field.Labels.Length)
            .Where(i => field.Labels[i] > 0 && field.Nuclei[field.Labels[i] - 1].Ki67Positive == positive)
            .Average(i => field.Images[0].Concentrations![(3 * i) + 2]);
        Assert.True(Dab(true) > 0.25, $"{Dab(true)}");
        Assert.True(Dab(false) < 0.05, $"{Dab(false)}");
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Render_autofluorescence_has_16_bit_four_channels_and_lower_resolution(int factor)
    {
        PhantomField field = Render(
            smallOptions with { Stains = [PhantomStain.Autofluorescence, PhantomStain.He], AutofluorescenceFactor = factor });
        Image image = field.Images[0].Image;
        Assert.Equal((300 / factor, 260 / factor, 4, SampleType.UInt16), (image.Width, image.Height, image.Channels, image.SampleType));
        Assert.True(image.Samples16.ToArray().Max() > 10_000);
        Assert.Equal((300, 260, 3), (field.Images[1].Image.Width, field.Images[1].Image.Height, field.Images[1].Image.Channels));
    }

    [Fact]
    public void Render_options_out_of_range_throw()
    {
        Assert.Contains("304x260, not a multiple", Assert.Throws<ArgumentException>(
            () => Render(smallOptions with { Width = 304, Stains = [PhantomStain.Autofluorescence] })).Message);
        Assert.Contains("the HER2 level is 4", Assert.Throws<ArgumentException>(() => Render(smallOptions with { Her2Level = 4 })).Message);
        Assert.Contains("H&E with the level is 1.5",
            Assert.Throws<ArgumentException>(() => Render(smallOptions with { LevelInHe = 1.5 })).Message);
        Assert.Contains("misalignment", Assert.Throws<ArgumentException>(() => Render(smallOptions with { Misalign = 200 })).Message);
    }

    [Theory]
    [InlineData(nameof(PhantomStain.He))]
    [InlineData(nameof(PhantomStain.Her2))]
    [InlineData(nameof(PhantomStain.Autofluorescence))]
    public void RenderBands_equals_whole_field(string name)
    {
        PhantomStain stain = Enum.Parse<PhantomStain>(name);
        var options = new PhantomOptions
        {
            Width = 310,
            Height = 505,
            AutofluorescenceFactor = 5,
            Misalign = 6,
            Stains = [PhantomStain.He, PhantomStain.Her2, PhantomStain.Autofluorescence],
        };
        Image whole = Render(options).Images.Single(image => image.Stain == stain).Image;
        byte[] bands = [.. PhantomSlide.RenderBands(options, stain, TestContext.Current.CancellationToken).SelectMany(band => band.Data)];
        Assert.Equal(whole.Data, bands);
    }

    [Fact]
    public void Render_cancelled_throws() =>
        Assert.Throws<OperationCanceledException>(() => PhantomSlide.Render(smallOptions, cancel: new CancellationToken(canceled: true)));

    [Theory]
    [InlineData(0), InlineData(3)]
    public void Render_field_without_background_has_full_tissue_mask(int level)
    {
        PhantomField field = Render(new() { Width = 768, Height = 768, Seed = 7, Her2Level = level });
        Assert.All(field.Images, one => Assert.InRange(TissueMask.Detect(one.Image, mpp: 0.5).Share(0, 0, 768, 768), 0.95, 1));
    }

    private static PhantomField Render(PhantomOptions options, bool keepConcentrations = false) =>
        PhantomSlide.Render(options, keepConcentrations, cancel: TestContext.Current.CancellationToken);

    private static double Bilinear(Image image, double x, double y)
    {
        int ix = (int)Math.Floor(x), iy = (int)Math.Floor(y);
        double fx = x - ix, fy = y - iy;
        double G(int i, int j) => image.Data[(3 * ((j * image.Width) + i)) + 1];
        return ((1 - fx) * (1 - fy) * G(ix, iy)) + (fx * (1 - fy) * G(ix + 1, iy)) + ((1 - fx) * fy * G(ix, iy + 1))
            + (fx * fy * G(ix + 1, iy + 1));
    }

    private static double[] Inverse(double[] m)
    {
        double[] c = new double[9];
        for (int i = 0; i < 3; i++)
        {
            for (int j = 0; j < 3; j++)
            {
                double A(int r, int k) => m[((i + r) % 3 * 3) + ((j + k) % 3)];
                c[(3 * j) + i] = (A(1, 1) * A(2, 2)) - (A(1, 2) * A(2, 1));
            }
        }
        double determinant = (m[0] * c[0]) + (m[1] * c[3]) + (m[2] * c[6]);
        return [.. c.Select(v => v / determinant)];
    }
}
