using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Staining.Inference;

/// <summary>
/// How unlike a source is to the images that a model was trained on: the Mahalanobis distance of simple features of small windows, as a
/// share of the distance that 99 of 100 training windows stay below. What is far from training cannot be trusted, however sure the network is.
/// </summary>
/// <remarks>
/// Features of a window, of optical density (of the logarithm of brightness, that is): for each channel its mean, the logarithm of its
/// deviation, and the logarithms of what four octaves of detail hold. They see colour, contrast, focus and texture; they do not see what kind
/// of tissue it is.
/// </remarks>
public sealed class SourceNovelty
{
    /// <summary>Side of a window in pixels.</summary>
    public const int Window = 64;

    /// <summary>The sample that stands for the distance which 99 of 100 training windows stay below.</summary>
    public const int Known = 100;

    /// <summary>The channel of a <see cref="Map"/>; viewers show what is beyond the known.</summary>
    public static SlideChannel Channel { get; } = new("novelty") { Colour = 0xFF00FF, Display = (Known, 255) };

    private const int Octaves = 4;
    private readonly Tensor mean, precision;
    private readonly double limit;

    private SourceNovelty(Tensor mean, Tensor precision, double limit) => (this.mean, this.precision, this.limit) = (mean, precision, limit);

    /// <summary>Learns from training sources, prepared as the network sees them.</summary>
    /// <exception cref="TinctorException">They have too few windows to tell.</exception>
    public static SourceNovelty Of(IEnumerable<Image> sources)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor features = torch.cat([.. sources.Select(image => Features(image).reshape(-1, FeaturesOf(image.Channels)))]);
        if (features.size(0) <= 2 * features.size(1))
            throw new TinctorException($"{features.size(0)} windows of {Window} pixels are too few to tell what sources look like");
        Tensor mean = features.mean([0]), centred = features - mean;
        Tensor covariance = torch.matmul(centred.t(), centred) / (features.size(0) - 1);
        // A little more spread than was seen: features that hardly vary in training are not to rule.
        Tensor precision = torch.linalg.inv(covariance + (0.01 * covariance.diagonal().mean() * torch.eye(features.size(1))));
        double limit = Distances(centred, precision).quantile(0.99).item();
        return new(mean.MoveToOuterDisposeScope(), precision.MoveToOuterDisposeScope(), limit);
    }

    /// <summary>Reads what <see cref="Save"/> has written; null if there is no such file, as beside imported models.</summary>
    /// <exception cref="TinctorException">The file is damaged.</exception>
    public static SourceNovelty? Load(string path)
    {
        if (!File.Exists(path)) return null;
        OrderedDictionary<string, Tensor> tensors = SafeTensors.Load(path);
        return tensors.TryGetValue("mean", out Tensor? mean) && tensors.TryGetValue("precision", out Tensor? precision)
            && tensors.TryGetValue("limit", out Tensor? limit)
            ? new(mean, precision, limit.item())
            : throw new TinctorException($"{path}: is not what training writes; remove it, and novelty is not told");
    }

    /// <summary>Writes it.</summary>
    public void Save(string path)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        SafeTensors.Save(path, new OrderedDictionary<string, Tensor> { ["mean"] = mean, ["precision"] = precision, ["limit"] = torch.tensor([(float)limit], 1) },
            new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>Distances of the windows of an image, [rows, columns]: 1 is what 99 of 100 training windows stay below.</summary>
    /// <exception cref="TinctorException">The image has other channels than the training images.</exception>
    public Tensor Of(Image source)
    {
        if (FeaturesOf(source.Channels) != mean.size(0)) throw new TinctorException($"has {source.Channels} channels, unlike the training images");
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor features = Features(source);
        return (Distances(features.reshape(-1, mean.size(0)) - mean, precision) / limit).view(features.size(0), features.size(1)).MoveToOuterDisposeScope();
    }

    /// <summary>The distances as an image of the stained source's size: 100 is 1, 255 is 2.55 and more.</summary>
    public Image Map(Image source, int factor)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor samples = (Of(source) * (Known / 255.0)).clamp(0, 1).unsqueeze(0);
        return Image.FromTensor(samples).Resize(source.Width * factor, source.Height * factor, ResizeKernel.Linear);
    }

    private static int FeaturesOf(int channels) => channels * (2 + Octaves);

    private static Tensor Distances(Tensor centred, Tensor precision) => (torch.matmul(centred, precision) * centred).sum([1]).clamp(min: 0).sqrt();

    // [rows, columns, features] of the windows that fit, at least one: small images are one window.
    private static Tensor Features(Image image)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor density = -image.ToTensor().clamp(min: 1 / 255.0).log10().unsqueeze(0);
        int side = Math.Min(Window, Math.Min(image.Width, image.Height));
        var maps = new List<Tensor> { Pooled(density, side) };
        maps.Add(Logarithm(Pooled(density * density, side) - (maps[0] * maps[0])));
        for (int octave = 0; octave < Octaves; octave++)
        {
            int cell = 2 << octave;
            Tensor detail = density - F.avg_pool2d(F.pad(density, [cell / 2, (cell / 2) - 1, cell / 2, (cell / 2) - 1], "replicate"), cell, stride: 1);
            maps.Add(Logarithm(Pooled(detail * detail, side)));
        }
        return torch.cat([.. maps], 1)[0].permute(1, 2, 0).MoveToOuterDisposeScope();
    }

    private static Tensor Pooled(Tensor image, int side) => F.avg_pool2d(image, side);

    private static Tensor Logarithm(Tensor energy) => (energy.clamp(min: 0) + 1e-6).log10();
}
