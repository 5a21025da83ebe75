using System.Runtime.InteropServices;
using Tinctor.Slides.Native;

namespace Tinctor.Slides;

/// <summary>An image in memory: rows from the top, pixels from the left, the channels of a pixel side by side.</summary>
public sealed partial class Image
{
    /// <summary>
    /// Makes an image around <paramref name="data"/> (not copied), or a black one.
    /// Throws <see cref="ArgumentException"/> if a size is below 1, or the data has not exactly the bytes that the image needs.
    /// </summary>
    public Image(int width, int height, int channels, SampleType sampleType = SampleType.UInt8, byte[]? data = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        var size = ByteSize(width, height, channels, sampleType);
        if (data is not null && data.Length != size)
        {
            throw new ArgumentException($"{width}x{height}x{channels} {sampleType} needs {size} bytes, got {data.Length}", nameof(data));
        }
        (Width, Height, Channels, SampleType) = (width, height, channels, sampleType);
        Data = data ?? new byte[size];
    }

    /// <summary>Pixels across.</summary>
    public int Width { get; }

    /// <summary>Pixels down.</summary>
    public int Height { get; }

    /// <summary>Samples in a pixel: 1 grey, 3 RGB, 4 fluorescence or RGBA, any other number from a TIFF.</summary>
    public int Channels { get; }

    /// <summary>How a sample is stored.</summary>
    public SampleType SampleType { get; }

    /// <summary>The samples [Height, Width, Channels]; 16-bit ones in native byte order.</summary>
    public byte[] Data { get; }

    /// <summary>
    /// The samples [Height, Width, Channels] of a 16-bit image, without a copy; throws <see cref="InvalidOperationException"/> for 8 bits.
    /// </summary>
    public Span<ushort> Samples16 => SampleType == SampleType.UInt16
        ? MemoryMarshal.Cast<byte, ushort>(Data.AsSpan())
        : throw new InvalidOperationException("the image has 8-bit samples");

    /// <summary>Notes for the user on how the file was read, such as transparency that was composited.</summary>
    public IReadOnlyList<string> Notes { get; internal set; } = [];

    /// <summary>Whether the file marks the last channel as transparency. TIFFs often mark any fourth channel so.</summary>
    public bool HasAlpha { get; internal set; }

    private int BytesPerPixel => Channels * BytesPerSample(SampleType);

    private int VipsFormat => SampleType == SampleType.UInt8 ? VipsImage.UChar : VipsImage.UShort;

    /// <summary>
    /// Reads a PNG, JPEG or TIFF file; the content decides the format, not the extension. Values are those of the file: colour
    /// profiles are not applied; palettes and 1-bit images are expanded to 8 bits. An EXIF or TIFF orientation is applied.
    /// Transparency of PNG, and associated alpha of TIFF, is composited on white, the colour of empty glass (opaque pixels do not change), unless
    /// <paramref name="keepAlpha"/>; <see cref="Notes"/> says so. Other TIFFs keep all their channels. TIFF pages of one channel and one size become channels; of other TIFFs the first page is read.
    /// Throws <see cref="FileNotFoundException"/>, or <see cref="TinctorException"/> for a file that is damaged, truncated,
    /// too large or of another kind (CMYK, floating point, 32 bit), in one line that names it.
    /// </summary>
    public static Image Read(string path, bool keepAlpha = false) => ImageReader.Read(path, keepAlpha);

    /// <summary>What <see cref="Read"/> would return, from the header alone; throws as it does, but does not see damaged pixels.</summary>
    public static ImageInfo ReadInfo(string path, bool keepAlpha = false) => ImageReader.ReadInfo(path, keepAlpha);

    /// <summary>
    /// Writes a .png (1 to 4 channels; 2 and 4 mean alpha), .jpg (8 bit, 1 or 3 channels, chroma at full resolution) or .tif file.
    /// The file is complete or not there at all. <paramref name="jpegQuality"/> is 1 to 100.
    /// Throws <see cref="TinctorException"/> for another extension or an image that the format cannot hold, <see cref="IOException"/>
    /// if the file cannot be written.
    /// </summary>
    public void Write(string path, int jpegQuality = 90, TiffCompression compression = TiffCompression.Deflate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(jpegQuality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(jpegQuality, 100);
        ImageWriter.Write(this, path, jpegQuality, compression);
    }

    /// <summary>
    /// A copy of the rectangle with the upper left corner (<paramref name="x"/>, <paramref name="y"/>).
    /// Throws <see cref="ArgumentOutOfRangeException"/> if it is not wholly inside.
    /// </summary>
    public Image Crop(int x, int y, int width, int height)
    {
        if (x < 0 || y < 0 || width < 1 || height < 1 || x > Width - width || y > Height - height)
        {
            throw new ArgumentOutOfRangeException(nameof(x), $"{width}x{height} at ({x}, {y}) is not inside {Width}x{Height}");
        }
        var crop = new Image(width, height, Channels, SampleType);
        var row = width * BytesPerPixel;
        for (var i = 0; i < height; i++)
        {
            var start = ((long)(y + i) * Width + x) * BytesPerPixel;
            Data.AsSpan((int)start, row).CopyTo(crop.Data.AsSpan(i * row));
        }
        return crop;
    }

    /// <summary>
    /// Lays another image over this one, its upper left corner at (<paramref name="x"/>, <paramref name="y"/>).
    /// Throws <see cref="ArgumentOutOfRangeException"/> if it is not wholly inside, <see cref="ArgumentException"/> if its samples differ.
    /// </summary>
    public void Paste(Image part, int x, int y)
    {
        if (part.Channels != Channels || part.SampleType != SampleType)
        {
            throw new ArgumentException($"{part.Channels} channels of {part.SampleType} do not go into {Channels} of {SampleType}", nameof(part));
        }
        if (x < 0 || y < 0 || x > Width - part.Width || y > Height - part.Height)
        {
            throw new ArgumentOutOfRangeException(nameof(x), $"{part.Width}x{part.Height} at ({x}, {y}) is not inside {Width}x{Height}");
        }
        var row = part.Width * BytesPerPixel;
        for (var i = 0; i < part.Height; i++)
        {
            part.Data.AsSpan(i * row, row).CopyTo(Data.AsSpan((int)(((long)(y + i) * Width + x) * BytesPerPixel)));
        }
    }

    /// <summary>Makes every pixel the same: one sample for each channel.</summary>
    public void Fill(ReadOnlySpan<ushort> pixel)
    {
        Span<byte> first = Data.AsSpan(0, Width * BytesPerPixel);
        Span<ushort> wide = MemoryMarshal.Cast<byte, ushort>(first);
        for (int i = 0; i < Width * Channels; i++)
        {
            if (SampleType == SampleType.UInt8) first[i] = (byte)pixel[i % Channels];
            else wide[i] = pixel[i % Channels];
        }
        for (int y = 1; y < Height; y++) first.CopyTo(Data.AsSpan(y * first.Length));
    }

    /// <summary>
    /// The image at another size, as Pillow does it: pixel areas are aligned (corners on corners), channels are independent.
    /// Made smaller, the kernel is widened by the factor, so that nothing aliases (unlike OpenCV, and torch interpolate without
    /// antialias); made larger, it interpolates. Results are clamped and rounded to nearest.
    /// </summary>
    public Image Resize(int width, int height, ResizeKernel kernel = ResizeKernel.Cubic)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        return Resampler.Resize(this, width, height, kernel);
    }

    /// <summary>
    /// The image with samples of another size: 8 to 16 bits times 257, 16 to 8 bits divided by 257 and rounded
    /// to nearest, so that black stays black, white white, and 8 to 16 to 8 bits is exact.
    /// </summary>
    public Image To(SampleType sampleType)
    {
        if (sampleType == SampleType)
        {
            return this;
        }
        var result = new Image(Width, Height, Channels, sampleType);
        if (sampleType == SampleType.UInt16)
        {
            var wide = result.Samples16;
            for (var i = 0; i < wide.Length; i++)
            {
                wide[i] = (ushort)(Data[i] * 257);
            }
        }
        else
        {
            var wide = Samples16;
            for (var i = 0; i < wide.Length; i++)
            {
                result.Data[i] = (byte)((wide[i] + 128) / 257);
            }
        }
        return result;
    }

    /// <summary>
    /// Converts the image to 8-bit RGB: grey is repeated, 16 bits are divided by 257 (65535 becomes 255), and transparency is composited on
    /// white. One-bit files are read as 8 bits, 0 and 255. The notes say what was done. An 8-bit RGB image is returned as it is.
    /// </summary>
    /// <exception cref="ArgumentException">The image has two, four or more channels that are not colours and transparency.</exception>
    public Image ToRgb8()
    {
        Image image = HasAlpha && Channels is 2 or 4 ? OnWhite() : this;
        if (image.Channels is not (1 or 3)) throw new ArgumentException($"{Channels} channels cannot be converted to RGB");
        var notes = new List<string>(image.Notes);
        if (SampleType == SampleType.UInt16) notes.Add("16 bits were converted to 8");
        image = image.To(SampleType.UInt8);
        if (image.Channels == 1)
        {
            notes.Add("grey was converted to RGB");
            byte[] grey = image.Data;
            image = new Image(Width, Height, 3);
            for (int i = 0; i < image.Data.Length; i++) image.Data[i] = grey[i / 3];
        }
        if (notes.Count > Notes.Count) image.Notes = notes;
        return image;
    }

    /// <summary>Composites the last channel, transparency, on white; opaque pixels do not change.</summary>
    internal Image OnWhite()
    {
        byte[] alpha = Plane(Channels - 1);
        Image image = Transform(ImageReader.Flatten);
        image.HasAlpha = false;
        if (alpha.AsSpan().ContainsAnyExcept((byte)255)) image.Notes = [.. Notes, "transparent pixels were composited on white"];
        return image;
    }

    /// <summary>Copies row <paramref name="y"/> as numbers of 0 to 255 or 65535.</summary>
    internal void ReadRow(int y, Span<float> row)
    {
        var start = y * Width * Channels;
        if (SampleType == SampleType.UInt8)
        {
            var samples = Data.AsSpan(start, row.Length);
            for (var i = 0; i < samples.Length; i++)
            {
                row[i] = samples[i];
            }
        }
        else
        {
            var samples = Samples16.Slice(start, row.Length);
            for (var i = 0; i < samples.Length; i++)
            {
                row[i] = samples[i];
            }
        }
    }

    /// <summary>Replaces row <paramref name="y"/> by numbers of 0 to 255 or 65535, clamped and rounded to nearest.</summary>
    internal void WriteRow(int y, ReadOnlySpan<float> row)
    {
        var start = y * Width * Channels;
        if (SampleType == SampleType.UInt8)
        {
            var samples = Data.AsSpan(start, row.Length);
            for (var i = 0; i < samples.Length; i++)
            {
                samples[i] = (byte)Round(row[i], byte.MaxValue);
            }
        }
        else
        {
            var samples = Samples16.Slice(start, row.Length);
            for (var i = 0; i < samples.Length; i++)
            {
                samples[i] = (ushort)Round(row[i], ushort.MaxValue);
            }
        }
    }

    /// <summary>Copies row <paramref name="y"/> as light in [0, 1].</summary>
    internal void ReadLight(int y, Span<float> row)
    {
        ReadRow(y, row);
        foreach (ref var sample in row)
        {
            sample /= Largest;
        }
    }

    /// <summary>Replaces row <paramref name="y"/> by light, clamped to [0, 1] and rounded to the nearest sample; changes the span.</summary>
    internal void WriteLight(int y, Span<float> row)
    {
        foreach (ref var sample in row)
        {
            sample *= Largest;
        }
        WriteRow(y, row);
    }

    /// <summary>The nearest whole number of 0 to <paramref name="largest"/>, halves up; NaN is 0.</summary>
    internal static int Round(float value, float largest) => (int)(float.ClampNative(value, 0, largest) + 0.5f);

    /// <summary>Turns and mirrors a picture that was stored with this EXIF orientation (2 to 8) the way it is to be seen.</summary>
    internal Image Upright(int orientation) => Transform(image =>
    {
        image.SetOrientation(orientation);
        return new VipsOperation("autorot").Set("in", image);
    });

    internal static int BytesPerSample(SampleType type) => type == SampleType.UInt8 ? 1 : 2;

    private static long ByteSize(int width, int height, int channels, SampleType type)
    {
        var size = (Int128)width * height * channels * BytesPerSample(type);
        return size <= Array.MaxLength
            ? (long)size
            : throw new ArgumentException($"{width}x{height}x{channels} {type} is more than the {Array.MaxLength} bytes of one image");
    }

    private unsafe Image Transform(Func<VipsImage, VipsOperation> operation)
    {
        fixed (byte* pixels = Data)
        {
            using var source = VipsImage.Wrap(pixels, Data.LongLength, Width, Height, Channels, VipsFormat);
            using var copy = new VipsOperation("copy").Set("in", source).Set("interpretation", ImageWriter.Interpretation(this, ImageFormat.Png));
            using var interpreted = copy.RunToImage();
            using var run = operation(interpreted);
            using var output = run.RunToImage();
            var result = new Image(output.Width, output.Height, output.Bands, SampleType) { Notes = Notes, HasAlpha = HasAlpha };
            output.CopyTo(result.Data);
            return result;
        }
    }
}

/// <summary>The kernels of <see cref="Image.Resize"/>, as Pillow has them.</summary>
public enum ResizeKernel
{
    /// <summary>The nearest pixel: for label maps.</summary>
    Nearest,

    /// <summary>Triangle of radius 1 (bilinear).</summary>
    Linear,

    /// <summary>Catmull-Rom cubic of radius 2, a = -0.5 (bicubic).</summary>
    Cubic,

    /// <summary>Lanczos windowed sinc of radius 3.</summary>
    Lanczos3,
}
