using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Tests;

public sealed class DeepZoomTests
{
    [Theory]
    [InlineData(1, 1, 0)]
    [InlineData(2, 1, 1)]
    [InlineData(256, 3, 8)]
    [InlineData(257, 3, 9)]
    [InlineData(100_000, 200_000, 18)]
    [InlineData(int.MaxValue, int.MaxValue, 31)]
    public void LargestLevel_is_rounded_logarithm(int width, int height, int level) =>
        Assert.Equal(level, new DeepZoom(width, height).LargestLevel);

    [Theory]
    [InlineData(1300, 700)]
    [InlineData(254, 255)]
    [InlineData(1, 1000)]
    [InlineData(508, 509)]
    public void Tiles_cover_each_level_with_overlap_of_one_pixel(int width, int height)
    {
        var pyramid = new DeepZoom(width, height);
        for (int level = 0; level <= pyramid.LargestLevel; level++)
        {
            int across = (int)Math.Ceiling(width / Math.Pow(2, pyramid.LargestLevel - level)), end = 0, column = 0;
            for (; pyramid.Tile(level, column, 0) is { } tile; column++)
            {
                Assert.Equal(Math.Max(0, (column * 254) - 1), tile.X);
                Assert.True(tile.Width > 0 && tile.X <= end);
                end = tile.X + tile.Width;
            }
            Assert.Equal(across, end);
            Assert.Equal((across + 253) / 254, column);
        }
        Assert.Null(pyramid.Tile(pyramid.LargestLevel + 1, 0, 0));
    }
}
