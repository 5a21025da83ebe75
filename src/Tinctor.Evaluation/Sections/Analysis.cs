using Tinctor.Evaluation.Data;

namespace Tinctor.Evaluation.Sections;

/// <summary>Looks at the whole test set and fills one section of the report. Memory must not grow with the number of images.</summary>
public interface IAnalysis
{
    /// <summary>Runs.</summary>
    /// <param name="set">The checked pairs and what is compared with them.</param>
    /// <param name="progress">Called from several threads.</param>
    /// <param name="cancel">Stops between images.</param>
    /// <exception cref="TinctorException">The inputs do not fit the analysis.</exception>
    Section Run(TestSet set, IProgress<EvaluationProgress>? progress, CancellationToken cancel);
}

/// <summary>What an analysis works on.</summary>
/// <param name="Pairs">The images, ordered by name; <see cref="ImagePair.PathOf"/> gives the file that a method made.</param>
/// <param name="Methods">The models in the order given, then identity where it is computed. Mean colour is not among them.</param>
/// <param name="TrainingTargets">Real images of the training set; empty where they are not known.</param>
/// <param name="Seed">Start of all random choices.</param>
public sealed record TestSet(
    IReadOnlyList<ImagePair> Pairs, IReadOnlyList<Method> Methods, IReadOnlyList<LabelledImage> TrainingTargets, int Seed);

/// <summary>A real image of the training set.</summary>
/// <param name="Path">Its file.</param>
/// <param name="Label">Its label, where known.</param>
/// <param name="SlideId">Its slide, where known.</param>
public sealed record LabelledImage(string Path, string? Label, string? SlideId);
