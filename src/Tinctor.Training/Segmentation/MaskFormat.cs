using System.Collections.Concurrent;
using System.Globalization;
using Tinctor.Slides;
using Tinctor.Slides.Masks;
using Tinctor.Torch;

namespace Tinctor.Training.Segmentation;

/// <summary>Meaning of the values of a mask.</summary>
public enum MaskKind
{
    /// <summary>Automatic detection.</summary>
    Auto,

    /// <summary>0 is background, another value or colour is foreground.</summary>
    Binary,

    /// <summary>0 is background, each other value or colour is a class.</summary>
    Classes,

    /// <summary>0 is background, each other value or colour is an object.</summary>
    Instances,
}

/// <summary>
/// Format of masks: 8 or 16 bit, grey or colour. The code of a pixel is its value, or its colour as 0xRRGGBB; black is background.
/// </summary>
/// <param name="Kind">Meaning of codes.</param>
/// <param name="SampleType">Sample type of the mask files.</param>
/// <param name="Channels">1, or 3 for colour.</param>
/// <param name="Foreground">Codes of the foreground; empty for all codes except 0.</param>
internal sealed record MaskFormat(MaskKind Kind, SampleType SampleType, int Channels, IReadOnlyList<int> Foreground)
{
    private const int MostFilesRead = 64;

    /// <summary>Detects the format of masks from up to 64 files.</summary>
    /// <param name="files">Mask files, PNG or TIFF.</param>
    /// <param name="kind">Meaning of the values, if known.</param>
    /// <param name="foreground">Values or colours (#ff0000) of the foreground; empty for all except black.</param>
    /// <exception cref="TinctorException">The files are not masks.</exception>
    public static MaskFormat Detect(IReadOnlyList<string> files, MaskKind kind = MaskKind.Auto, IReadOnlyList<string>? foreground = null)
    {
        ImageInfo first = Image.ReadInfo(files[0]);
        var format = new MaskFormat(kind, first.SampleType, first.Channels, [.. (foreground ?? []).Select(Code)]);
        if (kind != MaskKind.Auto) return format;
        int count = Math.Min(files.Count, MostFilesRead);
        var contents = new ConcurrentBag<(HashSet<int> Codes, int Objects, long Pixels)>();
        Parallel.For(0, count, i => contents.Add(format.Count(files[(int)((long)i * files.Count / count)])));
        int codes = contents.Sum(mask => mask.Codes.Count), objects = contents.Sum(mask => mask.Objects);
        int different = contents.SelectMany(mask => mask.Codes).Distinct().Count();
        string folder = Path.GetDirectoryName(files[0])!;
        if (objects == 0)
            throw new TinctorException(folder, "all masks are black", "Save masks whose objects have another value or colour");
        if (contents.Sum(mask => mask.Pixels) < 4L * objects)
        {
            throw new TinctorException(folder, "the masks have smooth edges, but flat colours are expected",
                "Save them without anti-aliasing and without JPEG compression");
        }
        // Objects are connected; classes have many components.
        return format with { Kind = different == 1 ? MaskKind.Binary : codes > 0.8 * objects ? MaskKind.Instances : MaskKind.Classes };
    }

    /// <summary>Describes the format.</summary>
    public string Describe()
    {
        string kind = Kind switch
        {
            MaskKind.Binary => "binary",
            MaskKind.Classes => "class labels",
            _ => "instance labels",
        };
        string foreground = Foreground.Count == 0 ? "all except black" : string.Join(", ", Foreground.Select(Name));
        return $"{kind}, {(SampleType == SampleType.UInt8 ? 8 : 16)}-bit {(Channels == 3 ? "colour" : "grey")}; foreground: {foreground}";
    }

    /// <summary>Reads the objects of a mask: one per code for instance labels, otherwise connected components of equal codes.</summary>
    /// <exception cref="TinctorException">The file cannot be read or is not a mask.</exception>
    public LabelMap Read(string path)
    {
        (int[] codes, int width, int height) = ReadCodes(path);
        return Kind == MaskKind.Instances ? LabelMap.Create(width, height, codes) : ConnectedComponents.OfEqual(codes, width, height);
    }

    /// <summary>Computes the codes [N, 1, H, W] of masks from the loader, [N, C, H, W] in [-1, 1]; 0 is background.</summary>
    public Tensor Codes(Tensor masks)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double largest = SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue;
        Tensor samples = ((masks + 1) * (largest / 2)).round();
        Tensor codes = samples[.., ..1];
        for (int c = 1; c < Channels; c++) codes = (codes * 256) + samples[.., c..(c + 1)];
        if (Foreground.Count > 0)
        {
            Tensor foreground = torch.zeros_like(codes);
            foreach (int code in Foreground) foreground = foreground + codes.eq(code).to(codes.dtype);
            codes = codes * foreground;
        }
        return codes.MoveToOuterDisposeScope();
    }

    private (HashSet<int> Codes, int Objects, long Pixels) Count(string path)
    {
        Image image = Image.Read(path);
        if (Path.GetExtension(path).ToLowerInvariant() is ".jpg" or ".jpeg")
            throw new TinctorException(path, "the mask is a JPEG, whose compression changes values and colours", "Save it as PNG or TIFF");
        int[] codes = Array.ConvertAll(Codes(image, path), code => IsForeground(code) ? code : 0);
        int[] set = [.. codes.Where(code => code != 0)];
        return ([.. set], ConnectedComponents.OfEqual(codes, image.Width, image.Height).Count, set.Length);
    }

    private bool IsForeground(int code) => Foreground.Count == 0 ? code != 0 : Foreground.Contains(code);

    private static int[] Codes(Image image, string path)
    {
        var codes = new int[image.Width * image.Height];
        if (image.Channels is not (1 or 3) || (image.Channels == 3 && image.SampleType == SampleType.UInt16))
        {
            int bits = image.SampleType == SampleType.UInt8 ? 8 : 16;
            throw new TinctorException(path,
                $"the mask has {image.Channels} channels of {bits} bit, expected 8- or 16-bit grey or 8-bit colour", "Convert it");
        }
        Span<ushort> wide = image.SampleType == SampleType.UInt16 ? image.Samples16 : default;
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = image.Channels == 3 ? (image.Data[3 * i] << 16) | (image.Data[(3 * i) + 1] << 8) | image.Data[(3 * i) + 2]
                : wide.IsEmpty ? image.Data[i] : wide[i];
        }
        return codes;
    }

    /// <summary>Reads a code such as 1 or #ff0000.</summary>
    /// <exception cref="OptionException">The text is neither.</exception>
    public static int Code(string text)
    {
        bool colour = text.StartsWith('#');
        bool read = int.TryParse(colour ? text[1..] : text, colour ? NumberStyles.HexNumber : NumberStyles.None,
            CultureInfo.InvariantCulture, out int code);
        return read && (!colour || text.Length == 7) ? code
            : throw new OptionException("Foreground", $"the foreground is {text}, expected a number (1) or a colour (#ff0000)");
    }

    /// <summary>Gets the codes of the foreground that occur in masks.</summary>
    public IEnumerable<int> CodesOf(IReadOnlyList<string> files)
    {
        var found = new ConcurrentDictionary<int, bool>();
        Parallel.ForEach(files, file =>
        {
            foreach (int code in Codes(Image.Read(file), file).Distinct().Where(IsForeground)) found[code] = true;
        });
        return found.Keys;
    }

    /// <summary>Reads the code of each pixel of a mask, [Height, Width]; 0 for background.</summary>
    /// <exception cref="TinctorException">The file cannot be read or is not a mask.</exception>
    public (int[] Codes, int Width, int Height) ReadCodes(string path)
    {
        Image image = Image.Read(path);
        return (Array.ConvertAll(Codes(image, path), code => IsForeground(code) ? code : 0), image.Width, image.Height);
    }

    /// <summary>Formats a code as in settings and classes.csv: 1, or #ff0000.</summary>
    public string Name(int code) => Channels == 3 ? $"#{code:x6}" : $"{code}";
}
