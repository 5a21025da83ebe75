using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Registration.Sections;

/// <summary>Pictures that show whether two sections lie on each other.</summary>
public static class RegistrationPictures
{
    private const int Side = 1400, Square = 100;

    /// <summary>
    /// Fields of the source and of the target that lies on it, as on a checkerboard; and the outlines of the source's structure (green)
    /// over the target's (magenta) on a pale target. 8-bit RGB.
    /// </summary>
    /// <exception cref="TinctorException">A slide is damaged.</exception>
    public static (Image Checkerboard, Image Outlines) Draw(SlideTransform transform, Slide source, Slide target)
    {
        double downsample = Math.Max(1, Math.Max(source.Width, source.Height) / (double)Side);
        (int width, int height) = source.SizeAt(downsample);
        Image below = source.ReadAt(downsample, 0, 0, width, height), above = transform.Read(target, downsample, 0, 0, width, height);
        Image a = Rgb(below), b = Rgb(above);
        return (Checkerboard(a, b), Outlines(b, Edges(below), Edges(above)));
    }

    private static Image Checkerboard(Image a, Image b)
    {
        var board = new Image(a.Width, a.Height, 3);
        for (int i = 0; i < a.Width * a.Height; i++)
        {
            bool first = ((i % a.Width / Square) + (i / a.Width / Square)) % 2 == 0;
            (first ? a : b).Data.AsSpan(3 * i, 3).CopyTo(board.Data.AsSpan(3 * i));
        }
        return board;
    }

    private static Image Outlines(Image target, bool[] source, bool[] moved)
    {
        var picture = new Image(target.Width, target.Height, 3);
        for (int i = 0; i < source.Length; i++)
        {
            Span<byte> pixel = picture.Data.AsSpan(3 * i, 3);
            for (int c = 0; c < 3; c++) pixel[c] = (byte)(160 + (target.Data[(3 * i) + c] * 3 / 8));
            if (moved[i]) ((ReadOnlySpan<byte>)[220, 0, 200]).CopyTo(pixel);
            if (source[i]) ((ReadOnlySpan<byte>)[0, 150, 0]).CopyTo(pixel);
        }
        return picture;
    }

    // Where coarse structure goes from less than half of its range to more.
    private static bool[] Edges(Image image)
    {
        using var scope = torch.NewDisposeScope();
        Tensor inner = (StructureImage.Blur(StructureImage.Stretched(image, StructureChannel.Grey), 3) > 0.35).to(ScalarType.Float32);
        Tensor eroded = -F.max_pool2d(-inner, 3, 1, 1);
        return Array.ConvertAll((inner - eroded).ToArray<float>(), value => value > 0);
    }

    // Grey and fluorescence as grey, stretched to its range.
    private static Image Rgb(Image image)
    {
        if (image.Channels == 3) return image.To(SampleType.UInt8);
        using var scope = torch.NewDisposeScope();
        return Image.FromTensor(StructureImage.Stretched(image, StructureChannel.Grey)[0].expand(3, -1, -1));
    }
}
