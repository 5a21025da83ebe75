using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Segmentation;

/// <summary>
/// Training of a U-Net with cross entropy and soft Dice loss (as nnU-Net, Isensee et al. 2021). Classes of masks are merged to
/// foreground, unless the configuration names classes of tissue.
/// </summary>
/// <param name="config">Configuration of the training.</param>
/// <param name="format">Format of the masks.</param>
/// <param name="channels">Channels of the images.</param>
/// <param name="device">Device of the training.</param>
internal sealed class SegmenterTask(SegmenterConfig config, MaskFormat format, int channels, Device device) : ImageTask(
    new SegmentationUnet(channels, Segmenter.Classes(config.Target, config.TissueClasses.Count), config.Width, config.Depth),
    config.Training, device)
{
    private readonly IReadOnlyList<MaskClass> classes = config.TissueClasses;

    /// <inheritdoc/>
    public override string ScoreName => classes.Count > 0 ? "macro_f1" : "dice";

    /// <inheritdoc/>
    public override Tensor Loss(Batch batch)
    {
        Tensor truth = Truth(batch).to(Device);
        Tensor logits = Predict(batch);
        Tensor share = F.softmax(logits, 1)[.., 1..], wanted = OneHot(truth)[.., 1..];
        Tensor both = BatchAcrossRanks.Sum((share * wanted).sum([0, 2, 3]));
        Tensor either = BatchAcrossRanks.Sum(share.sum([0, 2, 3]) + wanted.sum([0, 2, 3]));
        Tensor dice = (both * 2 + 1) / (either + 1);
        return F.cross_entropy(logits, truth) + 1 - dice.mean();
    }

    /// <summary>
    /// Computes the Dice coefficient of the foreground pixels of all images together, or the mean of those of the classes of tissue.
    /// </summary>
    public override double Score(IEnumerable<Batch> validation) => Count(validation) is var counts && classes.Count > 0
        ? (double.IsNaN(counts.MacroF1) ? 0 : counts.MacroF1) : counts.Foreground.Dice;

    /// <inheritdoc/>
    public override void WriteModel(string folder, TrainingRecord record, IEnumerable<Batch> validation)
    {
        PixelConfusion counts = Count(validation);
        (double dice, double precision, double recall) = counts.Foreground;
        bool known = record.ValidationImages > 0;
        SupervisedModel.Write(folder, new SegmenterCard(Segmenter.Kind, record, config.Target.ToString().ToLowerInvariant(), channels,
            config.Width, config.Depth, format.Describe(), known ? dice : null, known ? precision : null, known ? recall : null)
        {
            Classes = classes.Count > 0 ? [.. classes.Select((each, i) => new ClassCard(each.Name, known ? counts.F1(i + 1) : null))]
                : null,
            MacroF1 = known && classes.Count > 0 ? counts.MacroF1 : null,
        }, Network);
    }

    /// <inheritdoc/>
    internal override IReadOnlyList<OnnxExport> OnnxExports =>
    [
        new(OnnxExport.ModelName, Segmenter.CreateExport((SegmentationUnet)Network, channels, Device),
            new Dictionary<string, string> { ["target"] = config.Target.ToString().ToLowerInvariant() }),
    ];

    /// <summary>
    /// Computes classes [N,H,W] of codes [N,1,H,W]. Nuclei: 0 background, 1 interior, 2 boundary (pixels with another code in their
    /// 8-neighbourhood; the image edge is not a boundary). Tissue: 0 background, 1 foreground.
    /// </summary>
    public static Tensor Truth(Tensor codes, SegmentationTarget target)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor foreground = codes.ne(0), classes = foreground.to(ScalarType.Int64);
        if (target == SegmentationTarget.Nuclei)
        {
            Tensor largest = F.max_pool2d(codes, 3, 1, 1), smallest = -F.max_pool2d(-codes, 3, 1, 1);
            classes = classes + foreground.logical_and(largest.ne(smallest)).to(ScalarType.Int64);
        }
        return classes[.., 0].MoveToOuterDisposeScope();
    }

    private Tensor Truth(Batch batch) => classes.Count == 0 ? Truth(format.Codes(batch.Target), config.Target)
        : Truth(format.Codes(batch.Target), [.. classes.Select(each => MaskFormat.Code(each.Value))]);

    /// <summary>Computes classes [N,H,W] of codes [N,1,H,W]: 1 for the first code, and so on; 0 for background and other codes.</summary>
    public static Tensor Truth(Tensor codes, IReadOnlyList<int> classes)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor truth = torch.zeros_like(codes);
        foreach ((int i, int code) in classes.Index()) truth = truth + (codes.eq(code).to(codes.dtype) * (i + 1));
        return truth.to(ScalarType.Int64)[.., 0].MoveToOuterDisposeScope();
    }

    private Tensor OneHot(Tensor truth) =>
        F.one_hot(truth, Segmenter.Classes(config.Target, classes.Count)).permute([0, 3, 1, 2]).to(ScalarType.Float32);

    private PixelConfusion Count(IEnumerable<Batch> validation)
    {
        var counts = new PixelConfusion(Segmenter.Classes(config.Target, classes.Count));
        foreach (Batch batch in validation)
        {
            counts.Add(Truth(batch).contiguous().ToArray<long>(), Predict(batch).argmax(1).cpu().contiguous().ToArray<long>());
        }
        return counts;
    }
}
