using System.ComponentModel.DataAnnotations;

namespace Tinctor.Training.Learners;

/// <summary>Settings common to all training runs.</summary>
public abstract record LoopConfig
{
    /// <summary>
    /// Number of steps of the run, instead of epochs; the linear schedule then decreases over the second half. 0 for epochs.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Steps { get; init; }

    /// <summary>Images or pairs per step, which the processes of a distributed training share.</summary>
    [Range(1, 4096)]
    public int BatchSize { get; init; } = 1;

    /// <summary>
    /// Schedule of the learning rate: linear (constant, then decreasing to zero over epochs_decay, or over the second half of the steps),
    /// constant, step (multiplied by lr_gamma every lr_step steps or lr_step_epochs epochs), cosine (half a period) or plateau
    /// (multiplied by plateau_factor when the validation score stops improving).
    /// </summary>
    public Schedule Schedule { get; init; } = Schedule.Linear;

    /// <summary>Number of steps between decreases of the learning rate, for schedule=step.</summary>
    [Range(1, int.MaxValue)]
    public int LrStep { get; init; } = 1000;

    /// <summary>Number of epochs between decreases of the learning rate, for schedule=step; 0 for lr_step.</summary>
    [Range(0, 1000000)]
    public int LrStepEpochs { get; init; }

    /// <summary>Factor of each decrease of the learning rate, for schedule=step.</summary>
    [Range(0.0, 1.0)]
    public double LrGamma { get; init; } = 0.99;

    /// <summary>Number of validations without an improvement that the learning rate stays, for schedule=plateau.</summary>
    [Range(0, int.MaxValue)]
    public int PlateauPatience { get; init; } = 5;

    /// <summary>Factor of each decrease of the learning rate, for schedule=plateau.</summary>
    [Range(0.0, 1.0)]
    public double PlateauFactor { get; init; } = 0.2;

    /// <summary>Smallest relative change of the validation score that counts as an improvement, for schedule=plateau.</summary>
    [Range(0.0, 1.0)]
    public double PlateauThreshold { get; init; } = 0.01;

    /// <summary>Number of first steps in which the learning rate increases linearly to that of the schedule; 0 for none.</summary>
    [Range(0, int.MaxValue)]
    public int LrWarmUp { get; init; }

    /// <summary>cpu, cuda, cuda:N, or auto (the first GPU if there is one).</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Mixed precision: runs suitable operators in bfloat16.</summary>
    public bool Amp { get; init; }

    /// <summary>Number of steps between rows of metrics.csv.</summary>
    [Range(1, int.MaxValue)]
    public int LogEvery { get; init; } = 10;

    /// <summary>Number of steps between checkpoints; 0 for one per epoch, or per several epochs if they are short.</summary>
    [Range(0, int.MaxValue)]
    public int CheckpointEvery { get; init; }

    /// <summary>Number of epochs between checkpoints, if checkpoint_every is 0; 0 for one or several.</summary>
    [Range(0, 1000000)]
    public int CheckpointEpochs { get; init; }

    /// <summary>Number of latest checkpoints to keep, in addition to the best one.</summary>
    [Range(1, 1000)]
    public int KeepCheckpoints { get; init; } = 3;

    /// <summary>
    /// Number of validations without an improvement after which the run ends (early stopping); the model then has the best weights. 0 for
    /// none.
    /// </summary>
    [Range(0, int.MaxValue)]
    public int Patience { get; init; }

    /// <summary>Smallest change of the validation score that counts as an improvement for patience, in the unit of the score.</summary>
    [Range(0.0, 1e6)]
    public double MinImprovement { get; init; }

    /// <summary>Number of first validations that patience ignores.</summary>
    [Range(0, int.MaxValue)]
    public int PatienceWarmUp { get; init; }

    /// <summary>Decay of the exponential moving average (EMA) of the weights, which the finished model contains; 0 for none.</summary>
    [Range(0, 0.999999)]
    public double Ema { get; init; }

    /// <summary>
    /// Whether the decay of step n is at most (1 + n) / (10 + n), so that the average follows the weights at first. Without it, the random
    /// initial weights keep a share of decay^steps.
    /// </summary>
    public bool EmaWarmUp { get; init; } = true;
}
