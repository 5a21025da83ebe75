using System.Collections.Concurrent;
using System.Globalization;
using Tinctor.Slides;
using Tinctor.Slides.Masks;
using Tinctor.Torch;

namespace Tinctor.Training.Segmentation;

/// <summary>Meaning of the numbers of a mask.</summary>
public enum MaskKind
{
    /// <summary>Still to be recognised.</summary>
    Auto,

    /// <summary>0 is background, one other number or colour is what is looked for.</summary>
    Binary,

    /// <summary>0 is background, each other number or colour is a class.</summary>
    Classes,

    /// <summary>0 is background, each other number or colour is one object.</summary>
    Instances,
}

/// <summary>
/// How masks are stored: 8 or 16 bit, grey or colour. A pixel's code is its number, or its colour as 0xRRGGBB; black is background.
/// </summary>
/// <param name="Kind">What codes mean.</param>
/// <param name="SampleType">Bits of a sample.</param>
/// <param name="Channels">1, or 3 for colour.</param>
/// <param name="Foreground">The codes that count; empty for all but 0.</param>
public sealed record MaskFormat(MaskKind Kind, SampleType SampleType, int Channels, IReadOnlyList<int> Foreground)
{
    private const int MostFilesLookedAt = 64;

    /// <summary>Recognises the masks of a folder from up to 64 of them.</summary>
    /// <param name="files">The mask files; PNG or TIFF, as JPEG changes numbers.</param>
    /// <param name="kind">What they are, if it is known.</param>
    /// <param name="foreground">The numbers or colours (#ff0000) that count; empty for all but black.</param>
    /// <exception cref="TinctorException">They are no masks.</exception>
    public static MaskFormat Recognise(IReadOnlyList<string> files, MaskKind kind = MaskKind.Auto, IReadOnlyList<string>? foreground = null)
    {
        ImageInfo first = Image.ReadInfo(files[0]);
        var format = new MaskFormat(kind, first.SampleType, first.Channels, [.. (foreground ?? []).Select(Code)]);
        if (kind != MaskKind.Auto) return format;
        int count = Math.Min(files.Count, MostFilesLookedAt);
        var looks = new ConcurrentBag<(HashSet<int> Codes, int Objects, long Pixels)>();
        Parallel.For(0, count, i => looks.Add(format.Look(files[(int)((long)i * files.Count / count)])));
        int codes = looks.Sum(look => look.Codes.Count), objects = looks.Sum(look => look.Objects);
        int different = looks.SelectMany(look => look.Codes).Distinct().Count();
        string folder = Path.GetDirectoryName(files[0])!;
        if (objects == 0)
            throw new TinctorException($"{folder}: these masks are all black; they must have what is looked for in another colour");
        if (looks.Sum(look => look.Pixels) < 4L * objects)
            throw new TinctorException($"{folder}: masks must have flat colours without smooth edges; save them without "
                + "anti-aliasing and without JPEG compression");
        // Single objects are in one piece; of a class there are many pieces.
        return format with { Kind = different == 1 ? MaskKind.Binary : codes > 0.8 * objects ? MaskKind.Instances : MaskKind.Classes };
    }

    /// <summary>In words.</summary>
    public string Describe()
    {
        string kind = Kind switch
        {
            MaskKind.Binary => "binary",
            MaskKind.Classes => "class labels",
            _ => "instance labels",
        };
        string counted = Foreground.Count == 0 ? "all but black counts" : $"{string.Join(", ", Foreground.Select(Name))} count";
        return $"{kind}, {(SampleType == SampleType.UInt8 ? 8 : 16)}-bit {(Channels == 3 ? "colour" : "grey")}; {counted}";
    }

    /// <summary>The objects of a mask file: by number or colour for instance labels, else touching pixels of one number.</summary>
    /// <exception cref="TinctorException">It cannot be read.</exception>
    public LabelMap Read(string path)
    {
        Image image = Image.Read(path);
        int[] codes = Array.ConvertAll(Codes(image), code => Counts(code) ? code : 0);
        return Kind == MaskKind.Instances ? LabelMap.Create(image.Width, image.Height, codes)
            : ConnectedComponents.OfEqual(codes, image.Width, image.Height);
    }

    /// <summary>The codes of masks as they come from the loader: [N, C, H, W] in [-1, 1] to [N, 1, H, W], 0 where background.</summary>
    public Tensor Codes(Tensor masks)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        double largest = SampleType == SampleType.UInt8 ? byte.MaxValue : ushort.MaxValue;
        Tensor samples = ((masks + 1) * (largest / 2)).round();
        Tensor codes = samples[.., ..1];
        for (int c = 1; c < Channels; c++) codes = (codes * 256) + samples[.., c..(c + 1)];
        if (Foreground.Count > 0)
        {
            Tensor counts = torch.zeros_like(codes);
            foreach (int code in Foreground) counts = counts + codes.eq(code).to(codes.dtype);
            codes = codes * counts;
        }
        return codes.MoveToOuterDisposeScope();
    }

    private (HashSet<int> Codes, int Objects, long Pixels) Look(string path)
    {
        Image image = Image.Read(path);
        if (Path.GetExtension(path).ToLowerInvariant() is ".jpg" or ".jpeg")
            throw new TinctorException($"{path}: a JPEG is no mask, as compression changes numbers and colours; save PNG or TIFF");
        int[] codes = Array.ConvertAll(Codes(image), code => Counts(code) ? code : 0);
        int[] set = [.. codes.Where(code => code != 0)];
        return ([.. set], ConnectedComponents.OfEqual(codes, image.Width, image.Height).Count, set.Length);
    }

    private bool Counts(int code) => Foreground.Count == 0 ? code != 0 : Foreground.Contains(code);

    private int[] Codes(Image image)
    {
        var codes = new int[image.Width * image.Height];
        if (image.Channels is not (1 or 3) || (image.Channels == 3 && image.SampleType == SampleType.UInt16))
            throw new TinctorException("masks are 8- or 16-bit grey or 8-bit colour, "
                + $"not {image.Channels} channels of {image.SampleType}");
        Span<ushort> wide = image.SampleType == SampleType.UInt16 ? image.Samples16 : default;
        for (int i = 0; i < codes.Length; i++)
        {
            codes[i] = image.Channels == 3 ? (image.Data[3 * i] << 16) | (image.Data[(3 * i) + 1] << 8) | image.Data[(3 * i) + 2]
                : wide.IsEmpty ? image.Data[i] : wide[i];
        }
        return codes;
    }

    private static int Code(string text)
    {
        bool colour = text.StartsWith('#');
        bool read = int.TryParse(colour ? text[1..] : text, colour ? NumberStyles.HexNumber : NumberStyles.None,
            CultureInfo.InvariantCulture, out int code);
        return read && (!colour || text.Length == 7) ? code
            : throw new OptionException("Foreground", $"the foreground is {text}, expected a number (1) or a colour (#ff0000)");
    }

    private string Name(int code) => Channels == 3 ? $"#{code:x6}" : $"{code}";
}
