using Tinctor.Slides.Colour;

namespace Tinctor.Training.Loading;

/// <summary>
/// Random variation of staining in optical-density space (HED jitter, Tellez et al. 2018): the amounts of haematoxylin and of eosin
/// (or of the two stains of <see cref="Stains"/>) are each multiplied by 1 + U(-Scale, Scale) and raised by U(-Shift, Shift), the
/// residual is kept.
/// </summary>
/// <param name="Scale">Largest relative change of a stain's amount, 0 to 1.</param>
/// <param name="Shift">Largest absolute change of a stain's amount, in decimal optical density, 0 to 1.</param>
public sealed record StainJitter(double Scale = 0.05, double Shift = 0.01)
{
    /// <summary>The two stains and the residual, H&amp;E unless set.</summary>
    public StainMatrix Stains { get; init; } = StainMatrix.HaematoxylinEosin;

    /// <summary>Throws <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        if (!(Scale is >= 0 and <= 1 && Shift is >= 0 and <= 1))
            throw new ArgumentException($"stain jitter of {Scale} and {Shift}: must be 0 to 1");
    }

    /// <summary>Changes interleaved RGB light in [0, 1]; the result stays in it.</summary>
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
