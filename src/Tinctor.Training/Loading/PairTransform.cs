using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Training.Loading;

/// <summary>
/// What happens to a pair between file and network, to source and target alike: resize, crop, mirror, turn.
/// The default takes images as they are. Random choices are drawn from a <see cref="SampleRandom"/>, always in the same order and number,
/// so that one option does not change another's draws.
/// </summary>
public sealed record PairTransform
{
    /// <summary>Brings the source to the colours of a reference before all else, or null.</summary>
    public StainNormalizer? SourceNormalizer { get; init; }

    /// <summary>Brings the target to the colours of a reference before all else, or null.</summary>
    public StainNormalizer? TargetNormalizer { get; init; }

    /// <summary>How many target pixels a source pixel is along each axis.</summary>
    public int Factor { get; init; } = 1;

    /// <summary>Side in target pixels to which images are resized first (square, bicubic): pix2pix's load_size. Null: as they are.</summary>
    public int? Resize { get; init; }

    /// <summary>Side in target pixels of the square that is cut out: pix2pix's crop_size. Null: the whole image.</summary>
    public int? Crop { get; init; }

    /// <summary>Cut at a random place instead of the centre.</summary>
    public bool RandomCrop { get; init; }

    /// <summary>Mirror left to right with a chance of one half.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Mirror top to bottom with a chance of one half.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>Turn by 0, 90, 180 or 270 degrees with equal chances. Needs square images or crops.</summary>
    public bool Rotate90 { get; init; }

    /// <summary>Variation of the source's stains, or null. The target is what is to be learned: it is left alone.</summary>
    public StainJitter? Jitter { get; init; }

    /// <summary>As pix2pix trains: resized to 286, a random crop of 256, mirrored.</summary>
    public static PairTransform Pix2Pix { get; } = new() { Resize = 286, Crop = 256, RandomCrop = true, HorizontalFlip = true };

    /// <summary>Throws <see cref="ArgumentException"/> if the values do not fit each other.</summary>
    public void Validate()
    {
        if (Resize < 1 || Crop < 1) throw new ArgumentException($"resize {Resize} and crop {Crop}: must be at least 1");
        if (Crop > Resize) throw new ArgumentException($"a crop of {Crop} does not fit images resized to {Resize}");
        if (Resize % Factor > 0 || Crop % Factor > 0)
            throw new ArgumentException($"resize {Resize} and crop {Crop}: must be multiples of the factor, {Factor}");
        Jitter?.Validate();
    }

    /// <summary>The source at the size from which crops are cut.</summary>
    internal Image PrepareSource(Image image) => Resized(SourceNormalizer?.Normalize(image, out _) ?? image, Resize / Factor);

    /// <summary>The target at the size from which crops are cut.</summary>
    internal Image PrepareTarget(Image image) => Resized(TargetNormalizer?.Normalize(image, out _) ?? image, Resize);

    private static Image Resized(Image image, int? size) =>
        size is not { } side || (image.Width, image.Height) == (side, side) ? image : image.Resize(side, side, ResizeKernel.Cubic);

    /// <summary>One draw for a prepared source of this size.</summary>
    /// <exception cref="TinctorException">The image is smaller than the crop, or not square where it is to be turned.</exception>
    internal Placement Place(ref SampleRandom random, int width, int height)
    {
        (int w, int h) = (Crop / Factor ?? width, Crop / Factor ?? height);
        if (w > width || h > height) throw new TinctorException($"is {width}x{height}, smaller than the crop of {w}");
        if (Rotate90 && w != h) throw new TinctorException($"is {width}x{height}: turns by 90 degrees need square images; set a crop");
        (int x, int y) = (random.Next(width - w + 1), random.Next(height - h + 1));
        if (!RandomCrop) (x, y) = ((width - w) / 2, (height - h) / 2);
        bool flipX = random.Next(2) == 1 && HorizontalFlip, flipY = random.Next(2) == 1 && VerticalFlip;
        int turns = random.Next(4);
        if (!Rotate90) turns = 0;
        // A quarter turn is a transposition and one mirror.
        return new(x, y, w, h, flipX ^ (turns is 1 or 2), flipY ^ (turns is 2 or 3), turns is 1 or 3);
    }
}

/// <summary>A rectangle of an image and how it is mirrored and transposed.</summary>
internal readonly record struct Placement(int X, int Y, int Width, int Height, bool FlipX, bool FlipY, bool Transpose)
{
    /// <summary>The same place of an image that is so many times as large.</summary>
    public Placement Enlarged(int factor) =>
        this with { X = X * factor, Y = Y * factor, Width = Width * factor, Height = Height * factor };

    /// <summary>Copies the samples of the rectangle, scaled to [0, 1], as [Height, Width, Channels].</summary>
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
