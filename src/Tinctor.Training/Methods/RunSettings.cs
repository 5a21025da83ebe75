using Tinctor.Training.Learners;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Methods;

/// <summary>Settings of a run that a method may complete.</summary>
/// <param name="Data">Location of the data, and augmentation.</param>
/// <param name="Training">Length and schedule of the training.</param>
/// <param name="Model">Settings of the method.</param>
/// <param name="Steps">Number of steps of the run.</param>
internal sealed record RunSettings(DataConfig Data, LoopConfig Training, MethodConfig Model, int Steps);
