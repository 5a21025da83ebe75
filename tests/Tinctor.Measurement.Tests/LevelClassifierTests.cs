using Tinctor.Measurement.Levels;
using Tinctor.Slides;
using Tinctor.Tests;
using static Tinctor.Measurement.Tests.ImagePicture;

namespace Tinctor.Measurement.Tests;

/// <summary>Classifier whose logits are a multiple of the mean of red: white is "0", black is "3+".</summary>
public sealed class LevelClassifierTests : IDisposable
{
    private const int Side = 64;

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Predict_averages_tiles_by_tissue()
    {
        Write(side: Side);
        using LevelClassifier classifier = LevelClassifier.Load(folder.File("m"));
        // The left tile is black (3+), and half of the right one is dark grey.
        var image = new Image(2 * Side, Side, 3);
        image.Fill([255, 255, 255]);
        Paint(image, 0, Side, 0);
        RegionLevel dark = classifier.Predict(new ImagePicture(image), Region(Square(0, 0, 2 * Side, Side)), 1, 0.1)!;
        Assert.Equal(("3+", 1), (dark.Prediction.Level, dark.Tiles)); // the right tile has no tissue
        Paint(image, Side, Side / 2, 200);
        RegionLevel mixed = classifier.Predict(new ImagePicture(image), Region(Square(0, 0, 2 * Side, Side)), 1, 0.1)!;
        Assert.Equal(2, mixed.Tiles);
        double p(double red) => 1 / (1 + Math.Exp(8 * ((2 * red / 255) - 1)));
        double expected = ((2 * p(0)) + p((200 + 255) / 2.0)) / 3;
        Assert.Equal(expected, mixed.Prediction.Probabilities[1], 1e-4);
        Assert.Equal(1, mixed.Prediction.Probabilities.Sum(), 1e-5);
    }

    [Fact]
    public void Predict_respects_region_and_edges()
    {
        Write(side: Side);
        using LevelClassifier classifier = LevelClassifier.Load(folder.File("m"));
        var image = new Image(3 * Side, 2 * Side, 3);
        image.Fill([255, 255, 255]);
        Paint(image, 0, Side, 0);
        Assert.Null(classifier.Predict(new ImagePicture(image), Region(Square(2 * Side, 0, Side, Side)), 1, 0.1));
        // A small region at the edge is seen in one tile within the picture.
        RegionLevel small = classifier.Predict(new ImagePicture(image), Region(Square(0, 0, 9, 9)), 1, 0.1)!;
        Assert.Equal(("3+", 1), (small.Prediction.Level, small.Tiles));
    }

    [Fact]
    public void Load_folder_of_other_models_throws()
    {
        Assert.Null(LevelClassifier.KindOf(folder.File("none")));
        Write(side: Side, kind: "segmenter");
        Assert.Equal("segmenter", LevelClassifier.KindOf(folder.File("m")));
        Assert.Contains("holds no classifier", Assert.Throws<TinctorException>(() => LevelClassifier.Load(folder.File("m"))).Message);
        Write(side: Side);
        File.WriteAllText(folder.File("m/model.safetensors"), "other weights");
        Assert.Contains("other weights", Assert.Throws<TinctorException>(() => LevelClassifier.Load(folder.File("m"))).Message);
        File.WriteAllText(folder.File("m/card.json"), "{");
        Assert.Contains("damaged", Assert.Throws<TinctorException>(() => LevelClassifier.Load(folder.File("m"))).Message);
    }

    [Fact]
    public void Card_states_side_and_pixel_size()
    {
        Write(side: 128, mpp: 1.5);
        using (LevelClassifier classifier = LevelClassifier.Load(folder.File("m")))
            Assert.Equal((128, 1.5), (classifier.Side, classifier.Mpp));
        Write(side: 128);
        using (LevelClassifier classifier = LevelClassifier.Load(folder.File("m"))) Assert.Null(classifier.Mpp);
    }

    private void Write(int side, string kind = "classifier", double? mpp = null) => TestClassifier.Write(folder.File("m"), side, kind, mpp);

    private static void Paint(Image image, int left, int width, byte grey)
    {
        for (int y = 0; y < Side; y++) image.Data.AsSpan(3 * ((y * image.Width) + left), 3 * width).Fill(grey);
    }
}
