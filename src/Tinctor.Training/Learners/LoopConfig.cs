using System.ComponentModel.DataAnnotations;

namespace Tinctor.Training.Learners;

/// <summary>Settings common to all trainings.</summary>
public abstract record LoopConfig
{
    /// <summary>
    /// Ends training after this many steps whatever the epochs say, the learning rate falling accordingly (a method's over the second
    /// half); 0 for no limit.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Steps { get; init; }

    /// <summary>Images (or pairs of them) a step.</summary>
    [Range(1, 4096)]
    public int BatchSize { get; init; } = 1;

    /// <summary>cpu, cuda, cuda:N, or auto: a GPU where there is one.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Runs suited operators in bfloat16.</summary>
    public bool Amp { get; init; }

    /// <summary>Steps between two lines of metrics.csv.</summary>
    [Range(1, int.MaxValue)]
    public int LogEvery { get; init; } = 10;

    /// <summary>Steps between two checkpoints; 0 for one an epoch, or for several epochs of together at least 500 steps.</summary>
    [Range(0, int.MaxValue)]
    public int CheckpointEvery { get; init; }

    /// <summary>How many of the latest checkpoints are kept beside the best one.</summary>
    [Range(1, 1000)]
    public int KeepCheckpoints { get; init; } = 3;

    /// <summary>Decay of the running average of the trained network's weights that the finished model has; 0 for none.</summary>
    [Range(0, 0.999999)]
    public double Ema { get; init; }
}
