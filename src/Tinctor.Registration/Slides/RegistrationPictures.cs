using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Pictures for visual inspection of a registration: 8-bit RGB of one size, on the pixels of the source.</summary>
/// <param name="Source">Source.</param>
/// <param name="Warped">Target, warped onto the source.</param>
/// <param name="Checkerboard">Alternating squares of the source and of the warped target.</param>
/// <param name="Outlines">
/// Outlines of the structure of the source (green) and of the warped target (magenta) on the pale warped target.
/// </param>
internal sealed record RegistrationPictures(Image Source, Image Warped, Image Checkerboard, Image Outlines)
{
    private const int Side = 1400, Square = 100;

    /// <summary>Draws the pictures of a registration, at most 1400 pixels long.</summary>
    /// <exception cref="TinctorException">A slide is damaged.</exception>
    public static RegistrationPictures Draw(RegistrationTransform transform, Slide source, Slide target)
    {
        double downsample = Math.Max(1, Math.Max(source.Width, source.Height) / (double)Side);
        (int width, int height) = source.SizeAt(downsample);
        Image below = source.ReadAt(downsample, 0, 0, width, height), above = transform.Read(target, downsample, 0, 0, width, height);
        Image a = Rgb(below, source.Modality), b = Rgb(above, target.Modality);
        return new(a, b, DrawCheckerboard(a, b), DrawOutlines(b, Edges(below, source.Modality), Edges(above, target.Modality)));
    }

    private static Image DrawCheckerboard(Image a, Image b)
    {
        var board = new Image(a.Width, a.Height, 3);
        for (int i = 0; i < a.Width * a.Height; i++)
        {
            bool first = ((i % a.Width / Square) + (i / a.Width / Square)) % 2 == 0;
            (first ? a : b).Data.AsSpan(3 * i, 3).CopyTo(board.Data.AsSpan(3 * i));
        }
        return board;
    }

    private static Image DrawOutlines(Image target, bool[] source, bool[] moved)
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

    // Boundaries of the coarse structure at about a third of its range.
    private static bool[] Edges(Image image, Modality modality)
    {
        using var scope = torch.NewDisposeScope();
        Tensor structure = StructureImage.Blur(StructureImage.CreateStretched(image, StructureChannel.Grey, modality), 3);
        Tensor inner = (structure > 0.35).to(ScalarType.Float32);
        Tensor eroded = -F.max_pool2d(-inner, 3, 1, 1);
        return Array.ConvertAll((inner - eroded).ToArray<float>(), value => value > 0);
    }

    // Images that are not RGB are shown as their grey structure, stretched to its range.
    private static Image Rgb(Image image, Modality modality)
    {
        if (image.Channels == 3) return image.To(SampleType.UInt8);
        using var scope = torch.NewDisposeScope();
        return Image.FromTensor(StructureImage.CreateStretched(image, StructureChannel.Grey, modality)[0].expand(3, -1, -1));
    }
}
