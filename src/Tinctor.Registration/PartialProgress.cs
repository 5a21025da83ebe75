namespace Tinctor.Registration;

/// <summary>Maps the progress of one step, 0 to 1, to its part of the progress of the whole work.</summary>
internal sealed class PartialProgress(IProgress<double>? whole, double from, double to) : IProgress<double>
{
    public void Report(double value) => whole?.Report(from + (value * (to - from)));
}
