using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Viewer.Pixels;

/// <summary>Reads regions of a slide on the pixels of another one, through a transform.</summary>
internal static class RegisteredRegion
{
    // A transform that tears tissue apart needs distant pixels for one region; they are then read at a coarser resolution.
    private const double MostPixels = 1 << 24;
    private const int Margin = 3; // radius of the cubic kernel, rounded up

    /// <summary>Reads a region of the target for display; white outside of it, and black if it is fluorescence.</summary>
    /// <param name="transform">Transform from source to target.</param>
    /// <param name="target">Target slide.</param>
    /// <param name="downsample">Pixels of the source's level 0 per pixel of the region.</param>
    /// <param name="x">Left edge in pixels of that resolution.</param>
    /// <param name="y">Upper edge in pixels of that resolution.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <exception cref="TinctorException">The target is damaged there, or is not the registered slide.</exception>
    public static Image Read(RegistrationTransform transform, ViewedSlide target, double downsample, int x, int y, int width, int height)
    {
        Slide slide = target.Slide;
        RequireSize(transform.Target, slide.Path, slide.Width, slide.Height);
        var region = new Image(width, height, 3);
        region.Data.AsSpan().Fill(slide.Modality == Modality.Fluorescence ? byte.MinValue : byte.MaxValue);
        double finest = Math.Max(1, downsample * Math.Sqrt(Math.Abs(transform.Affine.Determinant)));
        (double U, double V)[] positions;
        bool[] inside;
        int left, top, right, bottom;
        while (true)
        {
            positions = transform.Positions(downsample, finest, x, y, width, height);
            (int columns, int rows) = ((int)Math.Ceiling(slide.Width / finest), (int)Math.Ceiling(slide.Height / finest));
            double lastU = (slide.Width / finest) - 0.5, lastV = (slide.Height / finest) - 0.5;
            inside = Array.ConvertAll(positions, p => p.U >= -0.5 && p.V >= -0.5 && p.U <= lastU && p.V <= lastV);
            (double U, double V)[] shown = [.. positions.Where((_, i) => inside[i])];
            if (shown.Length == 0) return region;
            left = Math.Max(0, (int)shown.Min(p => p.U) - Margin);
            top = Math.Max(0, (int)shown.Min(p => p.V) - Margin);
            right = Math.Clamp((int)shown.Max(p => p.U) + 1 + Margin, left, columns - 1);
            bottom = Math.Clamp((int)shown.Max(p => p.V) + 1 + Margin, top, rows - 1);
            double excess = (right - left + 1.0) * (bottom - top + 1.0) / MostPixels;
            if (excess <= 1) break;
            finest *= 1.1 * Math.Sqrt(excess);
        }
        var sampler = new CubicSampler(target.Read(finest, left, top, right - left + 1, bottom - top + 1));
        for (int i = 0; i < positions.Length; i++)
            if (inside[i]) sampler.Sample(positions[i].U - left, positions[i].V - top, region, i);
        return region;
    }

    /// <summary>Requires the size that a slide had when it was registered.</summary>
    /// <exception cref="TinctorException">The slide has another size.</exception>
    public static void RequireSize(ImageFrame frame, string path, int width, int height)
    {
        if ((width, height) != (frame.Width, frame.Height))
            throw new TinctorException(path, $"the slide has {width}x{height} pixels, but the transform is for "
                + $"{frame.Width}x{frame.Height}", "Register the slides again");
    }
}
