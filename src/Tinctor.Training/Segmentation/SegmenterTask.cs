using Tinctor.Torch;
using Tinctor.Training.Loading;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

namespace Tinctor.Training.Segmentation;

/// <summary>A U-Net that learns masks: cross-entropy plus soft Dice, as is usual (nnU-Net, Isensee et al. 2021).</summary>
/// <param name="config">The settings.</param>
/// <param name="format">How the masks are stored.</param>
/// <param name="channels">Channels of the images.</param>
/// <param name="device">Where it trains.</param>
internal sealed class SegmenterTask(SegmenterConfig config, MaskFormat format, int channels, Device device) : ImageTask(
    new SegmentationUnet(channels, Segmenter.Classes(config.Target), config.Width, config.Depth), config.Training, device)
{
    /// <inheritdoc/>
    public override string ScoreName => "dice";

    /// <inheritdoc/>
    public override Tensor Loss(Batch batch)
    {
        Tensor truth = Truth(format.Codes(batch.Target), config.Target).to(Device);
        Tensor logits = Predict(batch);
        Tensor share = F.softmax(logits, 1)[.., 1..], wanted = OneHot(truth)[.., 1..];
        Tensor dice = ((share * wanted).sum([0, 2, 3]) * 2 + 1) / (share.sum([0, 2, 3]) + wanted.sum([0, 2, 3]) + 1);
        return F.cross_entropy(logits, truth) + 1 - dice.mean();
    }

    /// <summary>Dice of the pixels of all images at once: nuclei or tissue against background.</summary>
    public override double Score(IEnumerable<Batch> validation) => Count(validation).Dice;

    /// <inheritdoc/>
    public override void WriteModel(string folder, TrainingRecord record, IEnumerable<Batch> validation)
    {
        (double dice, double precision, double recall) = Count(validation);
        bool known = record.ValidationImages > 0;
        SupervisedModel.Write(folder, new SegmenterCard(Segmenter.Kind, record, config.Target.ToString().ToLowerInvariant(), channels,
            config.Width, config.Depth, format.Describe(), known ? dice : null, known ? precision : null, known ? recall : null), Network);
    }

    /// <summary>
    /// Classes [N,H,W] of codes [N,1,H,W]: for nuclei 0 background, 1 inside, 2 boundary (pixels of a nucleus beside another code, by a
    /// side or a corner; the edge of the image is no boundary); for tissue 0 and 1.
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

    private Tensor OneHot(Tensor truth) =>
        F.one_hot(truth, Segmenter.Classes(config.Target)).permute([0, 3, 1, 2]).to(ScalarType.Float32);

    private (double Dice, double Precision, double Recall) Count(IEnumerable<Batch> validation)
    {
        (double both, double found, double there) = (0, 0, 0);
        foreach (Batch batch in validation)
        {
            Tensor truth = format.Codes(batch.Target)[.., 0].ne(0).to(ScalarType.Float32);
            Tensor guess = Predict(batch).argmax(1).cpu().ne(0).to(ScalarType.Float32);
            both += (truth * guess).sum().item();
            found += guess.sum().item();
            there += truth.sum().item();
        }
        return (2 * both / Math.Max(found + there, 1), both / Math.Max(found, 1), both / Math.Max(there, 1));
    }
}
