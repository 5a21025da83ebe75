using System.Text.Json;
using System.Text.RegularExpressions;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Evaluation.Tests;

public sealed partial class StainedSlideReportTests : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("tinctor-slide-report-");

    public void Dispose() => root.Delete(recursive: true);

    [Fact]
    public void Text_source_unlike_training_warns_at_top()
    {
        JsonElement section = Overview(noveltyShare: 0.73);
        Assert.Equal(["73 % of the source is unlike the model's training images: do not trust the result"],
            Strings(section.GetProperty("warnings")));
        Assert.DoesNotContain("Source", Quantities(section).Keys);
    }

    [Fact]
    public void Text_source_like_training_has_row()
    {
        JsonElement section = Overview(noveltyShare: 0.04);
        Assert.Empty(Strings(section.GetProperty("warnings")));
        Assert.Equal("fits the training images (4 % unfamiliar)", Quantities(section)["Source"]);
    }

    [Fact]
    public void Text_model_without_detector_omits_source()
    {
        JsonElement section = Overview(noveltyShare: null);
        Assert.Empty(Strings(section.GetProperty("warnings")));
        Assert.DoesNotContain("Source", Quantities(section).Keys);
    }

    [Fact]
    public void Create_viewer_link_names_slides_by_name_and_content()
    {
        string path = Path.Combine(root.FullName, "slide & more.png"), copy = Path.Combine(root.FullName, "copy.png");
        ExampleImages.Blobs(64, 1, [0.55, 0.75, 0.95]).Write(path);
        File.Copy(path, copy);
        string content = SlideContent.Fingerprint(path);
        Assert.Equal(content, SlideContent.Fingerprint(copy));
        Assert.Equal($"http://localhost:1234/open?name=slide%20%26%20more.png&fingerprint={content}&compare=copy.png"
            + $"&compareFingerprint={content}",
            ViewerLink.Create("http://localhost:1234/", path, copy).Single().Address);
        Assert.Empty(ViewerLink.Create(null, path));
    }

    // The first section of the page.
    private JsonElement Overview(double? noveltyShare)
    {
        string path = Path.Combine(root.FullName, "slide.png");
        ExampleImages.Blobs(64, 1, [0.55, 0.75, 0.95]).Write(path);
        using var slide = Slide.Open(path);
        var run = new StainedSlide(path, "0123", new SlideScale(1, 0.5, "0.5 um/px"), new SlideSpec(64, 64), 16, 1,
            1)
        { NoveltyShare = noveltyShare };
        string html = StainedSlideReport.Text(slide, slide, null, run, "model");
        return JsonDocument.Parse(Data().Match(html).Groups[1].Value).RootElement.GetProperty("sections")[0];
    }

    private static IEnumerable<string?> Strings(JsonElement array) => array.EnumerateArray().Select(item => item.GetString());

    private static Dictionary<string, string?> Quantities(JsonElement section) =>
        section.GetProperty("tables")[0].GetProperty("rows").EnumerateArray()
        .ToDictionary(row => row[0].GetString()!, row => row[1].GetString());

    [GeneratedRegex("<script[^>]*application/json[^>]*>(.*?)</script>", RegexOptions.Singleline)]
    private static partial Regex Data();
}
