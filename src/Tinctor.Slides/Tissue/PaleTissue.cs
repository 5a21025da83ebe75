using Tinctor.Slides.Masks;

namespace Tinctor.Slides.Tissue;

/// <summary>
/// Detects pale tissue below the threshold, such as stroma in IHC beside dark epithelium. Nuclei and fibres have a texture, background
/// does not.
/// </summary>
internal static class PaleTissue
{
    // Pale tissue has textures of 0.006 to 0.04; scanned background has 0.0003 to 0.003, background with debris a density of about 0.01.
    private const float SmallestTexture = 0.006f, SmallestDensity = 0.015f;
    private const double Window = 40, Margin = 30; // micrometres
    private const float SmallestWeight = 0.05f;

    // A smaller share of the tissue is debris.
    private const double SmallestShare = 0.05;

    /// <summary>Returns the pale tissue, [height, width]; null if there is too little.</summary>
    /// <param name="density">Mean density above the background, [height, width], not smoothed.</param>
    /// <param name="excluded">Tissue that is known and pen marks, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="mpp">Micrometres per pixel.</param>
    /// <param name="smoothing">Standard deviation in micrometres; the texture is the difference to the smoothed density.</param>
    public static bool[]? Find(float[] density, bool[] excluded, int width, int height, double mpp, double smoothing)
    {
        // The blurred edge of dark tissue is not texture.
        bool[] near = Morphology.Dilate(excluded, width, height, Margin / mpp);
        float[] smooth = GaussianFilter.Smooth(density, width, height, smoothing / mpp);
        float[] weights = Array.ConvertAll(near, set => set ? 0f : 1f);
        float[] squares = [.. weights.Select((weight, i) => weight * (density[i] - smooth[i]) * (density[i] - smooth[i]))];
        float[] around = Around(weights), energy = Around(squares), mean = Around([.. weights.Select((weight, i) => weight * density[i])]);
        var pale = new bool[density.Length];
        int count = 0, known = 0;
        for (int i = 0; i < pale.Length; i++)
        {
            if (excluded[i]) known++;
            pale[i] = !excluded[i] && around[i] >= SmallestWeight && mean[i] >= SmallestDensity * around[i]
                && energy[i] >= SmallestTexture * SmallestTexture * around[i];
            if (pale[i]) count++;
        }
        return count > 0 && count >= SmallestShare * known ? pale : null;

        float[] Around(float[] plane) => GaussianFilter.Smooth(plane, width, height, Window / mpp);
    }
}
