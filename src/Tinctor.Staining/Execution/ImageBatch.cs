using System.Numerics;
using Tinctor.Slides;

namespace Tinctor.Staining.Execution;

/// <summary>
/// Batch of images of one size as float32 samples [N,C,H,W] in memory, usually in [-1,1]. Not thread-safe while it is written.
/// </summary>
internal sealed class ImageBatch
{
    /// <summary>Creates a batch of zeros, or over given samples.</summary>
    /// <param name="count">Number of images.</param>
    /// <param name="channels">Channels of each.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="values">Samples [N,C,H,W], used without a copy; null for zeros.</param>
    /// <exception cref="ArgumentException">The number of samples does not fit.</exception>
    public ImageBatch(int count, int channels, int height, int width, float[]? values = null)
    {
        (Count, Channels, Height, Width) = (count, channels, height, width);
        Values = values ?? new float[count * ImageLength];
        if (Values.Length != count * ImageLength)
            throw new ArgumentException($"{Values.Length} samples, [{count},{channels},{height},{width}] needs {count * ImageLength}",
                nameof(values));
    }

    /// <summary>Number of images.</summary>
    public int Count { get; }

    /// <summary>Channels of each image.</summary>
    public int Channels { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>All samples [N,C,H,W].</summary>
    public float[] Values { get; }

    /// <summary>Number of samples of one image.</summary>
    public int ImageLength => Channels * Height * Width;

    /// <summary>Whether all samples are finite numbers.</summary>
    public bool IsFinite
    {
        get
        {
            // x - x is 0 for finite numbers and NaN for others, which a sum keeps.
            Vector<float> sum = default;
            int i = 0;
            for (; i <= Values.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var samples = new Vector<float>(Values, i);
                sum += samples - samples;
            }
            float rest = 0;
            for (; i < Values.Length; i++) rest += Values[i] - Values[i];
            return Vector.Sum(sum) + rest == 0;
        }
    }

    /// <summary>Converts images of one size and channel count.</summary>
    public static ImageBatch FromImages(IReadOnlyList<Image> images, ValueRange range = ValueRange.MinusOneToOne)
    {
        var batch = new ImageBatch(images.Count, images[0].Channels, images[0].Height, images[0].Width);
        foreach ((int i, Image image) in images.Index())
        {
            if ((image.Channels, image.Height, image.Width) != (batch.Channels, batch.Height, batch.Width))
                throw new ArgumentException("the images of a batch have one size and number of channels", nameof(images));
            image.CopyTo(batch.Samples(i), range);
        }
        return batch;
    }

    /// <summary>Joins batches of images of one size and channel count.</summary>
    /// <exception cref="ArgumentException">The images differ in size or number of channels.</exception>
    public static ImageBatch Concat(IReadOnlyList<ImageBatch> parts)
    {
        var batch = new ImageBatch(parts.Sum(part => part.Count), parts[0].Channels, parts[0].Height, parts[0].Width);
        int start = 0;
        foreach (ImageBatch part in parts)
        {
            if ((part.Channels, part.Height, part.Width) != (batch.Channels, batch.Height, batch.Width))
                throw new ArgumentException("the images of a batch have one size and number of channels", nameof(parts));
            part.Values.CopyTo(batch.Values, start);
            start += part.Values.Length;
        }
        return batch;
    }

    /// <summary>Gets the samples [C,H,W] of one image.</summary>
    public Span<float> Samples(int index) => Values.AsSpan(index * ImageLength, ImageLength);

    /// <summary>Converts one image; samples beyond the range are clamped.</summary>
    public Image ToImage(int index, ValueRange range = ValueRange.MinusOneToOne, SampleType sampleType = SampleType.UInt8)
    {
        var image = new Image(Width, Height, Channels, sampleType);
        image.CopyFrom(Samples(index), range);
        return image;
    }

    /// <summary>Gets the upper left part.</summary>
    public ImageBatch Crop(int height, int width) =>
        (height, width) == (Height, Width) ? this : Map(height, width, (plane, y, x) => plane[(y * Width) + x]);

    /// <summary>
    /// Extends the images to the right and at the bottom: by reflection, which continues the tissue; images smaller than the padding repeat
    /// their edge.
    /// </summary>
    public ImageBatch Pad(int bottom, int right)
    {
        if (bottom == 0 && right == 0) return this;
        bool reflect = bottom < Height && right < Width;
        return Map(Height + bottom, Width + right, (plane, y, x) => plane[(Inside(y, Height) * Width) + Inside(x, Width)]);

        int Inside(int place, int size) => place < size ? place : reflect ? (2 * (size - 1)) - place : size - 1;
    }

    /// <summary>Creates a batch whose pixels are taken from each plane [H,W] of this one.</summary>
    internal ImageBatch Map(int height, int width, Func<float[], int, int, float> pixel)
    {
        var result = new ImageBatch(Count, Channels, height, width);
        var plane = new float[Height * Width];
        for (int p = 0; p < Count * Channels; p++)
        {
            Values.AsSpan(p * plane.Length, plane.Length).CopyTo(plane);
            Span<float> to = result.Values.AsSpan(p * height * width, height * width);
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++) to[(y * width) + x] = pixel(plane, y, x);
        }
        return result;
    }
}
