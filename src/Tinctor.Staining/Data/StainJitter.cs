using Tinctor.Slides.Colour;

namespace Tinctor.Staining.Data;

/// <summary>
/// Random variation of H&amp;E staining in optical-density space (HED jitter, Tellez et al. 2018): the amounts of haematoxylin and of eosin
/// are each multiplied by 1 + U(-Scale, Scale) and raised by U(-Shift, Shift), the residual is kept.
/// </summary>
/// <param name="Scale">Largest relative change of a stain's amount, 0 to 1.</param>
/// <param name="Shift">Largest absolute change of a stain's amount, in decimal optical density, 0 to 1.</param>
public sealed record StainJitter(double Scale = 0.05, double Shift = 0.01)
{
    /// <summary>Throws <see cref="ArgumentException"/> for values out of range.</summary>
    public void Validate()
    {
        if (!(Scale is >= 0 and <= 1 && Shift is >= 0 and <= 1))
            throw new ArgumentException($"stain jitter of {Scale} and {Shift}: must be 0 to 1");
    }

    /// <summary>Changes interleaved RGB light in [0, 1]; the result stays in it.</summary>
    internal void Apply(ref SampleRandom random, Span<float> light)
    {
        float scaleH = (float)(1 + random.NextDouble(-Scale, Scale)), shiftH = (float)random.NextDouble(-Shift, Shift);
        float scaleE = (float)(1 + random.NextDouble(-Scale, Scale)), shiftE = (float)random.NextDouble(-Shift, Shift);
        OpticalDensity.FromLight(light, light, floor: 1 / 255f);
        StainMatrix.HaematoxylinEosin.Separate(light, light);
        for (int i = 0; i < light.Length; i += 3)
        {
            light[i] = (light[i] * scaleH) + shiftH;
            light[i + 1] = (light[i + 1] * scaleE) + shiftE;
        }
        StainMatrix.HaematoxylinEosin.Combine(light, light);
        OpticalDensity.ToLight(light, light);
        foreach (ref float sample in light) sample = Math.Clamp(sample, 0, 1);
    }
}
