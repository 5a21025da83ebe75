using System.Text.Json;
using System.Text.Json.Serialization;
using Tinctor.Evaluation.Analyses.Uncertainty;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Variance table of the super-resolution paper: sampling strategies and numbers of averaged runs in the rows, variation and quality of the
/// results in the columns. Results are saved in results.json after each image, so that an interrupted study resumes.
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

    /// <summary>Whether an image is measured with a strategy.</summary>
    public bool Has(string image, string strategy) => results.Any(result => result.Image == image && result.Strategy == strategy);

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
        [.. results.GroupBy(result => (result.Strategy, result.Average)).Select(group => Row(
            [group.Key.Strategy, group.Key.Average], group.Average(r => r.Variation), group.Average(r => r.Psnr),
                group.Average(r => r.Ssim)))]);

    private SectionTable ByImage(string caption) => new("variance", caption, [new("image", "Image"), .. Columns()],
        [.. results.Select(r => Row([r.Image, r.Strategy, r.Average], r.Variation, r.Psnr, r.Ssim))]);

    private bool HasTargets => results.Any(result => result.Psnr is not null);

    private IEnumerable<SectionColumn> Columns()
    {
        yield return new("strategy", "Sampling");
        yield return new("runs", "N", 0);
        yield return new("cv", "Coefficient of variation", 4, false);
        if (!HasTargets) yield break;
        yield return new("psnr", "PSNR (dB)", 2, true);
        yield return new("ssim", "SSIM", 4, true);
    }

    private object?[] Row(object[] names, double variation, double? psnr, double? ssim) =>
        HasTargets ? [.. names, variation, psnr, ssim] : [.. names, variation];

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
