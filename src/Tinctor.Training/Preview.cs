using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Methods;
using Tinctor.Training.Networks;
using Tinctor.Training.Validation;

namespace Tinctor.Training;

/// <summary>Validates a network at a checkpoint: score and sample images of validation pairs.</summary>
internal sealed class Preview : IDisposable
{
    /// <summary>Maximum number of pairs of the method's own scores, whose features are in memory together.</summary>
    internal const int MostMeasured = 64;

    private const int MostPixels = 512;
    private readonly Module<Tensor, Tensor> generator;
    private readonly Stainer stainer;
    private readonly TrainingData data;
    private readonly RunConfig config;
    private readonly Device device;

    public Preview(Module<Tensor, Tensor> generator, RunConfig config, TrainingData data, Device device)
    {
        this.generator = generator;
        this.config = config;
        this.data = data;
        this.device = device;
        stainer = TrainedModel.CreateStainer(generator, config.Model, device, config.Training.Amp);
    }

    /// <summary>Computes the scores of pairs, on stained images before rounding to 8 bits.</summary>
    public GroupedScore Score(PairScore score, IReadOnlyList<Pair> validation)
    {
        PairedDataset pairs = Dataset(validation);
        var values = new double[pairs.Count];
        for (int i = 0; i < pairs.Count; i++)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            (Tensor source, Tensor target) = pairs.Get(i);
            values[i] = score.Compute(Stain(source, pairs.Pairs[i]).unsqueeze(0), target.unsqueeze(0), pairs.Pairs[i]);
        }
        return GroupedScore.Create(validation, values);
    }

    /// <summary>Selects evenly spaced validation pairs that a score takes, equally many of each data set and stain.</summary>
    /// <param name="validation">Validation pairs.</param>
    /// <param name="score">The score.</param>
    /// <param name="count">Maximum number of pairs, but at least one of each data set and stain; 0 for all.</param>
    public static IReadOnlyList<Pair> Select(IReadOnlyList<Pair> validation, PairScore score, int count)
    {
        Pair[] pairs = [.. validation.Where(score.Takes)];
        var groups = PairGroups.Find(pairs);
        return [.. groups.SelectMany(group => Even(group.Indices, count == 0 ? 0 : Math.Max(1, count / groups.Count)))
            .Select(i => pairs[i])];
    }

    private static IEnumerable<int> Even(int[] indices, int count)
    {
        int chosen = count > 0 ? Math.Min(count, indices.Length) : indices.Length;
        return Enumerable.Range(0, chosen).Select(i => indices[(int)((long)i * indices.Length / chosen)]);
    }

    /// <summary>Computes the method's own scores of up to <see cref="MostMeasured"/> evenly spaced pairs.</summary>
    public IReadOnlyDictionary<string, double> Measure(Method method, IReadOnlyList<Pair> validation)
    {
        if (!method.Measures) return new Dictionary<string, double>();
        using DisposeScope scope = torch.NewDisposeScope();
        PairedDataset pairs = Dataset(validation);
        int count = Math.Min(pairs.Count, MostMeasured);
        int[] measured = [.. Enumerable.Range(0, count).Select(i => i * pairs.Count / count)];
        using StainContext? stains = method.UseStains([.. measured.Select(i => pairs.Pairs[i])], device);
        return method.Measure([.. measured.Select(i => pairs.Get(i))]);
    }

    /// <summary>Creates rows of source, stained and real image; null if no samples are configured or the targets are not RGB.</summary>
    public Image? Picture()
    {
        PairedDataset pairs = data.Validation.Count > 0 ? Dataset(data.Validation) : Dataset(data.Train, data.TargetsInOrder);
        int count = Math.Min(config.Training.Samples, pairs.Count);
        if (count == 0 || config.Model.OutputChannels != 3) return null;
        using DisposeScope scope = torch.NewDisposeScope();
        var rows = new List<Tensor>();
        for (int i = 0; i < count; i++)
        {
            (Tensor source, Tensor target) = pairs.Get(i * pairs.Count / count);
            Pair pair = pairs.Pairs[i * pairs.Count / count];
            Tensor row = torch.cat([.. new[] { ToRgb(Visible(source), target), Stain(source, pair), target }.Select(Centre)], 2);
            // Whole images may differ in size.
            if (rows.Count == 0 || row.shape.SequenceEqual(rows[0].shape)) rows.Add(row);
        }
        return Image.FromTensor(torch.cat([.. rows], 1), ValueRange.MinusOneToOne);
    }

    private Tensor Stain(Tensor source, Pair pair)
    {
        Stainer stainer = config.Model.Stains.Count > 1 ? this.stainer.ForStain(pair.Stain!) : this.stainer;
        (int channels, int height, int width) = ((int)source.size(0), (int)source.size(1), (int)source.size(2));
        ImageBatch stained = stainer.Stain(new ImageBatch(1, channels, height, width, source.contiguous().ToArray<float>()));
        return torch.tensor<float>(stained.Values, stained.Channels, stained.Height, stained.Width);
    }

    // A z-scored source is shown from -3 to 3 standard deviations.
    private Tensor Visible(Tensor source) => config.Model.StandardizesSource ? source / 3 : source;

    private static Tensor Centre(Tensor image)
    {
        for (int axis = 1; axis <= 2; axis++)
        {
            if (image.size(axis) > MostPixels) image = image.narrow(axis, (image.size(axis) - MostPixels) / 2, MostPixels);
        }
        return image;
    }

    // Resized to the target by nearest neighbour; the first three channels, or the mean of fewer channels.
    private static Tensor ToRgb(Tensor source, Tensor target)
    {
        Tensor colours = source.size(0) >= 3 ? source[..3] : source.mean([0], keepdim: true).expand(3, -1, -1);
        return F.interpolate(colours.unsqueeze(0), (Size2)(target.size(1), target.size(2)))[0];
    }

    /// <summary>Returns the network to training mode.</summary>
    public void Dispose() => generator.train();

    // Centre crops give all rows the same size.
    private PairedDataset Dataset(IReadOnlyList<Pair> pairs, UnpairedTargets? unpaired = null) => new(pairs, config.Data.ResizeAndCrop(
        new CropRule(config.Model).NearestTo, MostPixels / config.Model.Upscaling * config.Model.Upscaling) with
    {
        Factor = config.Model.Upscaling,
        StandardizeSource = config.Model.StandardizesSource,
        SourceNormalizer = config.Stains?.SourceNormalizer(),
        TargetNormalizer = config.Stains?.TargetNormalizer(),
    }, unpaired: unpaired);
}
