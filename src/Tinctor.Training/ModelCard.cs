using System.Globalization;
using System.Text;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Training;

/// <summary>README.md of a model folder: method, training data, validation, intended use and settings.</summary>
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
            | Created by | Tinctor {RunEnvironment.Version}, {DateTime.UtcNow:yyyy-MM-dd} |
            | Training data | {data.Manifest.Describe()} |
            | Trained on | {data.Train.Count} pairs, {config.Data.Direction}, crops of {config.Data.CropSize} pixels |
            | Stain normalisation | {config.Stains?.Describe() ?? "none"} |
            | Training slides | {Slides(data.Train)} |
            | Held-out slides | {Slides(data.Manifest.InSplit("test").Concat(data.Validation))} |
            | Steps | {state.Step}, {config.Training.BatchSize} {(config.Training.BatchSize == 1 ? "pair" : "pairs")} each |
            | Validation | {Validation(data, state)} |
            | Licence of the weights | not stated; add it before distribution. It depends on the licence of the data |

            ## Use

            Tinctor's command `stain` takes this folder as its model; programs load it with `TrainedModel.LoadStainer`.

            The model is intended for images with the tissue, stain, scanner and pixel size of its training data. For other images the
            output may look plausible but be wrong. **Research use only, not for diagnosis.**

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
            ? "unknown"
            : ProblemList.Join(slides, 30);
    }
}
