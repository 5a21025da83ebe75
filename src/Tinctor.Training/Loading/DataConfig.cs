using System.ComponentModel.DataAnnotations;
using Tinctor.Data;

namespace Tinctor.Training.Loading;

/// <summary>Location and augmentation of training data.</summary>
public sealed record DataConfig
{
    /// <summary>Folder or manifest of the data.</summary>
    public string Path { get; init; } = "";

    /// <summary>
    /// Data sets of a pool, instead of path: each PATH or NAME=PATH, where the name is the stain of pairs without one, as in
    /// [HER2=MIST/HER2, Ki67=MIST/Ki67].
    /// </summary>
    public List<string> Sets { get; init; } = [];

    /// <summary>Whether each data set and stain of a pool contributes the same number of pairs to an epoch.</summary>
    public bool Balance { get; init; } = true;

    /// <summary>Regular expression for the slide ID in file names, if no manifest names the slides; for example "^[0-9]+".</summary>
    public string? SlidePattern { get; init; }

    /// <summary>Slides of the test split, for data without splits.</summary>
    public List<string> TestSlides { get; init; } = [];

    /// <summary>Slides of the validation split, for data without splits.</summary>
    public List<string> ValSlides { get; init; } = [];

    /// <summary>AtoB or BtoA: with BtoA source and target are exchanged.</summary>
    [AllowedValues("AtoB", "BtoA")]
    public string Direction { get; init; } = "AtoB";

    /// <summary>
    /// Whether sources and targets are drawn independently, so that images need no partner; for cyclegan, cut and fastcut. Validation
    /// pairs are the images of the same name.
    /// </summary>
    public bool Unpaired { get; init; }

    /// <summary>Whether each epoch has the order of the file names; otherwise a random order, and unpaired targets are random.</summary>
    public bool SerialBatches { get; init; }

    /// <summary>
    /// Resizing and cropping: resize_and_crop (to a square of load_size, if it is set, then a crop), crop, scale_width (to the width
    /// load_size, whole images), scale_width_and_crop, or none (whole images). Whole images are resized to the nearest size that the
    /// network takes.
    /// </summary>
    [AllowedValues("resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none")]
    public string Preprocess { get; init; } = "resize_and_crop";

    /// <summary>
    /// Width and height in pixels to which targets are resized (pix2pix uses 286), and sources correspondingly if the method enlarges them;
    /// 0 keeps their size. Empty keeps their size too, except that derestainer resizes images of 1,024 pixels to 512 as in its paper.
    /// </summary>
    [Range(0, 65536)]
    public int? LoadSize { get; init; }

    /// <summary>Side of the random crop in target pixels.</summary>
    [Range(16, 8192)]
    public int CropSize { get; init; } = 256;

    /// <summary>
    /// Mean of a target crop, 0 to 255, from which on it is nearly blank and another crop of the pair is drawn, up to five times; 230 in
    /// the code of super-resolved virtual staining; 0 for no redraw.
    /// </summary>
    [Range(0.0, 255.0)]
    public double BlankLimit { get; init; }

    /// <summary>Random horizontal flips.</summary>
    public bool Flip { get; init; } = true;

    /// <summary>Random rotations by multiples of 90 degrees, and vertical flips.</summary>
    public bool Rotate { get; init; }

    /// <summary>
    /// Probability of a geometric distortion of source and target (grid, affine or lens, one of them); 0.3 in the code of BCIStainer.
    /// </summary>
    [Range(0.0, 1.0)]
    public double Distortion { get; init; }

    /// <summary>
    /// Probability of a part of the crop, 80 to 100 % of its area, enlarged to the crop; 0.2 in the code of BCIStainer.
    /// </summary>
    [Range(0.0, 1.0)]
    public double ResizedCrop { get; init; }

    /// <summary>Strength of random stain variation of the source in optical-density space; 0 for none, 0.1 for moderate.</summary>
    [Range(0.0, 1.0)]
    public double StainJitter { get; init; }

    /// <summary>
    /// Stain profile to which each source is normalised; the model keeps it for staining. Empty for no normalisation.
    /// </summary>
    public string Normalize { get; init; } = "";

    /// <summary>
    /// Stain profile to which targets are normalised, from a common profile of the training targets, which preserves the differences
    /// between them. Empty for no normalisation.
    /// </summary>
    public string NormalizeTarget { get; init; } = "";

    /// <summary>Fraction of the training slides held out for validation if the data has no "val" split.</summary>
    [Range(0, 0.9)]
    public double ValidationShare { get; init; } = 0.1;

    /// <summary>Number of threads that decode images.</summary>
    [Range(1, 256)]
    public int Workers { get; init; } = 2;

    /// <summary>Whether the network sees whole images instead of crops.</summary>
    internal bool UsesWholeImages => Preprocess is "scale_width" or "none";

    /// <summary>Whether images are scaled to the width load_size.</summary>
    internal bool ScalesWidth => Preprocess.StartsWith("scale_width", StringComparison.Ordinal);

    /// <summary>Creates a transform that resizes and crops.</summary>
    /// <param name="wholeSide">Computes the side of a whole image that the network takes from its side.</param>
    /// <param name="mostPixels">Maximum side of the crop.</param>
    internal PairTransform ResizeAndCrop(Func<int, int>? wholeSide = null, int mostPixels = int.MaxValue) => new()
    {
        Resize = ScalesWidth || LoadSize is not > 0 ? null : LoadSize,
        ScaleWidth = ScalesWidth ? LoadSize : null,
        LeastHeight = CropSize,
        WholeSide = UsesWholeImages ? wholeSide : null,
        Crop = UsesWholeImages ? null : Math.Min(CropSize, mostPixels),
    };

    internal DataConfig WithFullPaths()
    {
        static string Full(string path) => path.Length == 0 ? path : System.IO.Path.GetFullPath(path);
        return this with
        {
            Path = Full(Path),
            Sets = [.. Sets.Select(DatasetPool.WithFullPath)],
            Normalize = Full(Normalize),
            NormalizeTarget = Full(NormalizeTarget),
        };
    }
}
