using System.Globalization;
using System.Text;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Learners;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;
using Tinctor.Training.Validation;

namespace Tinctor.Training;

/// <summary>README.md of a model folder: method, training data, validation, intended use and settings.</summary>
internal static class ModelCard
{
    public static string Write(RunConfig config, Module network, TrainingData data, TrainingState state, PairScore score, int scored)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture, $"""
            # {config.Method}: virtual staining model

            | | |
            |---|---|
            | Method | {config.Method} |
            | Parameters | {Learner.DescribeSize(network)} |
            | Created by | Tinctor {RunEnvironment.Version}, {DateTime.UtcNow:yyyy-MM-dd} |
            | Training data | {data.Manifest.Describe()} |
            | Trained on | {data.DescribeTrain("pairs")}, {config.Data.Direction}, {Crops(config.Data)} |
            | Stain normalisation | {config.Stains?.Describe() ?? "none"} |
            | Training slides | {Slides(data.Train)} |
            | Held-out slides | {Slides(data.Manifest.InSplit("test").Concat(data.Validation))} |
            | Initial weights | {Start(config)} |
            | Steps | {state.Step}, {config.Training.BatchSize} {(config.Training.BatchSize == 1 ? "pair" : "pairs")} each |
            | Validation | {Validation(data, state, score, scored)} |
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

    private static string Crops(DataConfig data) => data.UsesWholeImages ? "whole images" : $"crops of {data.CropSize} pixels";

    private static string Start(RunConfig config) => config.Training.StartFrom is { } start
        ? $"{Path.GetFileName(start.Path)}, SHA-256 {start.Sha256}" : "random";

    private static string Validation(TrainingData data, TrainingState state, PairScore score, int scored)
    {
        if (state.LastScore is not double value) return data.ValidationNote;
        int count = data.Validation.Count;
        string part = scored < count ? string.Create(CultureInfo.InvariantCulture, $" ({scored} of {count} pairs)") : "";
        string best = state.IsBest ? "" : Best(state, score);
        return string.Create(CultureInfo.InvariantCulture, $"{score.Format(value)}{best} on {data.ValidationNote}{part}");
    }

    private static string Best(TrainingState state, PairScore score) => state is { BestScore: double best, BestStep: { } step }
        ? $" (best {score.Format(best)} at step {step})" : "";

    private static string Slides(IEnumerable<Tinctor.Data.Pair> pairs)
    {
        string[] slides = [.. pairs.Select(pair => pair.SlideId).Where(slide => slide.Length > 0).Distinct().Order(StringComparer.Ordinal)];
        return slides.Length == 0
            ? "unknown"
            : ProblemList.Join(slides, 30);
    }
}
