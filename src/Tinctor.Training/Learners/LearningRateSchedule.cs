namespace Tinctor.Training.Learners;

/// <summary>Schedule of the learning rate.</summary>
public enum Schedule
{
    /// <summary>Decreasing to zero along half a cosine period after the warm-up (CosineAnnealingLR).</summary>
    Cosine,

    /// <summary>Constant.</summary>
    Constant,

    /// <summary>Constant, then decreasing linearly to zero: over the last epochs, or over the second half of the steps.</summary>
    Linear,

    /// <summary>Multiplied by lr_gamma every lr_step steps or lr_step_epochs epochs (StepLR).</summary>
    Step,

    /// <summary>Multiplied by plateau_factor when the validation score stops improving (ReduceLROnPlateau).</summary>
    Plateau,
}

/// <summary>Learning rates as a function of the step, so that a resumed run has the same ones.</summary>
internal static class LearningRateSchedule
{
    /// <summary>Computes the factor of the initial learning rate, 0 to 1, without that of <see cref="Schedule.Plateau"/>.</summary>
    /// <param name="config">Schedule and its parameters.</param>
    /// <param name="step">Number of completed steps.</param>
    /// <param name="total">Number of steps of the run.</param>
    /// <param name="epoch">Epoch of the run, from 0.</param>
    /// <param name="linear">Factor of <see cref="Schedule.Linear"/>; null for a decrease over the second half of the steps.</param>
    public static double Factor(LoopConfig config, int step, int total, int epoch = 0, double? linear = null)
    {
        double warmUp = step < config.LrWarmUp ? (step + 1.0) / config.LrWarmUp : 1;
        return warmUp * config.Schedule switch
        {
            Schedule.Constant or Schedule.Plateau => 1,
            Schedule.Step => Math.Pow(config.LrGamma, config.LrStepEpochs > 0 ? epoch / config.LrStepEpochs : step / config.LrStep),
            Schedule.Cosine => 0.5 * (1 + Math.Cos(Math.PI * Math.Max(0, step - config.LrWarmUp) / Math.Max(1, total - config.LrWarmUp))),
            _ => linear ?? Math.Min(1, 2.0 * (total - step) / total),
        };
    }
}
