using Tinctor.Slides;

namespace Tinctor.Evaluation.Analyses.Uncertainty;

/// <summary>Heat maps with matplotlib's viridis colours: dark violet, blue, green, yellow.</summary>
internal static class HeatMap
{
    private const int PanelSide = 512, Gap = 8;
    private static readonly (int R, int G, int B)[] Stops = [(68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37)];

    /// <summary>An image of numbers, 0 violet and <paramref name="top"/> and above yellow.</summary>
    public static Image Render(ReadOnlySpan<float> values, int width, int height, double top)
    {
        var image = new Image(width, height, 3);
        for (int i = 0; i < values.Length; i++)
        {
            double place = Math.Clamp(values[i] / top, 0, 1) * (Stops.Length - 1);
            int stop = Math.Min((int)place, Stops.Length - 2);
            var (low, high, share) = (Stops[stop], Stops[stop + 1], place - stop);
            byte Mix(int a, int b) => (byte)Math.Round(a + (share * (b - a)));
            (image.Data[3 * i], image.Data[(3 * i) + 1], image.Data[(3 * i) + 2]) = (Mix(low.R, high.R), Mix(low.G, high.G),
                Mix(low.B, high.B));
        }
        return image;
    }

    /// <summary>Joins images of equal size side by side on white; large ones are reduced.</summary>
    public static Image SideBySide(params Image[] panels)
    {
        double scale = Math.Min(1, PanelSide / (double)Math.Max(panels[0].Width, panels[0].Height));
        var (width, height) = ((int)Math.Round(panels[0].Width * scale), (int)Math.Round(panels[0].Height * scale));
        var all = new Image((panels.Length * (width + Gap)) - Gap, height, 3);
        Array.Fill(all.Data, byte.MaxValue);
        foreach (var (k, panel) in panels.Index())
        {
            var small = scale < 1 ? panel.Resize(width, height, ResizeKernel.Linear) : panel;
            for (int y = 0; y < height; y++)
                small.Data.AsSpan(3 * y * width, 3 * width).CopyTo(all.Data.AsSpan(3 * ((y * all.Width) + (k * (width + Gap)))));
        }
        return all;
    }
}
