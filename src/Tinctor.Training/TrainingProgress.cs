namespace Tinctor.Training;

/// <summary>Progress of a training, after each step.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Losses">The losses of this step by name.</param>
/// <param name="ImagesPerSecond">Pairs a second, averaged over the last steps.</param>
/// <param name="Remaining">Time to the end at this rate.</param>
/// <param name="MemoryBytes">Memory of the process, or of the GPU where one is used.</param>
public sealed record TrainingProgress(int Step, int Steps, int Epoch, IReadOnlyDictionary<string, double> Losses, double ImagesPerSecond,
    TimeSpan Remaining, long MemoryBytes);

/// <summary>Result of a run.</summary>
/// <param name="Steps">Steps done in all.</param>
/// <param name="Finished">False if it was asked to stop; it then goes on with --resume.</param>
/// <param name="ModelFolder">The exported model of a finished run.</param>
/// <param name="Validation">How the validation images score, as in "PSNR 23.10 dB"; null without validation.</param>
public sealed record TrainingResult(int Steps, bool Finished, string? ModelFolder, string? Validation);

/// <summary>Receives notes and progress of a training.</summary>
public interface ITrainingObserver
{
    /// <summary>Receives a note: the data found, the device used and why, the checkpoint resumed.</summary>
    void Note(string text);

    /// <summary>Receives the progress after a step.</summary>
    void Step(TrainingProgress progress);
}
