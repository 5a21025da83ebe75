using Tinctor.Data.Phantom;
using Tinctor.Slides;
using Tinctor.Staining.Models;
using Tinctor.Tests;
using Tinctor.Torch;

namespace Tinctor.Staining.Tests.Inference;

[Collection(Alone.Name)]
public sealed class SourceNoveltyTests
{
    [Fact]
    public void What_is_like_training_is_near_and_what_is_blurred_inverted_or_of_another_stain_is_far()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        SourceNovelty novelty = SourceNovelty.Of(Enumerable.Range(0, 4).Select(field => Section(field, PhantomStain.He)));
        Image known = Section(7, PhantomStain.He);
        double own = Mean(known);
        Assert.InRange(own, 0.2, 1);
        Assert.True(Mean(Section(7, PhantomStain.Her2)) > 1.3 * own);
        Assert.True(Mean(known.Resize(64, 64).Resize(256, 256)) > 2 * own);
        Assert.True(Mean(new(256, 256, 3, data: [.. known.Data.Select(value => (byte)(255 - value))])) > 2 * own);
        Assert.Equal([4, 4], novelty.Of(known).shape);
        Assert.Throws<TinctorException>(() => novelty.Of(new Image(64, 64, 4)));

        string path = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():N}.safetensors");
        novelty.Save(path);
        try
        {
            Vectors.Close(novelty.Of(known), SourceNovelty.Load(path)!.Of(known), "read again", 1e-6);
            Image map = novelty.Map(known, 2);
            Assert.Equal((512, 512, 1), (map.Width, map.Height, map.Channels));
            Assert.Equal(own * SourceNovelty.Known, map.Data.Average(value => (double)value), 1.0);
        }
        finally
        {
            File.Delete(path);
        }
        Assert.Null(SourceNovelty.Load(path));

        double Mean(Image image) => novelty.Of(image).mean().item();
    }

    [Fact]
    public void Too_few_windows_are_refused()
    {
        var error = Assert.Throws<TinctorException>(() => SourceNovelty.Of([new Image(64, 64, 3)]));
        Assert.Contains("too few", error.Message);
    }

    private static Image Section(int field, PhantomStain stain) =>
        PhantomSlide.Render(new() { Width = 256, Height = 256, Field = field, Stains = [stain] }).Images[0].Image;
}
