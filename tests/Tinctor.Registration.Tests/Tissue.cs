using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

/// <summary>Synthetic nuclei on stroma, defined at every point of the plane, so that transformed images are exact.</summary>
internal sealed class Tissue
{
    private readonly (double X, double Y, double Radius, double Depth)[] nuclei;

    public Tissue(int seed, int count = 260, double extent = 400)
    {
        var random = new Random(seed);
        nuclei = [.. Enumerable.Range(0, count).Select(_ =>
            (extent * random.NextDouble() - 60, extent * random.NextDouble() - 60,
                2.5 + (3 * random.NextDouble()), 0.3 + (0.6 * random.NextDouble())))];
    }

    /// <summary>Renders an image in which the tissue at (x, y) is at the transformed position; violet on pink, or blue and brown.</summary>
    public Image Render(int width, int height, AffineTransform transform, bool ihc = false, double noise = 0)
    {
        AffineTransform back = transform.Inverse();
        var image = new Image(width, height, 3);
        var random = new Random(5);
        for (int i = 0; i < width * height; i++)
        {
            (double x, double y) = back.Apply(i % width, i / width);
            double haematoxylin = 0, second = ihc ? 0.25 * (1 + Math.Sin(x * 0.05) * Math.Sin(y * 0.04)) : 0.2;
            foreach ((double nx, double ny, double radius, double depth) in nuclei)
            {
                double d = ((x - nx) * (x - nx)) + ((y - ny) * (y - ny));
                if (d < 20 * radius * radius) haematoxylin += depth * Math.Exp(-d / (2 * radius * radius));
            }
            (double R, double G, double B) stain = ihc ? (0.27, 0.57, 0.78) : (0.07, 0.99, 0.11);
            for (int c = 0; c < 3; c++)
            {
                double density = (haematoxylin * (c == 0 ? 0.65 : c == 1 ? 0.70 : 0.29))
                    + (second * (c == 0 ? stain.R : c == 1 ? stain.G : stain.B));
                image.Data[(i * 3) + c] =
                    (byte)Math.Clamp((245 * Math.Pow(10, -density)) + (noise * (random.NextDouble() - 0.5)) + 0.5, 0, 255);
            }
        }
        return image;
    }
}
