namespace Tinctor.Evaluation.Data;

/// <summary>Folders of an evaluation. Images are matched by file name without extension.</summary>
/// <param name="Stained">Output images, one folder per model.</param>
/// <param name="Real">Real images of the target stain.</param>
/// <param name="Source">Inputs of the models; null if not given.</param>
/// <param name="Labels">CSV file with labels, slides or splits; null if not given.</param>
/// <param name="TrainReal">Real images of the training set; null if not given.</param>
internal sealed record ImageFolders(IReadOnlyList<StainedFolder> Stained, string Real, string? Source, string? Labels, string? TrainReal);
