using Tinctor.Measurement.Regions;
using Tinctor.Slides;
using Tinctor.Transforms;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Jobs;
using Tinctor.Viewer.Pixels;

namespace Tinctor.Viewer.Measurements;

/// <summary>Repeats reads that the bounded queues refuse, so that views of the slides come first.</summary>
internal static class Patience
{
    /// <summary>Waits for a read on this thread, and repeats it while the server is busy.</summary>
    public static T Read<T>(Func<Task<T>> read, CancellationToken cancel)
    {
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            try
            {
                return read().GetAwaiter().GetResult();
            }
            catch (BusyException)
            {
                cancel.WaitHandle.WaitOne(BusyException.RetryAfter);
            }
        }
    }
}

/// <summary>Slide of the catalogue.</summary>
internal sealed class SlidePicture(CatalogueSlide slide, SlideSummary summary, SlideReader reader) : IPictureSource
{
    public int Width => summary.Width;

    public int Height => summary.Height;

    public Image Read(double downsample, PixelArea area, CancellationToken cancel) =>
        Patience.Read(() => reader.ReadAsync(slide, downsample, area, cancel), cancel);
}

/// <summary>Slide on the pixels of another one, through a registration; white beyond its edges.</summary>
internal sealed class RegisteredPicture(SlideSummary source, CatalogueSlide target, RegistrationTransform transform, SlideReader reader)
    : IPictureSource
{
    public int Width => source.Width;

    public int Height => source.Height;

    public Image Read(double downsample, PixelArea area, CancellationToken cancel) =>
        Patience.Read(() => reader.ReadRegisteredAsync(target, transform, downsample, area, cancel), cancel);
}

/// <summary>Slide whose tiles are stained before they are read.</summary>
internal sealed class StainedPicture(WorkKey key, StainingQueue queue, ReadQueue reads, CancellationToken cancel) : IPictureSource
{
    private readonly (int Width, int Height) size = SizeOf(queue, key, cancel);

    public int Width => size.Width;

    public int Height => size.Height;

    public Image Read(double downsample, PixelArea area, CancellationToken cancel)
    {
        const ResizeKernel kernel = ResizeKernel.Cubic;
        int reach = downsample == 1 ? 0 : Resampler.Reach(downsample, kernel);
        int left = Math.Max(0, (int)Math.Floor(area.X * downsample) - reach);
        int top = Math.Max(0, (int)Math.Floor(area.Y * downsample) - reach);
        int right = Math.Min(Width, (int)Math.Ceiling(area.Right * downsample) + reach);
        int bottom = Math.Min(Height, (int)Math.Ceiling(area.Bottom * downsample) + reach);
        Image stained = Patience.Read(() => StainAsync(left, top, right - left, bottom - top, cancel), cancel);
        return downsample == 1 ? stained
            : Resampler.Window(stained, left, top, downsample, area.X, area.Y, area.Width, area.Height, kernel);
    }

    private static (int, int) SizeOf(StainingQueue queue, WorkKey key, CancellationToken cancel)
    {
        SlideInWork work = Patience.Read(() => queue.OpenAsync(key).WaitAsync(cancel), cancel);
        return (work.Width, work.Height);
    }

    // The slide may have been closed since the last tile.
    private async Task<Image> StainAsync(int x, int y, int width, int height, CancellationToken cancel)
    {
        SlideInWork work = await queue.OpenAsync(key).WaitAsync(cancel);
        if (!await queue.StainAsync(work, x, y, width, height, cancel)) throw new BusyException();
        try
        {
            return await reads.RunAsync(() => work.Read(x, y, width, height, width, height), cancel);
        }
        catch (TinctorException) when (work.IsFinishing)
        {
            throw new TinctorException(key.Slide, "a job finished staining the slide meanwhile", "Measure again.");
        }
    }
}
