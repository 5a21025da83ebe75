using Tinctor.Evaluation.Data;
using Tinctor.Slides;

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
        ImageInfo shown = Image.ReadInfo(rows[0][^1]);
        (int width, int height) = (shown.Width, shown.Height);
        var sheet = new Image((rows[0].Count * (width + Gap)) - Gap, (rows.Count * (height + Gap)) - Gap, 3);
        sheet.Fill([byte.MaxValue, byte.MaxValue, byte.MaxValue]);
        for (int y = 0; y < rows.Count; y++)
            for (int x = 0; x < rows[y].Count; x++) sheet.Paste(Read(rows[y][x]), x * (width + Gap), y * (height + Gap));
        return sheet;

        Image Read(string path)
        {
            Image image = Image.Read(path);
            if (width % image.Width != 0 || width / image.Width * image.Height != height)
                throw new TinctorException(path, $"{image.Width}x{image.Height} pixels, but {rows[0][^1]} has {width}x{height}",
                    "Use images of one size, or of a whole fraction of it");
            return RgbReader.ToRgb(image).Resize(width, height, ResizeKernel.Nearest);
        }
    }
}
