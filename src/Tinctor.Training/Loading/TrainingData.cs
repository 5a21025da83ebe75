using Tinctor.Data;

namespace Tinctor.Training.Loading;

/// <summary>The pairs of a run: what is trained on, and what the best checkpoint is chosen by. Test pairs are never opened.</summary>
/// <param name="Manifest">All pairs, in the run's direction.</param>
/// <param name="Train">Pairs that are trained on.</param>
/// <param name="Validation">Pairs of other slides; empty where slides are not known or too few.</param>
/// <param name="ValidationNote">Where the validation pairs come from, in words.</param>
public sealed record TrainingData(PairManifest Manifest, IReadOnlyList<Pair> Train, IReadOnlyList<Pair> Validation, string ValidationNote)
{
    /// <summary>Micrometres per pixel of the sources; null where not all of them tell about the same.</summary>
    public double? Mpp => Train.All(pair => pair.Mpp is not null) && Train.Min(pair => pair.Mpp) is double least
        && Train.Max(pair => pair.Mpp) < 1.04 * least ? Train.Average(pair => pair.Mpp) : null;

    /// <summary>Reads and checks a data set; all problems are reported at once.</summary>
    /// <param name="config">Location of the data.</param>
    /// <param name="seed">Random seed of the choice of validation slides.</param>
    /// <param name="factor">Target pixels per source pixel along each axis.</param>
    /// <param name="smallRemedy">Remedy for images smaller than the crop; see <see cref="PairVerification.Check"/>.</param>
    /// <param name="cancel">Cancels the checks.</param>
    /// <exception cref="TinctorException">A pair is broken, or there are no training pairs.</exception>
    public static TrainingData Read(DataConfig config, ulong seed, int factor = 1, Func<int, string>? smallRemedy = null,
        CancellationToken cancel = default)
    {
        if (config.Path.Length == 0)
            throw new OptionException("Data", "no data set is named", "Name a folder or manifest, or set data.path");
        PairManifest manifest = PairManifest.Read(config.Path, config.SlidePattern);
        if (config.Direction == "BtoA") manifest = manifest.Reverse();
        if (config.TestSlides.Count + config.ValSlides.Count > 0) manifest = SplitAsNamed(manifest, config);
        TrainingData data = HoldOut(manifest, config.ValidationShare, seed);
        if (data.Train.Count == 0) throw new TinctorException($"{config.Path}: has no pairs for training ({manifest.Describe()})");
        int minimum = config.LoadSize > 0 ? 1 : config.CropSize;
        PairVerification.Check([.. data.Train, .. data.Validation], minimum, factor, smallRemedy: smallRemedy, cancel: cancel);
        return data;
    }

    // Naming slides must not turn the data's own test pairs into training pairs.
    private static PairManifest SplitAsNamed(PairManifest manifest, DataConfig config)
    {
        if (manifest.HasOwnSplits && manifest.Pairs.Any(pair => pair.Split != "train"))
            throw new TinctorException($"{config.Path}: has splits of its own ({manifest.Describe()}); "
                + "data.test_slides and data.val_slides are for data without");
        return manifest.SplitBySlide(config.ValSlides, config.TestSlides);
    }

    private static TrainingData HoldOut(PairManifest manifest, double share, ulong seed)
    {
        IReadOnlyList<Pair> train = manifest.InSplit("train"), validation = manifest.InSplit("val");
        if (validation.Count > 0) return new(manifest, train, validation, "the val split");
        int slides = train.Select(pair => pair.SlideId).Distinct().Count();
        bool known = train.All(pair => pair.SlideId.Length > 0);
        if (share == 0 || !known || slides < 3)
            return new(manifest, train, [],
                share == 0 ? "none, as data.validation_share is 0"
                : known ? $"none, as there are only {slides} slides"
                : "none, as the slides are not known");
        PairManifest split = (manifest with { Pairs = train }).SplitBySlide(share, 0, seed);
        IReadOnlyList<Pair> held = split.InSplit("val");
        return new(manifest, split.InSplit("train"), held,
            $"training slides held out: {string.Join(", ", held.Select(pair => pair.SlideId).Distinct())}");
    }

    /// <summary>All but the test split, one fold of it held out for validation.</summary>
    /// <exception cref="TinctorException">An image is broken, or there are too few.</exception>
    internal static TrainingData OfFold(PairManifest manifest, SupervisedData config, CancellationToken cancel = default)
    {
        if (config.ImageSize > 0 && config.CropSize > config.ImageSize)
            throw new TinctorException($"data.crop_size is {config.CropSize}, larger than data.image_size, {config.ImageSize}");
        Pair[] pairs = [.. manifest.Pairs.Where(pair => pair.Split != "test")];
        if (pairs.Length == 0) throw new TinctorException($"{config.Path}: has no images for training ({manifest.Describe()})");
        var (train, held) = Folds.Split(pairs, config.Fold, config.Folds);
        PairVerification.Check(pairs, config.ImageSize > 0 ? 1 : config.CropSize,
            smallRemedy: side => $"Use data.crop_size={side}, or leave these images out.", cancel: cancel);
        return new(manifest, train, held, config.Folds == 1 ? "none, as there is one fold"
            : $"fold {config.Fold} of {config.Folds}, {(Folds.SlidesKnown(pairs) ? "by slide" : "by image, as the slides are not known")}");
    }

    /// <summary>One line: what is trained on, and what the best checkpoint is chosen by.</summary>
    /// <param name="noun">"pairs" or "images".</param>
    public string Describe(string noun) => $"training on {Train.Count} {noun}; validation: "
        + $"{(Validation.Count > 0 ? $"{Validation.Count} {noun}, " : "")}{ValidationNote}";

    /// <summary>The training pairs as tensors, varied as the configuration says.</summary>
    public PairedDataset TrainingSet(DataConfig config, ulong seed, StainProfiles? stains = null, int factor = 1) =>
        new(Train, new PairTransform
        {
            Factor = factor,
            SourceNormalizer = stains?.SourceNormalizer(),
            TargetNormalizer = stains?.TargetNormalizer(),
            Resize = config.LoadSize > 0 ? config.LoadSize : null,
            Crop = config.CropSize,
            RandomCrop = true,
            HorizontalFlip = config.Flip,
            VerticalFlip = config.Rotate,
            Rotate90 = config.Rotate,
            Jitter = config.StainJitter > 0 ? new StainJitter(config.StainJitter, config.StainJitter / 5) : null,
        }, seed, CacheBytes);

    /// <summary>Small data sets are decoded once.</summary>
    internal const long CacheBytes = 1L << 30;
}
