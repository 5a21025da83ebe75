namespace Tinctor.Registration.Sections;

/// <summary>Progress of a part of a work, told as progress of the whole.</summary>
internal sealed class PartialProgress(IProgress<double>? whole, double from, double to) : IProgress<double>
{
    public void Report(double value) => whole?.Report(from + (value * (to - from)));
}
