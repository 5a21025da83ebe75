using System.Numerics;

namespace Tinctor.Slides;

/// <summary>Range of samples as floating-point numbers.</summary>
public enum ValueRange
{
    /// <summary>0 black to 1 white: value / 255 or value / 65535, as torchvision's ToTensor.</summary>
    ZeroToOne,

    /// <summary>-1 black to 1 white: (x - 0.5) / 0.5 of the former, as torchvision's Normalize(0.5, 0.5).</summary>
    MinusOneToOne,
}

public sealed partial class Image
{
    /// <summary>
    /// Writes the samples as floats [Channels, Height, Width] into memory of the caller, such as one image's part of a batch.
    /// </summary>
    /// <exception cref="ArgumentException">The memory is too small.</exception>
    public void CopyTo(Span<float> planes, ValueRange range = ValueRange.ZeroToOne)
    {
        if (planes.Length < (long)Channels * Height * Width)
        {
            throw new ArgumentException($"{Channels}x{Height}x{Width} floats are needed, got {planes.Length}", nameof(planes));
        }
        var row = new float[Width * Channels];
        for (var y = 0; y < Height; y++)
        {
            ReadRow(y, row);
            Normalise(row, Largest, range);
            for (var c = 0; c < Channels; c++)
            {
                var plane = planes.Slice((c * Height + y) * Width, Width);
                for (int x = 0, i = c; x < plane.Length; x++, i += Channels)
                {
                    plane[x] = row[i];
                }
            }
        }
    }

    /// <summary>
    /// Replaces the samples by floats [Channels, Height, Width]. Values outside of the range are clamped, NaN becomes black, halves are
    /// rounded up; so <see cref="CopyTo"/> and back is exact.
    /// </summary>
    /// <exception cref="ArgumentException">There are too few.</exception>
    public void CopyFrom(ReadOnlySpan<float> planes, ValueRange range = ValueRange.ZeroToOne)
    {
        if (planes.Length < (long)Channels * Height * Width)
        {
            throw new ArgumentException($"{Channels}x{Height}x{Width} floats are needed, got {planes.Length}", nameof(planes));
        }
        var row = new float[Width * Channels];
        for (var y = 0; y < Height; y++)
        {
            for (var c = 0; c < Channels; c++)
            {
                var plane = planes.Slice((c * Height + y) * Width, Width);
                for (int x = 0, i = c; x < plane.Length; x++, i += Channels)
                {
                    row[i] = plane[x];
                }
            }
            Denormalise(row, Largest, range);
            WriteRow(y, row);
        }
    }

    internal float Largest => SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue;

    /// <summary>Divides, as torchvision does: multiplying by 1 / 255 would differ in the last bit.</summary>
    private static void Normalise(Span<float> row, float largest, ValueRange range)
    {
        var (scale, shift) = range == ValueRange.ZeroToOne ? (1f, 0f) : (2f, -1f);
        var i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(row[i..]) / largest * scale + new Vector<float>(shift)).CopyTo(row[i..]);
        }
        for (; i < row.Length; i++)
        {
            row[i] = row[i] / largest * scale + shift;
        }
    }

    private static void Denormalise(Span<float> row, float largest, ValueRange range)
    {
        var (scale, shift) = range == ValueRange.ZeroToOne ? (largest, 0f) : (largest / 2, largest / 2);
        var i = 0;
        for (; i <= row.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            (new Vector<float>(row[i..]) * scale + new Vector<float>(shift)).CopyTo(row[i..]);
        }
        for (; i < row.Length; i++)
        {
            row[i] = row[i] * scale + shift;
        }
    }
}
