namespace Tinctor.Data.Phantom;

/// <summary>Stain and imaging of a phantom section.</summary>
internal enum PhantomStain
{
    /// <summary>Haematoxylin and eosin, brightfield, 8-bit RGB.</summary>
    He,

    /// <summary>HER2 immunohistochemistry: DAB on membranes, haematoxylin counterstain, 8-bit RGB.</summary>
    Her2,

    /// <summary>Ki67 immunohistochemistry: DAB in cycling nuclei, haematoxylin counterstain, 8-bit RGB.</summary>
    Ki67,

    /// <summary>Unstained brightfield: faint absorption, refractive edges, 8-bit RGB.</summary>
    Unstained,

    /// <summary>Autofluorescence of unstained tissue in filters DAPI, FITC, TxRed and Cy5: 16 bit, lower resolution.</summary>
    Autofluorescence,
}

/// <summary>
/// Options of one field of a phantom slide. Equal options give equal pixels for any number of threads.
/// </summary>
internal sealed record PhantomOptions
{
    /// <summary>Width of the field in pixels at full resolution, 16 to 65,536.</summary>
    public int Width { get; init; } = 1024;

    /// <summary>Height of the field in pixels at full resolution, 16 to 65,536.</summary>
    public int Height { get; init; } = 1024;

    /// <summary>Micrometres per pixel at full resolution, 0.1 to 4; 0.5 corresponds to a 20x scan.</summary>
    public double Mpp { get; init; } = 0.5;

    /// <summary>Random seed of the slide: determines tissue, staining and imaging.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of the field on the slide, from 0. Fields of a slide share stain and scanner but show different tissue.</summary>
    public int Field { get; init; }

    /// <summary>Stains to render; the first is the source, which is never displaced.</summary>
    public IReadOnlyList<PhantomStain> Stains { get; init; } = [PhantomStain.He, PhantomStain.Her2];

    /// <summary>HER2 level of the tumour, 0 to 3 for 0, 1+, 2+, 3+. Nuclear atypia, visible in every stain, increases with it.</summary>
    public int Her2Level { get; init; } = 2;

    /// <summary>
    /// Correlation of nuclear morphology with the HER2 level, 0 to 1: determines how well H&amp;E predicts the level. 0 is a tendency in
    /// size, chromatin and growth, 1 is distinct atypia per level, with larger, darker, crowded nuclei and mitoses at high levels.
    /// </summary>
    public double LevelInHe { get; init; }

    /// <summary>
    /// Whether only fields of about 200 um and more show the HER2 level in H&amp;E: the level changes the mean atypia of the nests, their
    /// architecture and their density, less than nests differ, and no colour. HER2 expression and the completeness of membranes then vary
    /// independently of the morphology, by <see cref="StainSeed"/>.
    /// </summary>
    public bool LevelInFields { get; init; }

    /// <summary>
    /// Random seed of HER2 expression: sections with another value have the same morphology, and other stained membranes of the same
    /// level. Null for expression that follows from the tissue, or for seed 0 with <see cref="LevelInFields"/>.
    /// </summary>
    public ulong? StainSeed { get; init; }

    /// <summary>
    /// Whether each target is the next section, 4 um deeper: with the same glands, nests and compartments, but other cells; a third of the
    /// cells continue. The ground truth then includes the nuclei of the targets.
    /// </summary>
    public bool Serial { get; init; }

    /// <summary>
    /// Whether each field is shifted to tumour nests nearby; for fields smaller than about 500 um, which may contain no tumour otherwise.
    /// </summary>
    public bool OnTumour { get; init; }

    /// <summary>Fraction of Ki67-positive tumour nuclei, 0 to 1; null draws it per slide (0.05 to 0.6, increasing with atypia).</summary>
    public double? Ki67Share { get; init; }

    /// <summary>Maximum displacement of targets relative to the source, in full-resolution pixels; 0 for aligned targets.</summary>
    public double Misalign { get; init; }

    /// <summary>Full-resolution pixels per autofluorescence pixel along each axis, 1 to 16.</summary>
    public int AutofluorescenceFactor { get; init; } = 5;

    /// <summary>Variation of stain vectors and strengths between slides: 0 for none, 1 as between laboratories, up to 3.</summary>
    public double StainVariation { get; init; } = 1;

    /// <summary>Uneven illumination: 0 for none, 1 for about 4 %, up to 3.</summary>
    public double Shading { get; init; } = 1;

    /// <summary>
    /// Focus blur in micrometres (standard deviation of a Gaussian), 0 to 10; null draws it per slide and stain (0.25 to 0.5).
    /// </summary>
    public double? Blur { get; init; }

    /// <summary>Sensor noise: 0 for none, 1 as of a slide scanner, up to 10.</summary>
    public double SensorNoise { get; init; } = 1;

    /// <summary>Number of threads; 0 for one per core.</summary>
    public int Threads { get; init; }

    /// <summary>Checks the ranges of all options.</summary>
    /// <exception cref="ArgumentException">An option is out of range; the message names it.</exception>
    public void Validate()
    {
        Check(Width is >= 16 and <= 65536 && Height is >= 16 and <= 65536,
            $"the size is {Width}x{Height} pixels, expected 16 to 65536 for each side");
        Check(Mpp is >= 0.1 and <= 4, $"the resolution is {Mpp} um per pixel, expected 0.1 to 4");
        Check(Her2Level is >= 0 and <= 3, $"the HER2 level is {Her2Level}, expected 0 to 3");
        Check(LevelInHe is >= 0 and <= 1, $"the correlation of H&E with the level is {LevelInHe}, expected 0 to 1");
        Check(LevelInHe == 0 || !LevelInFields, "a level that only fields show excludes a correlation of the nuclei with the level");
        Check(Field >= 0, $"the field is {Field}, expected 0 or more");
        Check(Ki67Share is null or (>= 0 and <= 1), $"the Ki67 fraction is {Ki67Share}, expected 0 to 1");
        Check(Misalign >= 0 && Misalign <= Math.Min(Width, Height) / 4.0,
            $"the misalignment is {Misalign} pixels, expected 0 to a quarter of the image's shorter side");
        Check(AutofluorescenceFactor is >= 1 and <= 16, $"the autofluorescence factor is {AutofluorescenceFactor}, expected 1 to 16");
        Check(StainVariation is >= 0 and <= 3, $"the stain variation is {StainVariation}, expected 0 to 3");
        Check(Shading is >= 0 and <= 3, $"the shading is {Shading}, expected 0 to 3");
        Check(SensorNoise is >= 0 and <= 10, $"the sensor noise is {SensorNoise}, expected 0 to 10");
        Check(Blur is null or (>= 0 and <= 10), $"the blur is {Blur} um, expected 0 to 10");
        Check(Stains.Count > 0 && Stains.Distinct().Count() == Stains.Count, "stains must be one or more, without repetitions");
        if (Stains.Contains(PhantomStain.Autofluorescence))
        {
            int f = AutofluorescenceFactor;
            Check(Width % f == 0 && Height % f == 0,
                $"the size is {Width}x{Height}, not a multiple of the autofluorescence factor {f}; use {Width / f * f}x{Height / f * f}");
        }
    }

    private static void Check(bool holds, string message)
    {
        if (!holds)
            throw new ArgumentException(message);
    }
}
