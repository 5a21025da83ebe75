namespace Tinctor.Core;

/// <summary>Passes progress to a function on the reporting thread; <see cref="Progress{T}"/> posts it to another context instead.</summary>
/// <typeparam name="T">Type of the progress.</typeparam>
/// <param name="report">Receives the progress.</param>
internal sealed class DelegateProgress<T>(Action<T> report) : IProgress<T>
{
    /// <inheritdoc/>
    public void Report(T value) => report(value);
}
