using Tinctor.Data;
using Tinctor.Slides.Colour;
using YamlDotNet.Serialization;

namespace Tinctor.Training.Loading;

/// <summary>
/// The colours that a run's images are brought to before they are trained on. Sources come from each image's own colours, as at inference
/// nothing else is known. Targets come from the colours that they have in common: the amount of a stain in one of them is what is to be
/// learned, and taken from each by itself all levels would look alike.
/// </summary>
public sealed record StainProfiles
{
    private const int MostTargets = 200, PixelsOfTarget = 5_000;

    /// <summary>Reference colours of sources, in training and before staining; null leaves sources as they are.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfile? Source { get; init; }

    /// <summary>Reference colours of targets; null leaves targets as they are.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfile? Target { get; init; }

    /// <summary>Common colours of the targets of the training pairs.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfile? TargetImages { get; init; }

    /// <summary>Normalises sources; null where they are left as they are.</summary>
    public StainNormalizer? SourceNormalizer() => Source is null ? null : new(Source);

    /// <summary>Normalises targets; null where they are left as they are.</summary>
    public StainNormalizer? TargetNormalizer() => Target is null ? null : new(Target, TargetImages);

    /// <summary>One line: what is normalised, and how.</summary>
    internal string Describe() => string.Join("; ", new[]
    {
        Source is null ? null : $"sources are normalised by {Source.Method.ToString().ToLowerInvariant()}",
        Target is null ? null : $"targets are normalised by {Target.Method.ToString().ToLowerInvariant()}, "
            + $"from what {TargetImages?.Images ?? 0} training targets have in common",
    }.OfType<string>());

    /// <summary>Reads the profiles that the configuration names, and looks at the training targets; null if it names none.</summary>
    /// <exception cref="TinctorException">A file is no profile, or the targets show no two stains.</exception>
    internal static StainProfiles? Read(DataConfig config, IReadOnlyList<Pair> train)
    {
        if (config.Normalize.Length + config.NormalizeTarget.Length == 0) return null;
        StainProfile? target = config.NormalizeTarget.Length == 0 ? null : StainProfile.Read(config.NormalizeTarget);
        return new()
        {
            Source = config.Normalize.Length == 0 ? null : StainProfile.Read(config.Normalize),
            Target = target,
            TargetImages = target is null ? null : InCommon(train, target.Method),
        };
    }

    private static StainProfile InCommon(IReadOnlyList<Pair> pairs, StainMethod method)
    {
        var pixels = new StainedPixels(PixelsOfTarget);
        int count = Math.Min(pairs.Count, MostTargets);
        try
        {
            for (int i = 0; i < count; i++) pixels.Add(pairs[i * pairs.Count / count].ReadImages().Target);
            return StainProfile.Estimate(pixels, method);
        }
        catch (TinctorException e)
        {
            throw new TinctorException($"the training targets cannot be normalised (data.normalize_target): {e.Message}", e);
        }
    }
}
