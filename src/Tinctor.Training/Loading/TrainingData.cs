using Tinctor.Data;

namespace Tinctor.Training.Loading;

/// <summary>Training and validation pairs of a run. Images of the test split are not read.</summary>
/// <param name="Manifest">All pairs, in the direction of the run.</param>
/// <param name="Train">Training pairs.</param>
/// <param name="Validation">Validation pairs, of other slides; empty if slides are unknown or too few.</param>
/// <param name="ValidationNote">Description of the origin of the validation pairs.</param>
internal sealed record TrainingData(PairManifest Manifest, IReadOnlyList<Pair> Train, IReadOnlyList<Pair> Validation, string ValidationNote)
{
    /// <summary>
    /// Numbers of sources and targets of unpaired data: the training pairs are then all sources and all targets in order, the shorter list
    /// repeated. Null for paired data.
    /// </summary>
    public UnpairedCounts? Unpaired { get; private init; }

    /// <summary>Mean micrometres per pixel of the sources; null if one is unknown or they differ by 4 % or more.</summary>
    public double? Mpp => Train.All(pair => pair.Mpp is not null) && Train.Min(pair => pair.Mpp) is double least
        && Train.Max(pair => pair.Mpp) < 1.04 * least ? Train.Average(pair => pair.Mpp) : null;

    /// <summary>Reads and checks a data set.</summary>
    /// <param name="config">Location of the data.</param>
    /// <param name="seed">Random seed for the selection of validation slides.</param>
    /// <param name="factor">Target pixels per source pixel along each axis.</param>
    /// <param name="smallRemedy">Remedy for images smaller than the crop; see <see cref="PairVerification.Check"/>.</param>
    /// <param name="cancel">Cancels the checks.</param>
    /// <exception cref="TinctorException">Images are invalid, or there are no training pairs.</exception>
    public static TrainingData Read(DataConfig config, ulong seed, int factor = 1, Func<int, string>? smallRemedy = null,
        CancellationToken cancel = default)
    {
        PairManifest manifest = ReadManifest(config);
        if (config.TestSlides.Count + config.ValSlides.Count > 0) manifest = SplitAsNamed(manifest, config);
        TrainingData data = HoldOut(manifest, config.ValidationShare, seed);
        if (data.Train.Count == 0)
            throw new TinctorException(manifest.Root, $"no training pairs ({manifest.Describe()})", "Assign pairs to the split train");
        int minimum = config.LoadSize > 0 || config.UsesWholeImages ? 1 : config.CropSize;
        if (!config.Unpaired)
        {
            PairVerification.Check([.. data.Train, .. data.Validation], minimum, factor, smallRemedy: smallRemedy, cancel: cancel);
            return data;
        }
        data = data.Combined();
        PairVerification.Check(data.Train, minimum, factor: null, smallRemedy: smallRemedy, cancel: cancel);
        PairVerification.Check(data.Validation, minimum, factor, smallRemedy: smallRemedy, cancel: cancel);
        return data;
    }

    // Pairs of all data sets, in the direction of the run.
    private static PairManifest ReadManifest(DataConfig config)
    {
        if (config.Path.Length == 0 && config.Sets.Count == 0)
            throw new OptionException("Data", "no data set is named", "Name a folder or manifest, or set data.path");
        if (config.Path.Length > 0 && config.Sets.Count > 0)
            throw new OptionException("Data", $"data.path is {config.Path}, but data.sets names data sets too", "Leave one of them empty");
        PairManifest manifest = config.Sets.Count == 0 ? PairManifest.Read(config.Path, config.SlidePattern, config.Unpaired)
            : DatasetPool.Read(config.Sets, config.SlidePattern, config.Unpaired);
        return manifest.InDirection(config.Direction);
    }

    /// <summary>Keeps the pairs of some stains.</summary>
    /// <param name="stains">Stains of the model; empty for all pairs.</param>
    /// <param name="note">Receives a note if pairs are left out.</param>
    /// <exception cref="OptionException">A stain has no training pairs.</exception>
    public TrainingData KeepStains(IReadOnlyList<string> stains, Action<string> note)
    {
        if (stains.Count == 0) return this;
        if (stains.FirstOrDefault(stain => Train.All(pair => pair.Stain != stain)) is { } missing)
        {
            string found = Manifest.Stains.Count == 0 ? "unknown" : string.Join(", ", Manifest.Stains);
            throw new OptionException("Stains",
                $"model.stains has {missing}, but no training pair has this stain; the stains of the data are {found}",
                "Name data sets by their stains, as in HER2=FOLDER, or add a column stain to the manifest");
        }
        string[] others = [.. Manifest.Stains.Except(stains)];
        int unknown = Manifest.Pairs.Count(pair => pair.Stain is null);
        if (others.Length > 0) note($"pairs of other stains are left out: {string.Join(", ", others)}");
        if (unknown > 0) note($"{unknown} pairs of unknown stain are left out");
        return this with { Manifest = Manifest with { Pairs = Kept(Manifest.Pairs) }, Train = Kept(Train), Validation = Kept(Validation) };

        IReadOnlyList<Pair> Kept(IReadOnlyList<Pair> pairs) => [.. pairs.Where(pair => pair.Stain is { } stain && stains.Contains(stain))];
    }

    // Test pairs of the data must never become training pairs.
    private static PairManifest SplitAsNamed(PairManifest manifest, DataConfig config)
    {
        if (manifest.HasOwnSplits && manifest.Pairs.Any(pair => pair.Split != "train"))
        {
            throw new TinctorException(manifest.Root, $"the data has splits ({manifest.Describe()}), but slides of splits are named too",
                "Leave data.test_slides and data.val_slides empty");
        }
        return manifest.SplitBySlide(config.ValSlides, config.TestSlides);
    }

    private static TrainingData HoldOut(PairManifest manifest, double share, ulong seed)
    {
        IReadOnlyList<Pair> train = manifest.InSplit("train"), validation = manifest.InSplit("val");
        if (validation.Count > 0) return Validated(manifest, train, validation);
        Pair[] pairs = [.. train.Where(IsPair)];
        if (train.Count > 0 && pairs.Length == 0) return new(manifest, train, [], "none (no source and target have the same name)");
        int slides = pairs.Select(pair => pair.SlideId).Distinct().Count();
        bool known = train.All(pair => pair.SlideId.Length > 0);
        if (share == 0 || !known || slides < 3)
            return new(manifest, train, [],
                share == 0 ? "none (data.validation_share is 0)"
                : known ? $"none ({slides} slides are too few, 3 are needed)"
                : "none (slide IDs are unknown; set data.slide_pattern to hold out slides)");
        IReadOnlyList<Pair> held = (manifest with { Pairs = pairs }).SplitBySlide(share, 0, seed).InSplit("val");
        string[] heldSlides = [.. held.Select(pair => pair.SlideId).Distinct()];
        return new(manifest, [.. train.Where(pair => !heldSlides.Contains(pair.SlideId))], held,
            $"held-out slides {string.Join(", ", heldSlides)}");
    }

    private static TrainingData Validated(PairManifest manifest, IReadOnlyList<Pair> train, IReadOnlyList<Pair> validation)
    {
        Pair[] pairs = [.. validation.Where(IsPair)];
        return new(manifest, train, pairs,
            pairs.Length > 0 ? "the val split" : "none (no source and target of the val split have the same name)");
    }

    private static bool IsPair(Pair pair) => pair is { HasSource: true, HasTarget: true };

    // Pairs of all sources and all targets in order, the shorter list repeated.
    private TrainingData Combined()
    {
        Pair[] sources = [.. Train.Where(pair => pair.HasSource)], targets = [.. Train.Where(pair => pair.HasTarget)];
        if (sources.Length == 0 || targets.Length == 0)
        {
            throw new TinctorException(Manifest.Root, $"{sources.Length} training sources and {targets.Length} training targets",
                "Assign sources and targets to the split train");
        }
        return this with
        {
            Train = [.. Enumerable.Range(0, Math.Max(sources.Length, targets.Length))
                .Select(i => sources[i % sources.Length].WithTargetOf(targets[i % targets.Length]))],
            Unpaired = new(sources.Length, targets.Length),
        };
    }

    /// <summary>Holds out one fold of the images outside the test split, and checks all images outside the test split.</summary>
    /// <exception cref="TinctorException">Images are invalid or too few.</exception>
    internal static TrainingData ReadFold(PairManifest manifest, SupervisedData config, CancellationToken cancel = default)
    {
        if (config.ImageSize > 0 && config.CropSize > config.ImageSize)
        {
            throw new TinctorException(null, $"data.crop_size is {config.CropSize}, larger than data.image_size ({config.ImageSize})",
                $"Use data.crop_size={config.ImageSize}")
            { Option = $"data.crop_size={config.ImageSize}" };
        }
        Pair[] pairs = [.. manifest.Pairs.Where(pair => pair.Split != "test")];
        if (pairs.Length == 0)
            throw new TinctorException(config.Path, $"no training images ({manifest.Describe()})", "Assign images to the split train");
        pairs = [.. Folds.Half(pairs, config.Half)];
        var (train, held) = Folds.Split(pairs, config.Fold, config.Folds);
        PairVerification.Check(pairs, config.ImageSize > 0 ? 1 : config.CropSize,
            smallRemedy: side => $"Use data.crop_size={side}, or leave these images out.", cancel: cancel);
        return new(manifest, train, held, config.Folds == 1 ? "none (one fold)"
            : (config.Half.Length > 0 ? $"half {config.Half}, " : "")
                + $"fold {config.Fold} of {config.Folds}, {(Folds.SlidesKnown(pairs) ? "by slide" : "by image (slide IDs are unknown)")}");
    }

    /// <summary>Describes training and validation data in one line.</summary>
    /// <param name="noun">"pairs" or "images".</param>
    public string Describe(string noun) => $"training on {DescribeTrain(noun)}; validation: "
        + $"{(Validation.Count > 0 ? $"{Validation.Count} {noun}, " : "")}{ValidationNote}";

    /// <summary>Describes the number of training images, as in "12 pairs".</summary>
    /// <param name="noun">"pairs" or "images".</param>
    public string DescribeTrain(string noun) =>
        Unpaired is var (sources, targets) ? $"{sources} sources and {targets} targets, unpaired" : $"{Train.Count} {noun}";

    /// <summary>Creates the training set with augmentation.</summary>
    internal PairedDataset TrainingSet(DataConfig config, ulong seed, StainProfiles? stains = null, int factor = 1,
        bool standardize = false, Func<int, int>? wholeSide = null) =>
        new(Train, config.ResizeAndCrop(wholeSide) with
        {
            Factor = factor,
            StandardizeSource = standardize,
            BlankLimit = config.BlankLimit,
            SourceNormalizer = stains?.SourceNormalizer(),
            TargetNormalizer = stains?.TargetNormalizer(),
            RandomCrop = true,
            HorizontalFlip = config.Flip,
            VerticalFlip = config.Rotate,
            Rotate90 = config.Rotate,
            Distortion = config.Distortion,
            ResizedCrop = config.ResizedCrop,
            Jitter = config.StainJitter > 0 ? new StainJitter(config.StainJitter, config.StainJitter / 5) : null,
        }, seed, CacheBytes, Unpaired is { } counts ? new(counts.Targets, config.SerialBatches) : null);

    /// <summary>Creates the drawing of targets for sample images: the targets in order; null for paired data.</summary>
    internal UnpairedTargets? TargetsInOrder => Unpaired is { } counts ? new(counts.Targets, InOrder: true) : null;

    /// <summary>Size of the cache of decoded images in bytes.</summary>
    internal const long CacheBytes = 1L << 30;
}

/// <summary>Numbers of training images of unpaired data.</summary>
/// <param name="Sources">Number of sources.</param>
/// <param name="Targets">Number of targets.</param>
internal sealed record UnpairedCounts(int Sources, int Targets);
