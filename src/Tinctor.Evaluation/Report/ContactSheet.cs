using Tinctor.Evaluation.Data;
using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Evaluation.Report;

/// <summary>Images of one size side by side, a row a field, for the eye.</summary>
public static class ContactSheet
{
    private const int Gap = 4;

    /// <summary>
    /// Joins images into one, with a narrow white gap between them. Smaller ones are enlarged pixel by pixel; of channels that are no
    /// colours the first three are shown, each over its range.
    /// </summary>
    /// <param name="rows">Paths of images, the same number in each row, the last of a row RGB and of the size that all are shown at.</param>
    /// <exception cref="TinctorException">An image does not fit that size.</exception>
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
