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
/// <param name="sampling">Sampling of a stochastic model; null for deterministic models.</param>
/// <param name="levels">Receives the predicted IHC levels; null if the model predicts none.</param>
/// <param name="quality">JPEG quality, 1 to 100.</param>
/// <param name="cancel">Cancels after the current batch; stained tiles are kept.</param>
internal sealed class SlideStaining(
    ParseResult parse, BridgeSampling? sampling, IhcLevelTable? levels, int quality, CancellationToken cancel)
{
    /// <summary>Stains a slide, or a band of it, to one or more stains, whose tiles are read once. Returns a warning, or null.</summary>
    /// <param name="job">The slide.</param>
    /// <param name="targets">The stains.</param>
    /// <param name="band">Band of the slide; null for the whole slide.</param>
    /// <param name="isFinished">Whether all results are there.</param>
    /// <param name="report">Receives the completed share and the current step.</param>
    /// <param name="record">Records a stained slide in the tables of the folder.</param>
    /// <exception cref="JobSkippedException">Another process has finished the slide, or is to finish it.</exception>
    public string? Stain(ImageJob job, IReadOnlyList<StainTarget> targets, Shard? band, Func<bool> isFinished,
        Action<double, string> report, Action<StainTarget> record)
    {
        if (parse.GetValue(BridgeOptions.Trajectory))
            throw new TinctorException("--trajectory applies to images, not to slides. Leave it out");
        using Slide slide = SlideOptions.Open(parse, job);
        SlideStainOptions options = SlideOptions.Read(parse, slide, sampling, quality);
        SlideStainer[] runs = [.. targets.Select(target => new SlideStainer(target.Stainer, slide, target.Output, options))];
        string name = Path.GetFileName(targets[0].Output);
        string part = band is null ? "" : $"band {band}, ";
        Terminal.Note($"{name}: {part}{runs[0].Scale.Note}; {runs[0].Spec}");
        var clock = Stopwatch.StartNew();
        int first = -1;
        IReadOnlyList<StainedSlide>? stained = SlideStainer.StainTogether(runs, band, isFinished, progress =>
        {
            if (first < 0) first = progress.Done - 1;
            double rate = (progress.Done - first) / clock.Elapsed.TotalSeconds;
            report((double)progress.Done / progress.Total, $"{name}: {part}{progress.Done} of {progress.Total} tiles, {rate:0.0}/s");
        }, cancel, (i, done) =>
        {
            Report(targets[i], slide, done);
            record(targets[i]);
        });
        if (stained is null) return LeaveToOthers(job, name, band, isFinished());
        return Remark(stained[0]);
    }

    private static string? LeaveToOthers(ImageJob job, string name, Shard? band, bool isFinished)
    {
        if (band is null || isFinished) throw new JobSkippedException($"{job.Input}: another process has stained it.");
        Terminal.Note($"{name}: band {band} is stained. The process that stains the last band writes the slide.");
        return null;
    }

    private void Report(StainTarget target, Slide slide, StainedSlide done)
    {
        if (done.IhcLevel is not null) levels?.Set(target.Name, done.IhcLevel);
        string name = Path.GetFileName(target.Output), stain = target.Stainer.TargetStain is { } known ? $"{known}: " : "";
        Terminal.Note($"{name}: {stain}{done.Tiles} tiles, {Describe(done)}");
        string stem = Slide.Stem(target.Output);
        done.WriteJson($"{stem}.json");
        if (done.Comparison is not null) WritePage($"{stem}.html", slide, target, done);
    }

    private static string? Remark(StainedSlide done) => done switch
    {
        { IsUnlikeTraining: true } => FormattableString.Invariant(
            $"{100 * done.NoveltyShare:0} % of the source is unlike the model's training images: do not trust the result"),
        { ReducedBatch: { } batch } => $"memory was too short for the batch: {batch} of its tiles were stained at a time (--batch-size)",
        { NormalizationSkippedReason: { } reason } => $"stain normalisation was skipped: {reason}",
        _ => null,
    };

    private void WritePage(string path, Slide slide, StainTarget target, StainedSlide done)
    {
        string output = target.Output;
        using var stained = Slide.Open(output);
        string map = SlideStainer.UncertaintyPath(output);
        using Slide? uncertainty = File.Exists(map) ? Slide.Open(map) : null;
        AtomicFile.WriteText(path, StainedSlideReport.Text(slide, stained, uncertainty, done,
            $"{parse.GetRequiredValue<string>("model")} (SHA-256 {target.Stainer.ModelId[..12]})", CommonOptions.ViewerOf(parse)));
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
