using System.Text.Json;
using System.Text.Json.Serialization;
using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Variance table of the super-resolution paper: sampling strategies, exit steps and numbers of averaged runs in the rows, variation and
/// quality of the results in the columns. Results are saved in results.json after each image, so that an interrupted study resumes.
/// </summary>
internal sealed class VarianceTable
{
    private static readonly JsonSerializerOptions Json =
        new() { WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };
    private readonly string folder, settings;
    private readonly List<VarianceResult> results;

    /// <summary>Creates a study, or resumes the study in the folder.</summary>
    /// <param name="folder">Folder of the study; created if missing.</param>
    /// <param name="settings">All settings on which the numbers depend.</param>
    /// <exception cref="TinctorException">The folder holds a study with other settings, or its file is damaged.</exception>
    public VarianceTable(string folder, string settings)
    {
        (this.folder, this.settings) = (folder, settings);
        Directory.CreateDirectory(folder);
        Content there = File.Exists(Results) ? Read() : new(settings, []);
        if (there.Settings != settings)
            throw new TinctorException(folder, $"begun with other settings ({there.Settings})", "Choose another output folder");
        results = there.Results;
    }

    private string Results => Path.Combine(folder, "results.json");

    /// <summary>Whether an image is measured with a strategy and an exit step.</summary>
    public bool Has(string image, string strategy, int? exitStep = null) =>
        results.Any(result => (result.Image, result.Strategy, result.ExitStep) == (image, strategy, exitStep));

    /// <summary>Adds results and saves the study.</summary>
    public void Add(IEnumerable<VarianceResult> measured)
    {
        results.AddRange(measured);
        AtomicFile.WriteText(Results, JsonSerializer.Serialize(new Content(settings, results), Json));
    }

    /// <summary>Writes table.md and table.tex (means over the images) and table.csv (one row per image).</summary>
    /// <param name="caption">Caption of the table.</param>
    public void Write(string caption) => TableFiles.Write(Means(caption), ByImage(caption), folder, "variance");

    private SectionTable Means(string caption) => new("variance", caption, [.. Columns()],
        [.. results.GroupBy(result => (result.Strategy, result.ExitStep, result.Average)).Select(group => Row(
            group.First(), group.Average(r => r.Variation), group.Average(r => r.Psnr),
                group.Average(r => r.Ssim)))]);

    private SectionTable ByImage(string caption) => new("variance", caption, [new("image", "Image"), .. Columns()],
        [.. results.Select(r => (IReadOnlyList<object?>)[r.Image, .. Row(r, r.Variation, r.Psnr, r.Ssim)])]);

    private bool HasExitSteps => results.Any(result => result.ExitStep is not null);

    private bool HasTargets => results.Any(result => result.Psnr is not null);

    private IEnumerable<SectionColumn> Columns()
    {
        yield return new("strategy", "Sampling");
        if (HasExitSteps) yield return new("exit_step", "Exit step t_e", 0);
        yield return new("runs", "N", 0);
        yield return new("cv", "Coefficient of variation", 4, false);
        if (!HasTargets) yield break;
        yield return new("psnr", "PSNR (dB)", 2, true);
        yield return new("ssim", "SSIM", 4, true);
    }

    private object?[] Row(VarianceResult result, double variation, double? psnr, double? ssim)
    {
        object?[] exit = HasExitSteps ? [result.ExitStep] : [], quality = HasTargets ? [psnr, ssim] : [];
        return [result.Strategy, .. exit, result.Average, variation, .. quality];
    }

    private Content Read()
    {
        try
        {
            return JsonSerializer.Deserialize<Content>(InputFile.ReadText(Results), Json)!;
        }
        catch (JsonException e)
        {
            throw new TinctorException(Results, "is damaged JSON", "Remove the file to start the study again", e);
        }
    }

    private sealed record Content(string Settings, List<VarianceResult> Results);
}
