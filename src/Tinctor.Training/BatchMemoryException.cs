namespace Tinctor.Training;

/// <summary>Memory was too short for a training step.</summary>
/// <param name="run">The run folder.</param>
/// <param name="pairs">Number of pairs in the batch.</param>
/// <param name="cause">Error of libtorch or .NET.</param>
internal sealed class BatchMemoryException(string run, int pairs, Exception cause) : TinctorException(run,
    $"memory is too short for a batch of {pairs}",
    "Start a run with a smaller training.batch_size or smaller crops (data.crop_size)", cause);
