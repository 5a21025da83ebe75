namespace Tinctor.Staining.Data;

/// <summary>jitter</summary>
public sealed record StainJitter(double Scale = 0.05, double Shift = 0.01)
{
    /// <summary>v</summary>
    public void Validate() { }

    internal void Apply(ref SampleRandom random, Span<float> light) { }
}
