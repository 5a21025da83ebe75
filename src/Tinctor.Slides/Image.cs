using System.Runtime.InteropServices;

namespace Tinctor.Slides;

/// <summary>Image in memory: rows from the top, pixels from the left, channels interleaved.</summary>
public sealed partial class Image
{
    /// <summary>Creates an image from samples, or a black image.</summary>
    /// <param name="width">Width in pixels, at least 1.</param>
    /// <param name="height">Height in pixels, at least 1.</param>
    /// <param name="channels">Samples per pixel, at least 1.</param>
    /// <param name="sampleType">Type of the samples.</param>
    /// <param name="data">Samples [height, width, channels], used without a copy; null for black.</param>
    /// <exception cref="ArgumentException">A size is below 1, the data has another number of bytes, or exceeds 2 GB.</exception>
    public Image(int width, int height, int channels, SampleType sampleType = SampleType.UInt8, byte[]? data = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        long size = ByteSize(width, height, channels, sampleType);
        if (data is not null && data.Length != size)
            throw new ArgumentException($"{width}x{height}x{channels} {sampleType} needs {size} bytes, got {data.Length}", nameof(data));
        (Width, Height, Channels, SampleType) = (width, height, channels, sampleType);
        Data = data ?? new byte[size];
    }

    /// <summary>Width in pixels.</summary>
    public int Width { get; }

    /// <summary>Height in pixels.</summary>
    public int Height { get; }

    /// <summary>Samples per pixel: 1 for grey, 3 for RGB, any number for a TIFF.</summary>
    public int Channels { get; }

    /// <summary>Type of the samples.</summary>
    public SampleType SampleType { get; }

    /// <summary>Samples [Height, Width, Channels]; 16-bit samples in native byte order.</summary>
    public byte[] Data { get; }

    /// <summary>Samples [Height, Width, Channels] of a 16-bit image, without a copy.</summary>
    /// <exception cref="InvalidOperationException">The image has 8-bit samples.</exception>
    public Span<ushort> Samples16 => SampleType == SampleType.UInt16
        ? MemoryMarshal.Cast<byte, ushort>(Data.AsSpan())
        : throw new InvalidOperationException("the image has 8-bit samples");

    /// <summary>Notes for the user on how the file was read, such as transparency that was composited.</summary>
    public IReadOnlyList<string> Notes { get; internal set; } = [];

    /// <summary>Whether the file marks the last channel as transparency. TIFFs often mark any fourth channel so.</summary>
    public bool HasAlpha { get; internal set; }

    private int BytesPerPixel => Channels * BytesPerSample(SampleType);

    /// <summary>
    /// Reads a PNG, JPEG or TIFF file, identified by content. Samples are those of the file: colour profiles are not applied; palettes and
    /// 1-bit images are expanded to 8 bits. An EXIF or TIFF orientation is applied. Transparency of PNG, and associated alpha of TIFF, is
    /// composited on white, the background of slides, and noted in <see cref="Notes"/>; other TIFFs keep all their channels. The first
    /// TIFF pages that have one sample and the same size are channels; of other TIFFs the first page is read.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="keepAlpha">Whether transparency stays the last channel.</param>
    /// <exception cref="TinctorException">
    /// The file is missing, damaged, truncated, too large, or of another kind (CMYK, floating point, 32 bits).
    /// </exception>
    public static Image Read(string path, bool keepAlpha = false) => ImageReader.Read(path, keepAlpha);

    /// <summary>Reads size, channels and format of an image from its header; damaged pixels are not detected.</summary>
    /// <param name="path">The file.</param>
    /// <param name="keepAlpha">Whether transparency counts as a channel.</param>
    /// <exception cref="TinctorException">The file is missing, the header is damaged, or the file is of another kind.</exception>
    public static ImageInfo ReadInfo(string path, bool keepAlpha = false) => ImageReader.ReadInfo(path, keepAlpha);

    /// <summary>
    /// Writes a .png (1 to 4 channels; 2 and 4 have alpha), .jpg (8 bits, 1 or 3 channels, chroma at full resolution) or .tif file,
    /// completely or not at all.
    /// </summary>
    /// <param name="path">The file; its extension selects the format.</param>
    /// <param name="jpegQuality">Quality of JPEG, 1 to 100.</param>
    /// <param name="compression">Compression of TIFF.</param>
    /// <exception cref="TinctorException">
    /// The extension is another, the format cannot hold the image, or the file cannot be written.
    /// </exception>
    public void Write(string path, int jpegQuality = 90, TiffCompression compression = TiffCompression.Deflate)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(jpegQuality, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(jpegQuality, 100);
        ImageWriter.Write(this, path, jpegQuality, compression);
    }

    /// <summary>Copies a rectangle.</summary>
    /// <param name="x">Left edge in pixels.</param>
    /// <param name="y">Upper edge in pixels.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle is not completely inside of the image.</exception>
    public Image Crop(int x, int y, int width, int height)
    {
        if (x < 0 || y < 0 || width < 1 || height < 1 || x > Width - width || y > Height - height)
            throw new ArgumentOutOfRangeException(nameof(x), $"{width}x{height} at ({x}, {y}) is not inside {Width}x{Height}");
        var crop = new Image(width, height, Channels, SampleType);
        int row = width * BytesPerPixel;
        for (int i = 0; i < height; i++)
        {
            long start = (((long)(y + i) * Width) + x) * BytesPerPixel;
            Data.AsSpan((int)start, row).CopyTo(crop.Data.AsSpan(i * row));
        }
        return crop;
    }

    /// <summary>Copies another image into this one.</summary>
    /// <param name="part">Image with the same channels and sample type.</param>
    /// <param name="x">Left edge in this image, in pixels.</param>
    /// <param name="y">Upper edge in this image, in pixels.</param>
    /// <exception cref="ArgumentOutOfRangeException">The part is not completely inside of this image.</exception>
    /// <exception cref="ArgumentException">Channels or sample types differ.</exception>
    public void Paste(Image part, int x, int y)
    {
        if (part.Channels != Channels || part.SampleType != SampleType)
            throw new ArgumentException($"{part.Channels} channels of {part.SampleType} do not fit {Channels} of {SampleType}",
                nameof(part));
        if (x < 0 || y < 0 || x > Width - part.Width || y > Height - part.Height)
            throw new ArgumentOutOfRangeException(nameof(x), $"{part.Width}x{part.Height} at ({x}, {y}) is not inside {Width}x{Height}");
        int row = part.Width * BytesPerPixel;
        for (int i = 0; i < part.Height; i++)
            part.Data.AsSpan(i * row, row).CopyTo(Data.AsSpan((int)((((long)(y + i) * Width) + x) * BytesPerPixel)));
    }

    /// <summary>Sets all pixels to the given samples, one for each channel.</summary>
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
    /// Resizes the image as Pillow does: pixel areas are aligned, channels are independent. When the image shrinks, the kernel is widened
    /// by the factor to avoid aliasing (unlike OpenCV, and torch's interpolate without antialias); when it grows, it is interpolated.
    /// Results are clamped and rounded to nearest.
    /// </summary>
    /// <param name="width">New width in pixels, at least 1.</param>
    /// <param name="height">New height in pixels, at least 1.</param>
    /// <param name="kernel">Interpolation kernel.</param>
    public Image Resize(int width, int height, ResizeKernel kernel = ResizeKernel.Cubic)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        return Resampler.Resize(this, width, height, kernel);
    }

    /// <summary>
    /// Converts the samples: 8 to 16 bits times 257, 16 to 8 bits divided by 257 and rounded to nearest. Black stays black, white stays
    /// white, and 8 to 16 to 8 bits is exact. Returns the image itself if it has the type already.
    /// </summary>
    public Image To(SampleType sampleType)
    {
        if (sampleType == SampleType) return this;
        var result = new Image(Width, Height, Channels, sampleType);
        if (sampleType == SampleType.UInt16)
        {
            Span<ushort> wide = result.Samples16;
            for (int i = 0; i < wide.Length; i++) wide[i] = (ushort)(Data[i] * 257);
        }
        else
        {
            Span<ushort> wide = Samples16;
            for (int i = 0; i < wide.Length; i++) result.Data[i] = (byte)((wide[i] + 128) / 257);
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

    /// <summary>Copies a row as numbers from 0 to 255 or 65535.</summary>
    internal void ReadRow(int y, Span<float> row)
    {
        int start = y * Width * Channels;
        if (SampleType == SampleType.UInt8)
        {
            Span<byte> samples = Data.AsSpan(start, row.Length);
            for (int i = 0; i < samples.Length; i++) row[i] = samples[i];
        }
        else
        {
            Span<ushort> samples = Samples16.Slice(start, row.Length);
            for (int i = 0; i < samples.Length; i++) row[i] = samples[i];
        }
    }

    /// <summary>Replaces a row by numbers from 0 to 255 or 65535, clamped and rounded to nearest.</summary>
    internal void WriteRow(int y, ReadOnlySpan<float> row)
    {
        int start = y * Width * Channels;
        if (SampleType == SampleType.UInt8)
        {
            Span<byte> samples = Data.AsSpan(start, row.Length);
            for (int i = 0; i < samples.Length; i++) samples[i] = (byte)Round(row[i], byte.MaxValue);
        }
        else
        {
            Span<ushort> samples = Samples16.Slice(start, row.Length);
            for (int i = 0; i < samples.Length; i++) samples[i] = (ushort)Round(row[i], ushort.MaxValue);
        }
    }

    /// <summary>Copies a row as intensities in [0, 1].</summary>
    internal void ReadLight(int y, Span<float> row)
    {
        ReadRow(y, row);
        foreach (ref float sample in row) sample /= Largest;
    }

    /// <summary>Replaces a row by intensities, clamped to [0, 1] and rounded to the nearest sample; overwrites the span.</summary>
    internal void WriteLight(int y, Span<float> row)
    {
        foreach (ref float sample in row) sample *= Largest;
        WriteRow(y, row);
    }

    /// <summary>Rounds to the nearest whole number from 0 to <paramref name="largest"/>, halves up; NaN becomes 0.</summary>
    internal static int Round(float value, float largest) => (int)(float.ClampNative(value, 0, largest) + 0.5f);

    /// <summary>Rotates and mirrors a picture that was stored with an EXIF orientation (2 to 8).</summary>
    internal Image Upright(int orientation) => Transform(image => image.Upright(orientation));

    internal static int BytesPerSample(SampleType type) => type == SampleType.UInt8 ? 1 : 2;

    private static long ByteSize(int width, int height, int channels, SampleType type)
    {
        Int128 size = (Int128)width * height * channels * BytesPerSample(type);
        return size <= Array.MaxLength ? (long)size
            : throw new ArgumentException($"{width}x{height}x{channels} {type} is more than the {Array.MaxLength} bytes of one image");
    }

    private Image Transform(Func<VipsImage, VipsImage> operation)
    {
        using VipsImage source = this.ToVips(ImageWriter.Interpretation(this, ImageFormat.Png)), output = operation(source);
        var result = new Image(output.Width, output.Height, output.Bands, SampleType) { Notes = Notes, HasAlpha = HasAlpha };
        output.CopyTo(result.Data);
        return result;
    }
}
