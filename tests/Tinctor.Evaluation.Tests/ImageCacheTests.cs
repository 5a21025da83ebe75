using Tinctor.Evaluation.Data;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

public sealed class ImageCacheTests
{
    [Fact]
    public void Kept_image_is_returned_once_without_its_file()
    {
        using var set = new ExampleImages(1);
        string path = Path.Combine(set.Real, set.Names[0] + ".png");
        var cache = new ImageCache();
        Image kept = cache.Keep(path);
        File.Delete(path);
        Assert.Same(kept, cache.Take(path));
        Assert.Throws<TinctorException>(() => cache.Take(path));
    }
}
