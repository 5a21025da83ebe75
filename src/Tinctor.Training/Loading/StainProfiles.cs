using Tinctor.Data;
using Tinctor.Slides.Colour;
using YamlDotNet.Serialization;

namespace Tinctor.Training.Loading;

/// <summary>
/// Stain normalisation of a run's images. Sources are normalised individually, as at inference. Targets are normalised from a common
/// profile of all training targets, because individual normalisation would remove differences such as the IHC level.
/// </summary>
public sealed record StainProfiles
{
    private const int MostTargets = 200, PixelsOfTarget = 5_000;

    /// <summary>Reference profile of sources, in training and staining; null for no normalisation.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfile? Source { get; init; }

    /// <summary>Reference profile of targets; null for no normalisation.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfile? Target { get; init; }

    /// <summary>Common profile of the training targets.</summary>
    [YamlMember(DefaultValuesHandling = DefaultValuesHandling.OmitNull)]
    public StainProfile? TargetImages { get; init; }

    /// <summary>Creates the normaliser of sources; null for none.</summary>
    public StainNormalizer? SourceNormalizer() => Source is null ? null : new(Source);

    /// <summary>Creates the normaliser of targets; null for none.</summary>
    public StainNormalizer? TargetNormalizer() => Target is null ? null : new(Target, TargetImages);

    /// <summary>Describes the normalisation in one line.</summary>
    internal string Describe() => string.Join("; ", new[]
    {
        Source is null ? null : $"sources are normalised by {Source.Method.ToString().ToLowerInvariant()}",
        Target is null ? null : $"targets are normalised by {Target.Method.ToString().ToLowerInvariant()}, "
            + $"from the common profile of {TargetImages?.Images ?? 0} training targets",
    }.OfType<string>());

    /// <summary>Reads the profiles in the configuration and estimates the profile of the training targets; null without profiles.</summary>
    /// <exception cref="TinctorException">A file is not a profile, or the targets do not show two stains.</exception>
    internal static StainProfiles? Read(DataConfig config, IReadOnlyList<Pair> train)
    {
        if (config.Normalize.Length + config.NormalizeTarget.Length == 0) return null;
        StainProfile? target = config.NormalizeTarget.Length == 0 ? null : StainProfile.Read(config.NormalizeTarget);
        return new()
        {
            Source = config.Normalize.Length == 0 ? null : StainProfile.Read(config.Normalize),
            Target = target,
            TargetImages = target is null ? null : EstimateCommon(train, target.Method),
        };
    }

    private static StainProfile EstimateCommon(IReadOnlyList<Pair> pairs, StainMethod method)
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
            throw new TinctorException(e.File, $"the training targets cannot be normalised (data.normalize_target): {e.Problem}",
                e.Remedy, e);
        }
    }
}
