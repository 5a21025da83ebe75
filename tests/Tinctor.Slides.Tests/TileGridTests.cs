namespace Tinctor.Slides.Tests;

public sealed class TileGridTests
{
    [Fact]
    public void Fit_centres_tiles_and_leaves_small_images_out()
    {
        Assert.Equal([new(1, 1, 4, 4), new(5, 1, 4, 4)], TileGrid.Fit(11, 7, 4, 4));
        Assert.Equal([new(0, 0, 4, 4), new(2, 0, 4, 4)], TileGrid.Fit(6, 4, 4, 2));
        Assert.Empty(TileGrid.Fit(3, 9, 4, 4));
        Assert.Empty(TileGrid.Fit(9, 3, 4, 4));
    }

    [Theory]
    [InlineData(8, 6, 2), InlineData(11, 7, 3), InlineData(5, 5, 5), InlineData(9, 4, 1)]
    public void Divide_covers_each_pixel_once_with_sizes_that_differ_by_one(int width, int height, int grid)
    {
        PixelArea[] areas = [.. TileGrid.Divide(width, height, grid)];
        Assert.Equal(grid * grid, areas.Length);
        var covered = new int[width * height];
        foreach (PixelArea area in areas)
        {
            Assert.InRange(area.Width, width / grid, (width + grid - 1) / grid);
            Assert.InRange(area.Height, height / grid, (height + grid - 1) / grid);
            for (int y = area.Y; y < area.Bottom; y++)
                for (int x = area.X; x < area.Right; x++) covered[(y * width) + x]++;
        }
        Assert.All(covered, count => Assert.Equal(1, count));
    }
}
