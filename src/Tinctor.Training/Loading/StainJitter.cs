using Tinctor.Slides.Colour;

namespace Tinctor.Training.Loading;

/// <summary>
/// Random stain variation in optical-density space (HED jitter, Tellez et al. 2018): the concentration of each of the two stains is
/// multiplied by 1 + U(-Scale, Scale) and increased by U(-Shift, Shift); the residual is kept.
/// </summary>
/// <param name="Scale">Maximum relative change of a concentration, 0 to 1.</param>
/// <param name="Shift">Maximum absolute change of a concentration, in decimal optical density, 0 to 1.</param>
internal sealed record StainJitter(double Scale = 0.05, double Shift = 0.01)
{
    /// <summary>Stain matrix of the two stains; H&amp;E by default.</summary>
    public StainMatrix Stains { get; init; } = StainMatrix.HaematoxylinEosin;

    /// <summary>Checks the ranges.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public void Validate()
    {
        if (!(Scale is >= 0 and <= 1 && Shift is >= 0 and <= 1))
            throw new ArgumentException($"scale and shift of the stain jitter are {Scale} and {Shift}, expected 0 to 1");
    }

    /// <summary>Varies interleaved RGB light in [0, 1] in place; the result is clamped to [0, 1].</summary>
    internal void Apply(ref SampleRandom random, Span<float> light)
    {
        float scale1 = (float)(1 + random.NextDouble(-Scale, Scale)), shift1 = (float)random.NextDouble(-Shift, Shift);
        float scale2 = (float)(1 + random.NextDouble(-Scale, Scale)), shift2 = (float)random.NextDouble(-Shift, Shift);
        OpticalDensity.FromLight(light, light, floor: 1 / 255f);
        Stains.Separate(light, light);
        for (int i = 0; i < light.Length; i += 3)
        {
            light[i] = (light[i] * scale1) + shift1;
            light[i + 1] = (light[i + 1] * scale2) + shift2;
        }
        Stains.Combine(light, light);
        OpticalDensity.ToLight(light, light);
        foreach (ref float sample in light) sample = Math.Clamp(sample, 0, 1);
    }
}
