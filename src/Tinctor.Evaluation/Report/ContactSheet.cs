using Tinctor.Evaluation.Data;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Report;

/// <summary>Contact sheet: images of equal size side by side, one row per field.</summary>
internal static class ContactSheet
{
    private const int Gap = 4;

    /// <summary>
    /// Joins images with a narrow white gap. Smaller images are enlarged by repeating pixels; images with other channels than RGB show
    /// their first three, each stretched to its range.
    /// </summary>
    /// <param name="rows">Paths of images, the same number in each row; the last of a row is RGB and has the size of the cells.</param>
    /// <exception cref="TinctorException">The size of an image does not fit.</exception>
    public static Image Render(IReadOnlyList<IReadOnlyList<string>> rows)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        ImageInfo shown = Image.ReadInfo(rows[0][^1]);
        Size2 size = (shown.Height, shown.Width);
        return Image.FromTensor(Joined([.. rows.Select(row => Joined([.. row.Select(Read)], 2))], 1), ValueRange.ZeroToOne);

        Tensor Read(string path)
        {
            Image image = Image.Read(path);
            if (size.width % image.Width != 0 || size.width / image.Width * image.Height != size.height)
                throw new TinctorException(path, $"{image.Width}x{image.Height} pixels, but {rows[0][^1]} has {size.width}x{size.height}",
                    "Use images of one size, or of a whole fraction of it");
            Tensor colours = RgbReader.ToRgb(image).ToTensor(ValueRange.ZeroToOne);
            return image.Width == size.width ? colours : F.interpolate(colours.unsqueeze(0), size)[0];
        }
    }

    private static Tensor Joined(IReadOnlyList<Tensor> images, long dim)
    {
        long[] shape = images[0].shape;
        shape[dim] = Gap;
        return torch.cat([.. images.SelectMany(image => new[] { torch.ones(shape), image }).Skip(1)], dim);
    }
}
