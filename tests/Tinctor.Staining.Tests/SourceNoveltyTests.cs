using System.Text.Json;
using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Staining.Models;

namespace Tinctor.Staining.Tests;

public sealed class SourceNoveltyTests
{
    private static readonly Lazy<SourceNovelty> Detector =
        new(() => SourceNovelty.FromSources(Enumerable.Range(0, 4).Select(field => Section(field, PhantomStain.He))));

    [Fact]
    public void Map_of_unlike_images_is_higher_than_of_training_stain()
    {
        Image known = Section(7, PhantomStain.He);
        double own = Mean(known);
        Assert.InRange(own, 0.2, 1);
        Assert.True(Mean(Section(7, PhantomStain.Her2)) > 1.3 * own);
        Assert.True(Mean(known.Resize(64, 64).Resize(256, 256)) > 2 * own);
        Assert.True(Mean(Inverted(known)) > 2 * own);
        Image map = Detector.Value.Map(known, 2);
        Assert.Equal((512, 512, 1), (map.Width, map.Height, map.Channels));

        static double Mean(Image image) => Detector.Value.Map(image, 1).Data.Average(value => (double)value) / SourceNovelty.Known;
    }

    [Fact]
    public void ShareBeyondLimit_separates_training_stain_from_unlike_images()
    {
        Image known = Section(7, PhantomStain.He);
        Assert.True(Detector.Value.ShareBeyondLimit([known]) < SourceNovelty.UnlikeShare);
        Assert.True(Detector.Value.ShareBeyondLimit([Inverted(known)]) >= SourceNovelty.UnlikeShare);
    }

    [Fact]
    public void Detector_read_from_json_gives_same_map()
    {
        Image known = Section(7, PhantomStain.He);
        SourceNovelty again = JsonSerializer.Deserialize<SourceNovelty>(JsonSerializer.Serialize(Detector.Value))!;
        Assert.Equal(Detector.Value.Map(known, 1).Data, again.Map(known, 1).Data);
    }

    [Fact]
    public void Map_of_other_channels_is_refused() =>
        Assert.Contains("4 channels", Assert.Throws<TinctorException>(() => Detector.Value.Map(new Image(64, 64, 4), 1)).Message);

    [Fact]
    public void FromSources_with_too_few_windows_is_refused() =>
        Assert.Contains("1 patches of 64x64 pixels, expected",
            Assert.Throws<TinctorException>(() => SourceNovelty.FromSources([new Image(64, 64, 3)])).Message);

    private static Image Inverted(Image image) =>
        new(image.Width, image.Height, 3, data: [.. image.Data.Select(value => (byte)(255 - value))]);

    private static Image Section(int field, PhantomStain stain) =>
        PhantomSlide.Render(new() { Width = 256, Height = 256, Field = field, Stains = [stain] }).Images[0].Image;
}
