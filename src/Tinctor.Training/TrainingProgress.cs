namespace Tinctor.Training;

/// <summary>What a trainer tells whoever watches, after each step.</summary>
/// <param name="Step">Steps done, from 1.</param>
/// <param name="Steps">Steps of the whole run.</param>
/// <param name="Epoch">The epoch, from 1.</param>
/// <param name="Losses">The losses of this step by name.</param>
/// <param name="ImagesPerSecond">Pairs a second, averaged over the last steps.</param>
/// <param name="Remaining">Time to the end at this rate.</param>
/// <param name="MemoryBytes">Memory of the process, or of the GPU where one is used.</param>
public sealed record TrainingProgress(int Step, int Steps, int Epoch, IReadOnlyDictionary<string, double> Losses, double ImagesPerSecond,
    TimeSpan Remaining, long MemoryBytes);

/// <summary>How a run ended.</summary>
/// <param name="Steps">Steps done in all.</param>
/// <param name="Finished">False if it was asked to stop; it then goes on with --resume.</param>
/// <param name="ModelFolder">The exported model of a finished run.</param>
/// <param name="Validation">How the validation images score, as in "PSNR 23.10 dB"; null without validation.</param>
public sealed record TrainingResult(int Steps, bool Finished, string? ModelFolder, string? Validation);

/// <summary>Receives what a trainer has to say; a front end decides how it looks.</summary>
public interface ITrainingObserver
{
    /// <summary>A remark: the data that was found, the device that is used and why, what was resumed.</summary>
    void Note(string text);

    /// <summary>A step was done.</summary>
    void Step(TrainingProgress progress);
}
