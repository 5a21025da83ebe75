using Microsoft.Playwright;
using Tinctor.Evaluation.Report;
using Tinctor.Evaluation.Sections;
using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Evaluation.Tests;

/// <summary>A chromium, and the pages that it opens: reports of one and of two models, of a slide and of a registration.</summary>
public sealed class ReportBrowser : IAsyncLifetime
{
    private const string Chromium = "/usr/bin/chromium";
    private readonly ExampleImages set = new(images: 20, size: 96, bciNames: true);
    private IPlaywright? playwright;
    private IBrowser? chromium;
    private string html = "";

    public List<string> Errors { get; } = [];

    public List<string> Requests { get; } = [];

    public string Url { get; private set; } = "";

    /// <summary>The report of two models with sections.</summary>
    public string Several { get; private set; } = "";

    /// <summary>A page of sections alone, as of a stained slide.</summary>
    public string Slide { get; private set; } = "";

    public string Registration { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Chromium))
            return;
        var rows = Enumerable.Range(0, 50).Select(i => FormattableString.Invariant($"{i},0,{9.0 / (i + 1)},{0.5 + i % 3},0.0002\n"));
        string log = set.File("run/metrics.csv", "step,epoch,loss_G,loss_D,lr\n" + string.Concat(rows));
        set.File("run/config.yaml", "method: pix2pix\n");
        var options = set.Options with { Run = Path.GetDirectoryName(log), Title = "A test of the report" };
        html = EvaluationFiles.Write(Evaluator.Run(options), set.Out).Html;
        options = set.Options with { Stained = set.TwoModels, Analyses = ExampleAnalysis.All, Title = "Two models <of> \"a\" kind" };
        Several = EvaluationFiles.Write(Evaluator.Run(options), set.Out + "-several").Html;
        Registration = set.File("registration/registration.html", RegistrationPage());
        Slide = set.File("slide/slide.html", HtmlReport.Text("A stained slide", "stained slide", "2 tiles", [SlideSection()]));
        playwright = await Playwright.CreateAsync();
        chromium = await playwright.Chromium.LaunchAsync(new()
        {
            ExecutablePath = Chromium,
            Args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"],
        });
    }

    private static string RegistrationPage()
    {
        var affine = AffineTransform.Rotation(-0.2, 150, 150);
        var quality = new RegistrationQuality
        {
            Metric = SimilarityMetric.LocalNcc,
            Similarity = 0.43,
            AffineSimilarity = 0.22,
            Chance = 0.01,
            Distinctness = 8.5,
            Reasons = ["the similarity is hardly above chance (8.5 standard deviations above wrong alignments, at least 10 expected)"],
        };
        var transform = new RegistrationTransform(new("/data/section 1 with a long name, haematoxylin and eosin.svs", 46_000, 32_914,
            0.25),
            new("/data/her2.svs", 45_210, 33_002, 0.25), affine, null, quality);
        Image picture = ExampleImages.Blobs(300, 1, [0.2, 1, 0.3]), warped = ExampleImages.Blobs(300, 1, [0.5, 0.7, 1]);
        return RegistrationReport.Text(transform, new(picture, warped, picture, warped),
            new(78, 2, 3.1, 0.0042, 0.0121, 0.02, 0.31, 1));
    }

    private static ReportSection SlideSection() => new("slide", "The slide", "Source and result.")
    {
        Pictures =
        [
            new("Source", "slide.svs", ExampleImages.Blobs(300, 1, [0.2, 1, 0.3])) { LongestSide = 300 },
            new("Stained", "by a model", ExampleImages.Blobs(300, 1, [0.5, 0.7, 1])) { LongestSide = 300 },
        ],
        Tables =
        [
            new("legend", "Variation: legend and share of the stained area", [new("degree", "Degree"), new("share", "Share (%)", 1)],
            [
                [new Swatch("stable: varies by less than 5 %", null), 81.5],
                [Swatch.FromRgb("very unfamiliar: more than twice the limit", 200, 30, 40), 18.5],
            ]),
        ],
    };

    public async Task<IPage> Open(int width = 1100, bool touch = false, string? file = null)
    {
        Assert.SkipWhen(chromium is null, $"needs {Chromium} (apt install chromium)");
        Errors.Clear();
        Requests.Clear();
        var context = await chromium!.NewContextAsync(new() { ViewportSize = new() { Width = width, Height = 900 }, HasTouch = touch });
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(60_000);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                Errors.Add(message.Text);
        };
        page.PageError += (_, error) => Errors.Add(error);
        page.Request += (_, request) => Requests.Add(request.Url);
        Url = new Uri(file ?? html).AbsoluteUri;
        await page.GotoAsync(Url);
        return page;
    }

    public async ValueTask DisposeAsync()
    {
        if (chromium is not null)
            await chromium.DisposeAsync();
        playwright?.Dispose();
        set.Dispose();
    }
}
