namespace Tinctor.Training;

/// <summary>Progress of training after a step.</summary>
/// <param name="Step">Number of completed steps.</param>
/// <param name="Steps">Number of steps of the run.</param>
/// <param name="Epoch">Epoch, from 1.</param>
/// <param name="Losses">Losses of this step by name.</param>
/// <param name="ImagesPerSecond">Images (or pairs) per second, averaged over the last steps.</param>
/// <param name="Remaining">Estimated time to the end.</param>
/// <param name="MemoryBytes">Memory of the process in bytes, or of the GPU if one is used.</param>
public sealed record TrainingProgress(int Step, int Steps, int Epoch, IReadOnlyDictionary<string, double> Losses, double ImagesPerSecond,
    TimeSpan Remaining, long MemoryBytes);

/// <summary>Result of a run.</summary>
/// <param name="Steps">Number of completed steps.</param>
/// <param name="Finished">Whether the run is complete; a stopped run can be resumed.</param>
/// <param name="ModelFolder">Model folder of a finished run; null for a stopped one.</param>
/// <param name="Validation">Validation score, such as "PSNR 23.10 dB"; null without validation.</param>
public sealed record TrainingResult(int Steps, bool Finished, string? ModelFolder, string? Validation);

/// <summary>Receives notes and progress of a training.</summary>
public interface ITrainingObserver
{
    /// <summary>Receives a note, such as the data found, the device, or the resumed checkpoint.</summary>
    void Note(string text);

    /// <summary>Receives the progress after a step.</summary>
    void Step(TrainingProgress progress);
}
