using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Staining.Tests.WholeSlides;

public sealed class TileLayoutTests
{
    [Theory]
    [InlineData(1000, 300, 128, 32, 32)]
    [InlineData(129, 127, 128, 0, 32)]
    [InlineData(50, 400, 64, 0, 0)]
    [InlineData(1, 1, 64, 0, 32)]
    public void Tiles_cover_slide_in_consecutive_bands(int width, int height, int tile, int halo, int ramp)
    {
        var layout = new TileLayout(width, height, tile, halo, ramp);
        foreach (TileLayout.Axis axis in new[] { layout.Across, layout.Down })
        {
            var total = new double[axis.Length];
            int end = 0;
            for (int i = 0; i < axis.Count; i++)
            {
                Assert.InRange(axis.Start(i), 0, axis.Length - axis.Tile);
                Assert.Equal(end, axis.Start(i));
                end = axis.End(i);
                float[] weights = axis.Weights(i);
                for (int k = 0; k < axis.Tile; k++) total[axis.Start(i) + k] += weights[k];
            }
            Assert.Equal(axis.Length, end);
            Assert.All(total, weight => Assert.True(weight > 0.999));
        }
    }

    [Fact]
    public void Blending_weights_of_neighbours_sum_to_one()
    {
        // Two full strides: no tile is moved to end with the slide.
        var axis = new TileLayout(128 + (2 * 64), 128, 128, 16, 32).Across;
        Assert.Equal(3, axis.Count);
        var total = new float[axis.Length];
        for (int i = 0; i < axis.Count; i++)
            foreach ((int k, float weight) in axis.Weights(i).Index()) total[axis.Start(i) + k] += weight;
        Assert.All(total, weight => Assert.Equal(1, weight, 1e-5));
        float[] middle = axis.Weights(1);
        Assert.All(middle[..16].Concat(middle[^16..]), weight => Assert.Equal(0, weight));
        Assert.All(middle[48..80], weight => Assert.Equal(1, weight));
        Assert.Equal(middle.Reverse(), middle);
    }

    [Theory]
    [InlineData(2560, 688, 4)] // 4 tiles with 3 overlaps of 64: (2560 + 3 * 64) / 4
    [InlineData(1280, 672, 2)]
    [InlineData(700, 704, 1)]
    [InlineData(300, 512, 1)]
    public void Fit_chooses_the_side_with_the_fewest_pixels(int length, int side, int count)
    {
        var layout = TileLayout.Fit(length, 4000, (512, 768), 16, halo: 16, overlap: 32);
        Assert.Equal((Math.Min(side, length), count), (layout.Across.Tile, layout.Across.Count));
        Assert.Equal(layout.Across.Count, layout.Scale(2).Across.Count);
        for (int other = 512; other <= 768; other += 16)
            Assert.True(new TileLayout(4000, 4000, other, 16, 32).Down.Count * other >= layout.Down.Count * layout.Down.Tile);
    }

    [Fact]
    public void Scale_enlarges_every_tile()
    {
        var layout = new TileLayout(333, 217, 128, 32, 32);
        TileLayout larger = layout.Scale(5);
        Assert.Equal(layout.Across.Count, larger.Across.Count);
        for (int i = 0; i < layout.Across.Count; i++) Assert.Equal(5 * layout.Across.Start(i), larger.Across.Start(i));
        Assert.Equal(5 * layout.Down.Length, larger.Down.End(layout.Down.Count - 1));
    }

    [Fact]
    public void SeamScore_is_high_for_steps_at_tile_borders_only()
    {
        var layout = new TileLayout(512, 512, 128, 0, 0);
        Assert.Equal(1, Score(0), 0.05);
        Assert.True(Score(12) > 1.3);

        double Score(int step)
        {
            var random = new Random(3);
            var image = new Image(512, 512, 3);
            for (int i = 0; i < 512 * 512; i++)
            {
                int shade = 120 + (((i % 512 / 128) + (i / 512 / 128)) % 2 * step);
                for (int c = 0; c < 3; c++) image.Data[(i * 3) + c] = (byte)(shade + random.Next(20));
            }
            var seams = new SeamScore(layout, 16);
            // As it comes: in parts, each with what is to its left and above.
            foreach (PixelArea area in new SlideSpec(512, 512) { Tile = 80 }.Tiles)
            {
                (int left, int top) = (Math.Min(area.X, 1), Math.Min(area.Y, 1));
                seams.Add(area, image.Crop(area.X - left, area.Y - top, area.Width + left, area.Height + top));
            }
            return seams.Value;
        }
    }
}
