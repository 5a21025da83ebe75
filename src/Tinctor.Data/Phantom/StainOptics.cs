namespace Tinctor.Data.Phantom;

/// <summary>
/// Stain concentrations and transmitted light. The Beer-Lambert law relates the concentrations (H, E, DAB) of a point to RGB:
/// I = I0 * 10^-(H h + E e + DAB d), with unit vectors h, e, d of optical density in red, green, blue.
/// </summary>
internal sealed class StainOptics
{
    // Unit vectors of optical density. H and DAB: Ruifrok and Johnston 2001; E: after Macenko et al. 2009, closer to scanned eosin.
    // The counterstain of IHC is Mayer's haematoxylin, which is bluer.
    private static readonly float[][] vectors = [[0.65f, 0.70f, 0.29f], [0.13f, 0.85f, 0.51f], [0.27f, 0.57f, 0.78f]];
    private static readonly float[] counterstain = [0.72f, 0.63f, 0.28f];

    private readonly PhantomStain stain;
    private readonly float[] matrix = new float[9];
    private readonly float[] strength = new float[3];
    private readonly float[] light = new float[3];

    /// <summary>Draws the staining of a slide: stain vectors, strengths and glass colour.</summary>
    public StainOptics(PhantomStain stain, uint seed, double variation)
    {
        this.stain = stain;
        float spread = (float)variation;
        for (int s = 0; s < 3; s++)
        {
            float[] vector = s == 0 && stain is (PhantomStain.Her2 or PhantomStain.Ki67) ? counterstain : vectors[s];
            float norm = 0;
            for (int c = 0; c < 3; c++)
            {
                float value = MathF.Max(0.02f, vector[c] + (0.035f * spread * Noise.Normal(seed, 100 + (3 * s) + c)));
                matrix[(3 * s) + c] = value;
                norm += value * value;
            }
            for (int c = 0; c < 3; c++)
                matrix[(3 * s) + c] /= MathF.Sqrt(norm);
            strength[s] = MathF.Exp(0.14f * spread * Math.Clamp(Noise.Normal(seed, 120 + s), -1.8f, 1.8f));
        }
        float[] glass = stain == PhantomStain.He ? [0.955f, 0.945f, 0.955f] : [0.965f, 0.96f, 0.955f];
        for (int c = 0; c < 3; c++)
            light[c] = glass[c] + (0.008f * spread * Math.Clamp(Noise.Normal(seed, 130 + c), -1.5f, 1.5f));
    }

    /// <summary>Stain matrix [3, 3], row-major: rows h, e, d; columns red, green, blue.</summary>
    public IReadOnlyList<float> Matrix => matrix;

    /// <summary>Transmittance of glass in red, green, blue, 0 to 1.</summary>
    public IReadOnlyList<float> Light => light;

    /// <summary>Computes the concentrations of H, E and DAB at a point.</summary>
    public (float H, float E, float Dab) Concentrations(in TissuePoint p)
    {
        (float h, float e, float dab) = this.stain switch
        {
            PhantomStain.He => Eosin(p),
            PhantomStain.Her2 => Membranous(p),
            PhantomStain.Ki67 => Nuclear(p),
            _ => (0, 0, 0),
        };
        return (strength[0] * h, strength[1] * e, strength[2] * dab);
    }

    /// <summary>Computes the transmitted light in red, green, blue, 0 to 1.</summary>
    public (float R, float G, float B) Transmit(float h, float e, float dab)
    {
        const float ln10 = 2.302585093f;
        return (
            light[0] * MathF.Exp(-ln10 * ((h * matrix[0]) + (e * matrix[3]) + (dab * matrix[6]))),
            light[1] * MathF.Exp(-ln10 * ((h * matrix[1]) + (e * matrix[4]) + (dab * matrix[7]))),
            light[2] * MathF.Exp(-ln10 * ((h * matrix[2]) + (e * matrix[5]) + (dab * matrix[8]))));
    }

    /// <summary>Computes the light transmitted by unstained tissue, which absorbs slightly more blue, and blood.</summary>
    public (float R, float G, float B) TransmitUnstained(in TissuePoint p)
    {
        float body = p.Thickness * (0.014f + (0.03f * p.Cytoplasm * (1 - p.Nucleus)) + (0.022f * p.Collagen)
            + (0.02f * p.Nucleus * p.Chromatin));
        float blood = 0.1f * p.Thickness * p.Blood;
        return (light[0] * (1 - body), light[1] * (1 - (1.1f * body) - (0.6f * blood)), light[2] * (1 - (1.35f * body) - blood));
    }

    /// <summary>Computes the DAB intensity and the stained fraction of a membrane from its HER2 expression, 0 to 3.</summary>
    public static (float Intensity, float Completeness) Membrane(float her2)
    {
        float s = Math.Clamp(her2, 0, 3.3f);
        float intensity = s < 1 ? Noise.Lerp(0.01f, 0.2f, s) : s < 2 ? Noise.Lerp(0.2f, 0.5f, s - 1) : Noise.Lerp(0.5f, 1.35f, s - 2);
        float completeness = s < 1 ? Noise.Lerp(0.05f, 0.45f, s)
            : s < 2 ? Noise.Lerp(0.45f, 0.88f, s - 1)
            : Noise.Lerp(0.88f, 1.05f, s - 2);
        return (intensity, completeness);
    }

    private static (float H, float E, float Dab) Eosin(in TissuePoint p)
    {
        float outside = 1 - p.Nucleus;
        float h = (p.Nucleus * p.Chromatin * 0.82f)
            + (outside * ((p.Cytoplasm * p.Basophilia * 0.42f) + (0.025f * p.Collagen) + (0.08f * p.Lymph) + (0.06f * p.Ground)))
            + (0.35f * p.Nucleus * p.Nucleolus);
        float e = (outside * ((p.Cytoplasm * (1 - p.Basophilia) * 0.34f) + (0.27f * p.Collagen * (1 - (0.25f * p.Ground)))
            + (0.95f * p.Blood) + (0.05f * p.Membrane)))
            + (p.Nucleus * (0.1f + (0.25f * p.Nucleolus)));
        return (p.Thickness * h, p.Thickness * e, 0);
    }

    private static (float H, float E, float Dab) Counterstain(in TissuePoint p)
    {
        float outside = 1 - p.Nucleus;
        float h = (p.Nucleus * p.Chromatin * 0.34f)
            + (outside * ((0.05f * p.Cytoplasm) + (0.055f * p.Collagen) + (0.05f * p.Lymph) + (0.05f * p.Blood)));
        float dab = outside * ((0.012f * p.Collagen) + (0.02f * p.Cytoplasm) + (0.12f * p.Blood));
        return (p.Thickness * h, 0, p.Thickness * dab);
    }

    private static (float H, float E, float Dab) Membranous(in TissuePoint p)
    {
        (float h, float e, float dab) = Counterstain(p);
        (float intensity, float completeness) = Membrane(p.Her2);
        float line = p.Membrane * Noise.Step(-0.22f, 0.12f, completeness - p.Gap) * intensity * (0.7f + (0.6f * (1 - p.Gap)));
        float blush = ((p.Cytoplasm * (1 - p.Nucleus)) + (0.25f * p.Nucleus * Math.Min(1, p.Her2))) * intensity * 0.24f
            * (0.6f + (0.8f * (1 - p.Gap)));
        return (h, e, dab + (p.Thickness * (line + (p.Her2 > 0 ? blush : 0))));
    }

    private static (float H, float E, float Dab) Nuclear(in TissuePoint p)
    {
        (float h, float e, float dab) = Counterstain(p);
        float label = p.Thickness * p.Nucleus * p.Ki67 * (0.55f + (0.6f * p.Chromatin));
        return (h * (1 - (0.5f * p.Ki67 * p.Nucleus)), e, dab + (label * 1.25f));
    }
}
