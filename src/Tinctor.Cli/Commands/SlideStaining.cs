using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Spectre.Console;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Cli.Commands;

/// <summary>Stains one slide after another for <c>tinctor stain</c>, and tells how each went.</summary>
/// <param name="parse">What was asked for.</param>
/// <param name="stainer">The model.</param>
/// <param name="sampling">How it samples, if it stains by chance.</param>
/// <param name="modelId">Hash of its weights.</param>
/// <param name="levels">Takes the levels of slides, if the model tells them.</param>
/// <param name="quality">Of JPEG.</param>
/// <param name="cancel">Stops; what is done is kept.</param>
internal sealed class SlideStaining(
    ParseResult parse, Stainer stainer, BridgeSampling? sampling, string modelId, LevelTable? levels, int quality, CancellationToken cancel)
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true };

    /// <summary>Stains a slide; returns what is remarkable about it, or null.</summary>
    public string? Stain(ImageJob job, string output, Action<double, string> report)
    {
        if (parse.GetValue(ChanceOptions.Trajectory)) throw new TinctorException("--trajectory is for images, not for slides");
        using Slide slide = SlideOptions.Open(parse, job.Input);
        bool isField = slide.Levels.Count == 1 && slide.Mpp is null;
        var run = new SlideStainer(stainer, slide, output, SlideOptions.Of(parse, slide, isField, sampling, quality));
        string name = Path.GetFileName(output);
        AnsiConsole.MarkupLineInterpolated($"[dim]{name}: {run.Scale.Note}; {run.Spec}[/]");
        var clock = Stopwatch.StartNew();
        int first = -1;
        StainedSlide done = run.Stain(modelId, new Direct(progress =>
        {
            if (first < 0) first = progress.Done - 1;
            double rate = (progress.Done - first) / clock.Elapsed.TotalSeconds;
            report((double)progress.Done / progress.Total, $"{name}: {progress.Done} of {progress.Total} tiles, {rate:0.0}/s");
        }), cancel);
        if (done.Level is not null) levels?.Set(job.Name, done.Level);
        AnsiConsole.MarkupLineInterpolated($"[dim]{name}: {done.Tiles} tiles, {Describe(done)}[/]");
        string stem = Slide.Stem(output);
        AtomicFile.WriteText($"{stem}.json", JsonSerializer.Serialize(Values(job, done), Readable) + "\n");
        if (done.Comparison is not null) WritePage($"{stem}.html", slide, output, done);
        return done.Untouched is null ? null : $"{done.Untouched}; stained without normalising it";
    }

    private void WritePage(string path, Slide slide, string output, StainedSlide done)
    {
        using var stained = Slide.Open(output);
        string map = SlideStainer.UncertaintyPath(output);
        using Slide? uncertainty = File.Exists(map) ? Slide.Open(map) : null;
        AtomicFile.WriteText(path, StainedSlideReport.Text(slide, stained, uncertainty, done, $"{parse.GetRequiredValue<string>("model")} (SHA-256 {modelId[..12]})"));
    }

    private static string Describe(StainedSlide done)
    {
        var text = new List<string> { $"seams {done.Seams:0.000}", $"halo {done.Halo}" };
        if (done.Level is { } level) text.Add($"level {level.Level} ({level.Probability:0.00})");
        if (done.Comparison?.Haematoxylin is double kept) text.Add($"haematoxylin's correlation {kept:0.00}");
        if (done.Comparison?.GlassDrift is double drift) text.Add($"glass moved by ΔE {drift:0.0}");
        return string.Join(", ", text);
    }

    private object Values(ImageJob job, StainedSlide done) => new
    {
        source = Path.GetFullPath(job.Input),
        model_sha256 = modelId,
        width = done.Spec.Width,
        height = done.Spec.Height,
        mpp = done.Spec.Mpp,
        resolution = done.Scale.Note,
        tiles = done.Tiles,
        halo = done.Halo,
        seam_score = done.Seams,
        haematoxylin_correlation = done.Comparison?.Haematoxylin,
        glass_drift_delta_e = done.Comparison?.GlassDrift,
        level = done.Level?.Level,
        level_probability = done.Level?.Probability,
    };

    /// <summary>Reports on the thread that reports, at once.</summary>
    private sealed class Direct(Action<SlideProgress> report) : IProgress<SlideProgress>
    {
        public void Report(SlideProgress value) => report(value);
    }
}
