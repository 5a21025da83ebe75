using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Methods;

/// <summary>Settings of a run that a method may complete.</summary>
/// <param name="Data">Location of the data, and augmentation.</param>
/// <param name="Training">Length and schedule of the training.</param>
/// <param name="Model">Settings of the method.</param>
/// <param name="Steps">Number of steps of the run.</param>
internal sealed record RunSettings(DataConfig Data, LoopConfig Training, MethodConfig Model, int Steps)
{
    /// <summary>Number of steps between changes of schedules: those of an epoch, or 1 if the length is set in steps.</summary>
    public int StepsPerEpoch { get; init; } = 1;

    /// <summary>Share of the steps at their end in which the linear schedule decreases the learning rate.</summary>
    public double DecayShare { get; init; } = 0.5;
}
