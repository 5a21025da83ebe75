using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Training.Loading;

/// <summary>
/// Preprocessing and augmentation of image pairs: resize, crop, flip, rotate, equally for source and target. By default images are
/// unchanged. The number and order of random draws do not depend on the options, so options do not affect each other's draws.
/// </summary>
internal sealed record PairTransform
{
    // As in the official code of super-resolved virtual staining.
    private const int MostRedraws = 5;

    /// <summary>Stain normalisation of the source, applied first; null for none.</summary>
    public StainNormalizer? SourceNormalizer { get; init; }

    /// <summary>Stain normalisation of the target, applied first; null for none.</summary>
    public StainNormalizer? TargetNormalizer { get; init; }

    /// <summary>
    /// Whether sources are z-scored by the mean and standard deviation of the whole image, over all pixels and channels, before the crop.
    /// </summary>
    public bool StandardizeSource { get; init; }

    /// <summary>
    /// Mean of a target crop, 0 to 255, from which on it is nearly blank and another one is drawn, up to five times; 0 for no redraw.
    /// </summary>
    public double BlankLimit { get; init; }

    /// <summary>Target pixels per source pixel along each axis.</summary>
    public int Factor { get; init; } = 1;

    /// <summary>Width and height in target pixels for bicubic resizing, load_size of pix2pix; null keeps the size.</summary>
    public int? Resize { get; init; }

    /// <summary>
    /// Width in target pixels to which images are scaled with their aspect ratio, by bicubic resizing; null keeps the size.
    /// </summary>
    public int? ScaleWidth { get; init; }

    /// <summary>Minimum height in target pixels after scaling to a width.</summary>
    public int LeastHeight { get; init; } = 1;

    /// <summary>Computes the side of a whole image that the network takes from its side in target pixels; null keeps the size.</summary>
    public Func<int, int>? WholeSide { get; init; }

    /// <summary>Side of the square crop in target pixels, crop_size of pix2pix; null for the whole image.</summary>
    public int? Crop { get; init; }

    /// <summary>Whether crops have random positions; otherwise they are centred.</summary>
    public bool RandomCrop { get; init; }

    /// <summary>Whether images are flipped horizontally with probability one half.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Whether images are flipped vertically with probability one half.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>Whether images are rotated by 0, 90, 180 or 270 degrees with equal probability. Requires square images or crops.</summary>
    public bool Rotate90 { get; init; }

    /// <summary>Probability of a geometric distortion of source and target.</summary>
    public double Distortion { get; init; }

    /// <summary>Probability of a part of the crop that is enlarged to the crop.</summary>
    public double ResizedCrop { get; init; }

    /// <summary>Random stain variation of the source; null for none. Targets are not varied.</summary>
    public StainJitter? Jitter { get; init; }

    /// <summary>Augmentation of pix2pix: resize to 286, random crop of 256, horizontal flip.</summary>
    public static PairTransform Pix2Pix { get; } = new() { Resize = 286, Crop = 256, RandomCrop = true, HorizontalFlip = true };

    /// <summary>Checks the options.</summary>
    /// <exception cref="ArgumentException">An option is out of range or incompatible with another.</exception>
    public void Validate()
    {
        if (Resize < 1 || Crop < 1) throw new ArgumentException($"resize {Resize} and crop {Crop}: must be at least 1");
        if (Crop > Resize) throw new ArgumentException($"a crop of {Crop} does not fit images resized to {Resize}");
        if (Resize % Factor > 0 || Crop % Factor > 0)
            throw new ArgumentException($"resize {Resize} and crop {Crop}: must be multiples of the factor, {Factor}");
        Jitter?.Validate();
    }

    /// <summary>Normalises and resizes a source.</summary>
    internal Image PrepareSource(Image image) => Resized(SourceNormalizer?.Normalize(image, out _) ?? image, Factor);

    /// <summary>Normalises and resizes a target.</summary>
    internal Image PrepareTarget(Image image) => Resized(TargetNormalizer?.Normalize(image, out _) ?? image, factor: 1);

    private Image Resized(Image image, int factor)
    {
        (int width, int height) = TargetSize(image.Width * factor, image.Height * factor);
        (width, height) = (width / factor, height / factor);
        return (image.Width, image.Height) == (width, height) ? image : image.Resize(width, height, ResizeKernel.Cubic);
    }

    // As get_transform in data/base_dataset.py of the official pix2pix.
    private (int Width, int Height) TargetSize(int width, int height)
    {
        if (Resize is { } side) return (side, side);
        if (ScaleWidth is { } scaled && (width != scaled || height < LeastHeight))
            (width, height) = (scaled, Math.Max((int)((double)scaled * height / width), LeastHeight));
        return WholeSide is { } fit ? (fit(width), fit(height)) : (width, height);
    }

    /// <summary>Draws the placement of the crop in a prepared source.</summary>
    /// <exception cref="TinctorException">The image is smaller than the crop, or not square although rotations are enabled.</exception>
    internal Placement DrawPlacement(ref SampleRandom random, int width, int height)
    {
        (int w, int h) = (Crop / Factor ?? width, Crop / Factor ?? height);
        if (w > width || h > height)
            throw new TinctorException(null, $"{width}x{height} pixels, smaller than the crop of {w} pixels", "Use a smaller crop");
        if (Rotate90 && w != h)
        {
            throw new TinctorException(null, $"{width}x{height} pixels, but rotations by 90 degrees need square images",
                "Set data.crop_size, or use data.rotate=false");
        }
        (int x, int y) = (random.Next(width - w + 1), random.Next(height - h + 1));
        if (!RandomCrop) (x, y) = ((width - w) / 2, (height - h) / 2);
        bool flipX = random.Next(2) == 1 && HorizontalFlip, flipY = random.Next(2) == 1 && VerticalFlip;
        int turns = random.Next(4);
        if (!Rotate90) turns = 0;
        // A rotation by 90 degrees is a transposition and a flip.
        return new(x, y, w, h, flipX ^ (turns is 1 or 2), flipY ^ (turns is 2 or 3), turns is 1 or 3);
    }

    /// <summary>Draws other positions for a crop until its target is not nearly blank, up to five times.</summary>
    /// <param name="random">A stream of its own, so that redraws do not change other draws.</param>
    /// <param name="place">Placement in the source.</param>
    /// <param name="width">Width of the source.</param>
    /// <param name="height">Height of the source.</param>
    /// <param name="target">Prepared target.</param>
    internal Placement RedrawBlank(ref SampleRandom random, Placement place, int width, int height, Image target)
    {
        if (BlankLimit == 0 || !RandomCrop) return place;
        for (int draw = 0; draw < MostRedraws && place.Scale(Factor).Mean(target) >= BlankLimit; draw++)
            place = place with { X = random.Next(width - place.Width + 1), Y = random.Next(height - place.Height + 1) };
        return place;
    }
}

/// <summary>Rectangle of an image with flips and transposition.</summary>
internal readonly record struct Placement(int X, int Y, int Width, int Height, bool FlipX, bool FlipY, bool Transpose)
{
    /// <summary>Scales the placement for an image that is larger by a factor.</summary>
    public Placement Scale(int factor) =>
        this with { X = X * factor, Y = Y * factor, Width = Width * factor, Height = Height * factor };

    /// <summary>Computes the mean of all samples in the rectangle, 0 to 255.</summary>
    public double Mean(Image image)
    {
        int row = image.Width * image.Channels, length = Width * image.Channels;
        bool wide = image.SampleType == SampleType.UInt16;
        long sum = 0;
        for (int y = Y; y < Y + Height; y++)
        {
            int start = (y * row) + (X * image.Channels);
            if (wide) foreach (ushort sample in image.Samples16.Slice(start, length)) sum += sample;
            else foreach (byte sample in image.Data.AsSpan(start, length)) sum += sample;
        }
        return sum / ((double)length * Height) / (wide ? 257 : 1);
    }

    /// <summary>Copies the samples of the rectangle as [Height, Width, Channels], scaled to [0, 1].</summary>
    public float[] Cut(Image image)
    {
        int channels = image.Channels, i = 0;
        var light = new float[Width * Height * channels];
        Span<ushort> wide = image.SampleType == SampleType.UInt16 ? image.Samples16 : default;
        for (int y = 0; y < Height; y++)
        {
            for (int x = 0; x < Width; x++)
            {
                (int u, int v) = Transpose ? (y, x) : (x, y);
                if (FlipX) u = Width - 1 - u;
                if (FlipY) v = Height - 1 - v;
                int start = (((Y + v) * image.Width) + X + u) * channels;
                for (int c = 0; c < channels; c++)
                    light[i++] = wide.IsEmpty ? image.Data[start + c] / 255f : wide[start + c] / 65535f;
            }
        }
        return light;
    }
}
