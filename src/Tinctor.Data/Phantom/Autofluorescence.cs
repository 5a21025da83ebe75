namespace Tinctor.Data.Phantom;

/// <summary>Autofluorescence of unlabelled tissue in four filters, relative to a bright pixel.</summary>
internal static class Autofluorescence
{
    /// <summary>Number of filters.</summary>
    public const int Channels = 4;

    /// <summary>Names of the filters in channel order.</summary>
    public static readonly string[] Names = ["DAPI", "FITC", "TxRed", "Cy5"];

    /// <summary>
    /// Computes the emission of a point in (DAPI, FITC, TxRed, Cy5). Collagen emits blue, flavins of the cytoplasm green, nuclei and blood
    /// little.
    /// </summary>
    public static void Emit(in TissuePoint p, Span<float> channels)
    {
        float cytoplasm = p.Cytoplasm * (1 - p.Nucleus), collagen = p.Collagen * (1 - p.Nucleus), nucleus = p.Nucleus * p.Chromatin;
        float granules = cytoplasm * Math.Max(0, p.Gap - 0.62f);
        channels[0] = p.Thickness * ((0.85f * collagen) + (0.3f * cytoplasm) + (0.1f * nucleus) + (0.06f * p.Blood));
        channels[1] = p.Thickness * ((0.45f * collagen) + (0.62f * cytoplasm) + (0.12f * nucleus) + (0.3f * p.Blood));
        channels[2] = p.Thickness * ((0.2f * collagen) + (0.4f * cytoplasm) + (0.1f * nucleus) + (0.75f * p.Blood) + (0.9f * granules));
        channels[3] = p.Thickness * ((0.1f * collagen) + (0.22f * cytoplasm) + (0.12f * nucleus) + (0.35f * p.Blood) + (0.5f * granules));
    }
}
