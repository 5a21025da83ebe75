using Tinctor.Registration.Metrics;
using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Fields;

/// <summary>Translation of one window of an image pair.</summary>
/// <param name="X">Column of the window's centre in the source.</param>
/// <param name="Y">Row of the window's centre in the source.</param>
/// <param name="Shift">Translation of the target's structure, and height of the correlation peak.</param>
/// <param name="Reliable">Whether both windows show structure and the peak is above that of unrelated images.</param>
internal readonly record struct WindowShift(double X, double Y, Shift Shift, bool Reliable);

/// <summary>Result of local registration.</summary>
/// <param name="Shifts">Windows, row by row from the top.</param>
/// <param name="Field">Displacement field interpolated from the reliable windows; null if there are none.</param>
internal sealed record LocalShifts(IReadOnlyList<WindowShift> Shifts, DisplacementField? Field)
{
    /// <summary>Distances between source and target in the reliable windows, in pixels.</summary>
    public IEnumerable<double> Distances => Shifts.Where(s => s.Reliable).Select(s => double.Hypot(s.Shift.X, s.Shift.Y));
}

/// <summary>
/// Translations of small windows on a regular grid, by phase correlation: the misalignment that remains after a transform of the whole
/// image, including tears and stretches. Images are 8-bit RGB of the same size.
/// </summary>
internal static class LocalRegistration
{
    /// <summary>Smallest side of an image in pixels.</summary>
    public const int SmallestSide = 64;

    private const int LargestWindow = 128, LargestGrid = 6, Rounds = 3;
    private const double Reach = 0.25; // of the window's side
    private const double MinSpread = 0.02; // standard deviation of optical density; glass has less

    /// <summary>Gets the side of the windows of an image: half of its shorter side, at most 128 pixels.</summary>
    public static int WindowSide(int width, int height) => Math.Min(LargestWindow, Math.Min(width, height) / 2);

    /// <summary>Measures the displacement of the target's structure relative to the source's, up to a quarter of a window.</summary>
    /// <exception cref="ArgumentException">The images differ in size, are not 8-bit RGB or below <see cref="SmallestSide"/>.</exception>
    public static LocalShifts Measure(Image source, Image target, StructureChannel channel = StructureChannel.Grey)
    {
        if ((source.Width, source.Height) != (target.Width, target.Height) || Math.Min(source.Width, source.Height) < SmallestSide)
            throw new ArgumentException($"{source.Width}x{source.Height} and {target.Width}x{target.Height}: "
                + $"local registration needs images of one size, at least {SmallestSide}x{SmallestSide}");
        int side = WindowSide(source.Width, source.Height);
        var (a, b) = (Structure.Create(source, channel), Structure.Create(target, channel));
        int[] xs = Starts(source.Width, side), ys = Starts(source.Height, side);
        (int X, int Y)[] windows = [.. from y in ys from x in xs select (x, y)];
        int[] textured = [.. Enumerable.Range(0, windows.Length)
            .Where(i => Math.Min(a.Spread(windows[i].X, windows[i].Y, side), b.Spread(windows[i].X, windows[i].Y, side)) >= MinSpread)];
        var found = new Shift[windows.Length];
        if (textured.Length > 0)
            foreach (var (k, shift) in Correlate(a, b, [.. textured.Select(i => windows[i])], side).Index())
                found[textured[k]] = shift;
        double chance = PhaseCorrelation.Chance(side);
        double centre = (side - 1) / 2.0;
        WindowShift[] shifts =
        [
            .. windows.Select((w, i) => new WindowShift(w.X + centre, w.Y + centre, found[i], found[i].Peak >= chance)),
        ];
        return new(shifts, LocalField.Interpolate(shifts, [.. xs.Select(x => x + centre)], [.. ys.Select(y => y + centre)]));
    }

    // Starts of windows that cover a side, half a window apart or more.
    private static int[] Starts(int length, int side)
    {
        int count = Math.Clamp(((length - side) * 2 / side) + 1, 2, LargestGrid);
        return [.. Enumerable.Range(0, count).Select(i => (int)Math.Round(i * (length - side) / (double)(count - 1)))];
    }

    private static Shift[] Correlate(Structure source, Structure target, (int X, int Y)[] windows, int side)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        var shifts = new Shift[windows.Length];
        for (int round = 0; round < Rounds; round++)
        {
            // Once a translation is known, the target's window moves with it: otherwise the windows show different tissue.
            (int X, int Y)[] apart = [.. shifts.Select(s => ((int)Math.Round(s.X), (int)Math.Round(s.Y)))];
            Tensor a = torch.empty([windows.Length, side, side]), b = torch.empty([windows.Length, side, side]);
            for (int i = 0; i < windows.Length; i++)
            {
                int x = Clamped(windows[i].X, apart[i].X, source.Width - side), y = Clamped(windows[i].Y, apart[i].Y, source.Height - side);
                source.CopyWindow(x, y, side, a.data<float>().Slice(i * side * side, side * side));
                target.CopyWindow(x + apart[i].X, y + apart[i].Y, side, b.data<float>().Slice(i * side * side, side * side));
            }
            (Tensor surface, double scale) = PhaseCorrelation.Surface(a, b, PhaseCorrelation.Cells);
            bool settled = true;
            for (int i = 0; i < windows.Length; i++)
            {
                var values = surface.data<float>().Slice(i * side * side, side * side);
                Shift rest = PhaseCorrelation.Peak(values, side, side, round == 0 ? Reach * side : 2, scale);
                shifts[i] = new(apart[i].X + rest.X, apart[i].Y + rest.Y, rest.Peak);
                settled &= (int)Math.Round(shifts[i].X) == apart[i].X && (int)Math.Round(shifts[i].Y) == apart[i].Y;
            }
            if (settled) break;
        }
        return shifts;
    }

    // Nearest position to the wanted one at which both windows are inside the images.
    private static int Clamped(int wanted, int apart, int last) => Math.Clamp(wanted, Math.Max(0, -apart), Math.Min(last, last - apart));

    /// <summary>Tissue structure, one value per pixel.</summary>
    private sealed record Structure(float[] Values, int Width, int Height)
    {
        private static readonly float[] Densities =
            [.. Enumerable.Range(0, 256).Select(v => (float)(Math.Log10(255.0 / Math.Max(1, v)) / 3))];

        public static Structure Create(Image image, StructureChannel channel)
        {
            if (image.Channels != 3 || image.SampleType != SampleType.UInt8) throw new ArgumentException("not an 8-bit RGB image");
            var values = new float[image.Width * image.Height];
            if (channel == StructureChannel.Haematoxylin)
                StainMatrix.HaematoxylinEosinDab.SeparatePlanes(image.Data, values, new float[values.Length]);
            else
                for (int i = 0, j = 0; i < values.Length; i++, j += 3)
                    values[i] = Densities[image.Data[j]] + Densities[image.Data[j + 1]] + Densities[image.Data[j + 2]];
            return new(values, image.Width, image.Height);
        }

        public void CopyWindow(int x, int y, int side, Span<float> to)
        {
            for (int row = 0; row < side; row++)
                Values.AsSpan(((y + row) * Width) + x, side).CopyTo(to.Slice(row * side, side));
        }

        public double Spread(int x, int y, int side)
        {
            double sum = 0, squares = 0;
            for (int row = 0; row < side; row++)
                foreach (float value in Values.AsSpan(((y + row) * Width) + x, side))
                    (sum, squares) = (sum + value, squares + (value * value));
            double mean = sum / (side * side);
            return Math.Sqrt(Math.Max(0, (squares / (side * side)) - (mean * mean)));
        }
    }
}
