using System.CommandLine;
using System.Diagnostics;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Cli.Commands;

/// <summary>Stains slides for <c>tinctor stain</c> and reports on each.</summary>
/// <param name="parse">Parsed command line.</param>
/// <param name="stainer">The model.</param>
/// <param name="sampling">Sampling of a stochastic model; null for deterministic models.</param>
/// <param name="levels">Receives the predicted IHC levels; null if the model predicts none.</param>
/// <param name="quality">JPEG quality, 1 to 100.</param>
/// <param name="cancel">Cancels after the current batch; stained tiles are kept.</param>
internal sealed class SlideStaining(
    ParseResult parse, Stainer stainer, BridgeSampling? sampling, IhcLevelTable? levels, int quality, CancellationToken cancel)
{
    /// <summary>Stains a slide. Returns a warning, or null.</summary>
    public string? Stain(ImageJob job, string output, Action<double, string> report)
    {
        if (parse.GetValue(BridgeOptions.Trajectory))
            throw new TinctorException("--trajectory applies to images, not to slides. Leave it out");
        using Slide slide = SlideOptions.Open(parse, job);
        var run = new SlideStainer(stainer, slide, output, SlideOptions.Read(parse, slide, sampling, quality));
        string name = Path.GetFileName(output);
        Terminal.Note($"{name}: {run.Scale.Note}; {run.Spec}");
        var clock = Stopwatch.StartNew();
        int first = -1;
        StainedSlide done = run.Stain(progress =>
        {
            if (first < 0) first = progress.Done - 1;
            double rate = (progress.Done - first) / clock.Elapsed.TotalSeconds;
            report((double)progress.Done / progress.Total, $"{name}: {progress.Done} of {progress.Total} tiles, {rate:0.0}/s");
        }, cancel);
        if (done.IhcLevel is not null) levels?.Set(job.Name, done.IhcLevel);
        Terminal.Note($"{name}: {done.Tiles} tiles, {Describe(done)}");
        string stem = Slide.Stem(output);
        done.WriteJson($"{stem}.json");
        if (done.Comparison is not null) WritePage($"{stem}.html", slide, output, done);
        return Remark(done);
    }

    private static string? Remark(StainedSlide done) => done switch
    {
        { IsUnlikeTraining: true } => FormattableString.Invariant(
            $"{100 * done.NoveltyShare:0} % of the source is unlike the model's training images: do not trust the result"),
        { NormalizationSkippedReason: { } reason } => $"stain normalisation was skipped: {reason}",
        _ => null,
    };

    private void WritePage(string path, Slide slide, string output, StainedSlide done)
    {
        using var stained = Slide.Open(output);
        string map = SlideStainer.UncertaintyPath(output);
        using Slide? uncertainty = File.Exists(map) ? Slide.Open(map) : null;
        AtomicFile.WriteText(path, StainedSlideReport.Text(slide, stained, uncertainty, done,
            $"{parse.GetRequiredValue<string>("model")} (SHA-256 {stainer.ModelId[..12]})", CommonOptions.ViewerOf(parse)));
    }

    private static string Describe(StainedSlide done)
    {
        var text = new List<string> { $"seams {done.SeamScore:0.000}", $"halo {done.Halo}" };
        if (done.IhcLevel is { } level) text.Add($"IHC level {level.Level} ({level.Probability:0.00})");
        if (done.Comparison?.Haematoxylin is double kept) text.Add($"haematoxylin correlation {kept:0.00}");
        if (done.Comparison?.BackgroundDrift is double drift) text.Add($"background changed by ΔE {drift:0.0}");
        return string.Join(", ", text);
    }
}
