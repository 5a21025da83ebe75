using Tinctor.Slides;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Viewer.Pixels;

/// <summary>
/// Layers of an uncertainty slide, one for each channel: the colours of the bands of <see cref="ReliabilityMap"/>, transparent where the
/// stained slide is reliable.
/// </summary>
internal static class UncertaintyLayer
{
    /// <summary>Returns the names of the layers of a slide: variation and novelty, or none if the slide holds no uncertainty.</summary>
    public static IReadOnlyList<string> NamesOf(Slide slide)
    {
        string[] names = [.. slide.ChannelInfo.Select(channel => channel.Name)];
        return slide.SampleType == SampleType.UInt8 && names.Length == slide.Channels && names.Length > 0
            && names.All(name => BandsOf(name) is not null) ? names : [];
    }

    /// <summary>Returns the bands of a layer from the least uncertain, which is transparent; null if there is no such layer.</summary>
    public static IReadOnlyList<UncertaintyBand>? BandsOf(string layer) =>
        layer == TileUncertainty.Channel.Name ? ReliabilityMap.Variation
        : layer == SourceNovelty.Channel.Name ? ReliabilityMap.Novelty : null;

    /// <summary>Renders a layer as RGB with alpha.</summary>
    /// <param name="samples">Samples of the uncertainty slide.</param>
    /// <param name="channel">Channel of the layer.</param>
    /// <param name="bands">Bands of the layer.</param>
    public static Image Render(Image samples, int channel, IReadOnlyList<UncertaintyBand> bands)
    {
        var picture = new Image(samples.Width, samples.Height, 4);
        for (int i = 0; i < samples.Width * samples.Height; i++)
        {
            int band = bands.Count - 1;
            while (samples.Data[(i * samples.Channels) + channel] < bands[band].From) band--;
            if (band == 0) continue;
            (byte red, byte green, byte blue) = (bands[band].Red, bands[band].Green, bands[band].Blue);
            ReadOnlySpan<byte> colour = [red, green, blue, byte.MaxValue];
            colour.CopyTo(picture.Data.AsSpan(i * 4));
        }
        return picture;
    }
}
