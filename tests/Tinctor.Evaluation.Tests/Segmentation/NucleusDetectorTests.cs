using Tinctor.Data.Phantom;
using Tinctor.Evaluation.Analyses.Segmentation;
using Tinctor.Measurement;
using Tinctor.Measurement.Ihc;
using Tinctor.Measurement.Nuclei;
using Tinctor.Slides;
using Tinctor.Slides.Masks;
using Tinctor.Tests;

namespace Tinctor.Evaluation.Tests.Segmentation;

/// <summary>The classical detector against annotated nuclei.</summary>
public class NucleusDetectorTests(ITestOutputHelper output)
{
    [Fact]
    public void Find_brightfield_images_finds_most_annotated_nuclei()
    {
        string folder = RepositoryFiles.Sample("nuclei");
        (InstanceAgreement objects, PixelAgreement pixels) = (default, default);
        foreach (string path in Directory.GetFiles(Path.Combine(folder, "images"), "*.png"))
        {
            LabelMap truth = Labels(Path.Combine(folder, "labels", Path.GetFileName(path)));
            LabelMap found = NucleusDetector.Find(new StainDensities(Image.Read(path)), new());
            objects += InstanceAgreement.Compute(found, truth);
            pixels += PixelAgreement.Compute(found.Mask(), truth.Mask());
        }
        Report("nuclei", objects, pixels);
        Assert.InRange(pixels.Dice, 0.7, 1);
        Assert.InRange(objects.RecognitionQuality, 0.6, 1);
    }

    [Theory]
    [InlineData(nameof(PhantomStain.Ki67), false), InlineData(nameof(PhantomStain.Her2), true)]
    public void Find_phantom_finds_most_nuclei(string name, bool haematoxylinOnly)
    {
        PhantomStain stain = Enum.Parse<PhantomStain>(name);
        var options = new PhantomOptions { Width = 512, Height = 512, Stains = [PhantomStain.He, stain], Seed = 11 };
        PhantomField field = PhantomSlide.Render(options);
        LabelMap truth = LabelMap.Create(512, 512, field.Labels);
        LabelMap found = NucleusDetector.Find(new StainDensities(field.Images[1].Image), new() { HaematoxylinOnly = haematoxylinOnly });
        InstanceAgreement objects = InstanceAgreement.Compute(found, truth);
        Report($"{stain}", objects, PixelAgreement.Compute(found.Mask(), truth.Mask()));
        Assert.InRange(objects.RecognitionQuality, 0.7, 1);
    }

    [Fact]
    public void Find_separates_positive_from_negative_nuclei_of_ihc()
    {
        // Of red (positive) and blue (negative) nuclei, outlined in green.
        (InstanceAgreement objects, PixelAgreement pixels) = (default, default);
        foreach (string name in new[] { "22_2", "34_3" })
        {
            Image colours = Image.Read(SharedFiles.Path($"data/deepliif/{name}_nuclei.png"));
            LabelMap positive = Painted(colours, 0), truth = Painted(colours, 0, 2);
            var image = new StainDensities(Image.Read(SharedFiles.Path($"data/deepliif/{name}_ihc.png")));
            LabelMap found = NucleusDetector.Find(image, new() { Mpp = 0.25 });
            IhcCounts counts = IhcCounts.Compute(image, found, new() { Mpp = 0.25 });
            IhcCounts onTruth = IhcCounts.Compute(image, truth, new() { Mpp = 0.25 });
            double index = 100.0 * counts.StainedNuclei.Positive / counts.Nuclei, expected = 100.0 * positive.Count / truth.Count;
            double byColour = 100.0 * onTruth.StainedNuclei.Positive / onTruth.Nuclei;
            output.WriteLine($"{name}: Ki67 index {index:F1}%, on the annotated outlines {byColour:F1}%, annotated {expected:F1}%");
            Assert.InRange(byColour - expected, -6, 6);
            // The detector also finds brown nuclei that the annotation leaves out.
            Assert.InRange(index - expected, -5, 20);
            objects += InstanceAgreement.Compute(found, truth);
            pixels += PixelAgreement.Compute(found.Mask(), truth.Mask());
        }
        Report("IHC", objects, pixels);
        Assert.InRange(objects.RecognitionQuality, 0.4, 1);
    }

    [Fact]
    public void Measure_phantom_membrane_staining_rises_with_level()
    {
        double[] scores = [.. Enumerable.Range(0, 4).Select(level =>
        {
            IhcCounts counts = Measure(Tumour(PhantomStain.Her2) with { Her2Level = level }, haematoxylinOnly: true);
            double score = 100.0 * counts.StainedRings.Weighted / counts.Rings;
            output.WriteLine($"level {level}: H-score of membranes {score:F0}, "
                + $"positive membrane {100.0 * counts.PositiveRingPixels / counts.RingPixels:F1}%");
            return score;
        })];
        Assert.Equal(scores.Order(), scores);
        Assert.True(scores[3] > scores[0] + 50);
    }

    [Theory]
    [InlineData(0.1), InlineData(0.5)]
    public void Measure_phantom_ki67_index_is_near_truth(double share)
    {
        PhantomOptions options = Tumour(PhantomStain.Ki67) with { Ki67Share = share };
        IhcCounts counts = Measure(options, haematoxylinOnly: false);
        IReadOnlyList<PhantomNucleus> nuclei = PhantomSlide.Render(options).Nuclei;
        double index = 100.0 * counts.StainedNuclei.Positive / counts.Nuclei;
        double truth = 100.0 * nuclei.Count(nucleus => nucleus.Ki67Positive) / nuclei.Count;
        output.WriteLine($"Ki67 index {index:F1}%, truth {truth:F1}%");
        Assert.InRange(index - truth, -10, 10);
    }

    [Fact]
    public void Find_background_finds_no_nuclei()
    {
        var glass = new Image(64, 64, 3);
        new Random(1).NextBytes(glass.Data);
        for (int i = 0; i < glass.Data.Length; i++) glass.Data[i] = (byte)(240 + (glass.Data[i] % 8));
        Assert.Equal(0, NucleusDetector.Find(new StainDensities(glass), new()).Count);
    }

    private void Report(string what, InstanceAgreement objects, PixelAgreement pixels) => output.WriteLine(
        $"{what}: F1 {objects.RecognitionQuality:F3}, PQ {objects.PanopticQuality:F3}, AJI {objects.Aji:F3}, Dice {pixels.Dice:F3}, "
        + $"precision {pixels.Precision:F3}, recall {pixels.Recall:F3}, found {objects.Matched + objects.Extra} of "
        + $"{objects.Matched + objects.Missed}");

    // A field of which two thirds are tumour.
    private static PhantomOptions Tumour(PhantomStain stain) =>
        new() { Width = 384, Height = 384, Stains = [PhantomStain.He, stain], Seed = 3 };

    private static IhcCounts Measure(PhantomOptions options, bool haematoxylinOnly)
    {
        var image = new StainDensities(PhantomSlide.Render(options).Images[1].Image);
        return IhcCounts.Compute(image, NucleusDetector.Find(image, new() { HaematoxylinOnly = haematoxylinOnly }), new());
    }

    // Nuclei of the colours (0 red, 2 blue), grown by two pixels into their outlines.
    private static LabelMap Painted(Image image, params int[] channels)
    {
        var mask = new bool[image.Width * image.Height];
        for (int i = 0; i < mask.Length; i++) mask[i] = channels.Any(c => image.Data[(3 * i) + c] > 127) && image.Data[(3 * i) + 1] < 128;
        LabelMap cores = ConnectedComponents.Label(mask, image.Width, image.Height);
        int[] areas = cores.Areas();
        cores = cores.Keep(label => areas[label] >= 30);
        DistanceTransform distance = DistanceTransform.To(cores.Mask(), image.Width, image.Height);
        return LabelMap.Create(image.Width, image.Height,
            [.. distance.Nearest.Select((nearest, i) => distance.Squared[i] <= 4 ? cores.Labels[nearest] : 0)]);
    }

    private static LabelMap Labels(string path)
    {
        Image image = Image.Read(path);
        return LabelMap.Create(image.Width, image.Height, Array.ConvertAll(image.Samples16.ToArray(), value => (int)value));
    }
}
