using System.Globalization;
using System.Text;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Training;

/// <summary>README.md of a model folder: what the model is, what it was trained on, and what it is not for.</summary>
internal static class ModelCard
{
    public static string Write(RunConfig config, TrainingData data, TrainingState state)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # {config.Method}: virtual staining model

            | | |
            |---|---|
            | Method | {config.Method} |
            | Made by | Tinctor {RunEnvironment.Version}, {DateTime.UtcNow:yyyy-MM-dd} |
            | Training data | {data.Manifest.Describe()} |
            | Trained on | {data.Train.Count} pairs, {config.Data.Direction}, crops of {config.Data.CropSize} pixels |
            | Stains | {config.Stains?.Describe() ?? "as they are"} |
            | Slides trained on | {Slides(data.Train)} |
            | Slides held out | {Slides(data.Manifest.InSplit("test").Concat(data.Validation))} |
            | Steps | {state.Step}, {config.Training.BatchSize} {(config.Training.BatchSize == 1 ? "pair" : "pairs")} each |
            | Validation | {Validation(data, state)} |
            | Licence of the weights | not stated: add it before passing the model on; it depends on the licence of the data |

            ## Use

            Tinctor's command `stain` takes this folder as its model; programs load it with `TrainedModel.LoadStainer`.

            Intended for images of the same kind of tissue, stain, scanner and pixel size as those it was trained on. On others its output
            can look right and be wrong. **Research use only, not for diagnosis.**

            ## Settings

            ```yaml
            """);
        text.Append(ConfigFile.Write(config));
        text.AppendLine("```");
        return text.ToString();
    }

    private static string Validation(TrainingData data, TrainingState state)
    {
        if (state.LastScore is not double psnr) return data.ValidationNote;
        int count = data.Validation.Count, scored = Math.Min(count, Preview.MostValidationPairs);
        string part = scored < count ? string.Create(CultureInfo.InvariantCulture, $" ({scored} of {count} pairs)") : "";
        return string.Create(CultureInfo.InvariantCulture, $"PSNR {psnr:F2} dB on {data.ValidationNote}{part}");
    }

    private static string Slides(IEnumerable<Tinctor.Data.Pair> pairs)
    {
        string[] slides = [.. pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        return slides.Length == 0
            ? "not known"
            : string.Join(", ", slides.Take(30)) + (slides.Length > 30 ? $" and {slides.Length - 30} more" : "");
    }
}
