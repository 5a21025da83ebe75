namespace Tinctor.Data.Phantom;

/// <summary>How a section of the phantom is stained and imaged.</summary>
public enum PhantomStain
{
    /// <summary>Haematoxylin and eosin, brightfield, 8-bit RGB.</summary>
    He,

    /// <summary>HER2 immunohistochemistry: DAB on membranes, haematoxylin counterstain, 8-bit RGB.</summary>
    Her2,

    /// <summary>Ki67 immunohistochemistry: DAB in cycling nuclei, haematoxylin counterstain, 8-bit RGB.</summary>
    Ki67,

    /// <summary>Label-free brightfield: faint absorption, refractive edges, 8-bit RGB.</summary>
    Unstained,

    /// <summary>Label-free autofluorescence in DAPI, FITC, TxRed and Cy5 filters: 16 bit, four channels, lower resolution.</summary>
    Autofluorescence,
}

/// <summary>
/// The parameters of one rendered field of a phantom slide; with the same values the pixels are the same, whatever the thread count.
/// </summary>
public sealed record PhantomOptions
{
    /// <summary>Width of the canvas in pixels at full resolution, 16 to 65,536.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height of the canvas in pixels at full resolution, 16 to 65,536.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Micrometres per pixel at full resolution, 0.1 to 4; 0.5 is a 20x scan.</summary>
    public double Mpp { get; init; } = 0.5;

    /// <summary>The slide: its tissue, its staining and its imaging all follow from this number.</summary>
    public ulong Seed { get; init; }

    /// <summary>Which field of the slide: fields share stain and scanner but show other tissue.</summary>
    public int Field { get; init; }

    /// <summary>The stains to render; the first is the source, which is never displaced.</summary>
    public IReadOnlyList<PhantomStain> Stains { get; init; } = [PhantomStain.He, PhantomStain.Her2];

    /// <summary>HER2 level of the slide's tumour, 0 to 3 for 0, 1+, 2+, 3+. Nuclear atypia, seen in every stain, rises with it.</summary>
    public int Her2Level { get; init; } = 2;

    /// <summary>
    /// How plainly the tumour's nuclei show the level, and so how well H&amp;E tells it: 0 a tendency in size, chromatin and growth, up
    /// to 1 with levels further apart in atypia, larger, darker and crowded nuclei and dividing cells where it is high.
    /// </summary>
    public double LevelInHe { get; init; }

    /// <summary>
    /// Move each field, within its place, to where nests of tumour are; for canvases of less than about 500 um, which else may show
    /// none.
    /// </summary>
    public bool OnTumour { get; init; }

    /// <summary>Share of tumour nuclei that are Ki67 positive, 0 to 1; null draws it per slide (0.05 to 0.6, rising with atypia).</summary>
    public double? Ki67Share { get; init; }

    /// <summary>Largest displacement, in full-resolution pixels, of the targets against the source; 0 keeps them aligned.</summary>
    public double Misalign { get; init; }

    /// <summary>Full-resolution pixels per autofluorescence pixel along each axis: 1 to 16, usually 4 or 5.</summary>
    public int AutofluorescenceFactor { get; init; } = 5;

    /// <summary>Per-slide variation of stain vectors and strengths: 0 none, 1 as between laboratories.</summary>
    public double StainVariation { get; init; } = 1;

    /// <summary>Uneven illumination: 0 none, 1 up to about 4 %.</summary>
    public double Shading { get; init; } = 1;

    /// <summary>
    /// Focus blur in micrometres (standard deviation of a Gaussian), 0 to 10; null draws it per slide and stain (0.25 to 0.5).
    /// </summary>
    public double? Blur { get; init; }

    /// <summary>Sensor noise: 0 none, 1 as of a slide scanner.</summary>
    public double SensorNoise { get; init; } = 1;

    /// <summary>Threads to render with; 0 means one per core.</summary>
    public int Threads { get; init; }

    /// <summary>Throws an ArgumentException that names the first value out of its range.</summary>
    public void Validate()
    {
        Check(Width is >= 16 and <= 65536 && Height is >= 16 and <= 65536, $"size {Width}x{Height}: each side must be 16 to 65536 pixels");
        Check(Mpp is >= 0.1 and <= 4, $"{Mpp} um per pixel: must be 0.1 to 4");
        Check(Her2Level is >= 0 and <= 3, $"HER2 level {Her2Level}: must be 0 to 3");
        Check(LevelInHe is >= 0 and <= 1, $"level in H&E {LevelInHe}: must be 0 to 1");
        Check(Field >= 0, $"field {Field}: must not be negative");
        Check(Ki67Share is null or (>= 0 and <= 1), $"Ki67 share {Ki67Share}: must be 0 to 1");
        Check(Misalign >= 0 && Misalign <= Math.Min(Width, Height) / 4.0,
            $"misalignment {Misalign}: must be 0 to a quarter of the image's side");
        Check(AutofluorescenceFactor is >= 1 and <= 16, $"autofluorescence factor {AutofluorescenceFactor}: must be 1 to 16");
        Check(StainVariation is >= 0 and <= 3 && Shading is >= 0 and <= 3 && SensorNoise is >= 0 and <= 10,
            "stain variation and shading must be 0 to 3, sensor noise 0 to 10");
        Check(Blur is null or (>= 0 and <= 10), $"blur {Blur}: must be 0 to 10 um");
        Check(Stains.Count > 0 && Stains.Distinct().Count() == Stains.Count, "stains: name at least one, each once");
        if (Stains.Contains(PhantomStain.Autofluorescence))
        {
            int f = AutofluorescenceFactor;
            Check(Width % f == 0 && Height % f == 0,
                $"size {Width}x{Height} is not a multiple of the autofluorescence factor {f}: use {Width / f * f}x{Height / f * f}");
        }
    }

    private static void Check(bool holds, string message)
    {
        if (!holds)
            throw new ArgumentException(message);
    }
}
