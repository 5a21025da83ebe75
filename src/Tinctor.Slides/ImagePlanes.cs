using System.Runtime.InteropServices;

namespace Tinctor.Slides;

public sealed partial class Image
{
    /// <summary>Copies the samples of one channel [Height, Width].</summary>
    internal byte[] Plane(int channel)
    {
        var plane = new byte[Width * Height * BytesPerSample(SampleType)];
        if (SampleType == SampleType.UInt8) Separate(Data, plane, channel);
        else Separate(Samples16, MemoryMarshal.Cast<byte, ushort>(plane.AsSpan()), channel);
        return plane;
    }

    /// <summary>Copies the samples of one channel [Height, Width] as numbers.</summary>
    internal float[] Samples(int channel)
    {
        byte[] plane = Plane(channel);
        if (SampleType == SampleType.UInt8) return Array.ConvertAll(plane, sample => (float)sample);
        return Array.ConvertAll(MemoryMarshal.Cast<byte, ushort>(plane.AsSpan()).ToArray(), sample => (float)sample);
    }

    /// <summary>Fills the image from consecutive planes [Channels, Height, Width].</summary>
    internal void Interleave(byte[] planes)
    {
        if (SampleType == SampleType.UInt8) Interleave<byte>(planes, Data);
        else Interleave(MemoryMarshal.Cast<byte, ushort>(planes), Samples16);
    }

    /// <summary>Joins images of one channel, which have the same size and type.</summary>
    internal static Image Joined(Image[] planes)
    {
        var image = new Image(planes[0].Width, planes[0].Height, planes.Length, planes[0].SampleType);
        var all = new byte[image.Data.Length];
        for (int c = 0; c < planes.Length; c++) planes[c].Data.CopyTo(all, c * planes[c].Data.Length);
        image.Interleave(all);
        return image;
    }

    private void Separate<T>(ReadOnlySpan<T> samples, Span<T> plane, int channel)
    {
        for (int i = 0, j = channel; i < plane.Length; i++, j += Channels) plane[i] = samples[j];
    }

    private void Interleave<T>(ReadOnlySpan<T> planes, Span<T> samples)
    {
        int pixels = Width * Height;
        for (int c = 0; c < Channels; c++)
            for (int i = 0, j = c; i < pixels; i++, j += Channels) samples[j] = planes[(c * pixels) + i];
    }
}
