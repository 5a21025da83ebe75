namespace Tinctor.Slides.Masks;

/// <summary>Polygon with holes.</summary>
/// <param name="Rings">Outline, then holes; the first corner is not repeated at the end.</param>
internal sealed record Polygon(IReadOnlyList<(double X, double Y)[]> Rings)
{
    /// <summary>
    /// Traces the outlines of a mask along pixel edges: one polygon per connected component (4 neighbours). Rings of a polygon share at
    /// most corners.
    /// </summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <returns>Polygons in pixels; (0, 0) is the upper left corner of the first pixel.</returns>
    public static IReadOnlyList<Polygon> OutlinesOf(ReadOnlySpan<bool> mask, int width, int height)
    {
        var codes = new int[mask.Length];
        for (int i = 0; i < codes.Length; i++) codes[i] = mask[i] ? 1 : 0;
        LabelMap pieces = ConnectedComponents.OfEqual(codes, width, height, corners: false);
        var seen = new bool[mask.Length];
        List<(double, double)[]>[] rings = [.. Enumerable.Range(0, pieces.Count).Select(_ => new List<(double, double)[]>())];
        // Each ring has an upper edge of a pixel; the first one of a component is on its outline.
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] && !seen[i] && (i < width || pieces.Labels[i - width] != pieces.Labels[i]))
                rings[pieces.Labels[i] - 1].Add(Trace(pieces, i, seen));
        }
        return [.. rings.Select(list => new Polygon(list))];
    }

    /// <summary>Area of the outline less that of the holes, in squares of the polygon's unit.</summary>
    public double Area => Rings.Index().Sum(ring => (ring.Index == 0 ? 1 : -1) * RingArea(ring.Item));

    /// <summary>Sets the pixels of a mask whose centres are inside (even-odd rule).</summary>
    /// <param name="mask">Mask, [height, width].</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="scale">Size of a pixel in units of the polygon.</param>
    /// <param name="value">New value of the pixels.</param>
    /// <param name="left">Column of the mask's first pixel; the mask may be a part of an image.</param>
    /// <param name="top">Row of the mask's first pixel.</param>
    public void Fill(Span<bool> mask, int width, int height, double scale = 1, bool value = true, int left = 0, int top = 0)
    {
        (double first, double last) = (Rings[0].Min(p => p.Y) / scale, Rings[0].Max(p => p.Y) / scale);
        var crossings = new List<double>();
        for (int y = (int)Math.Max(0, Math.Floor(first) - top); y < Math.Min(height, Math.Ceiling(last) - top); y++)
        {
            crossings.Clear();
            foreach ((double, double)[] ring in Rings) Cross(ring, scale, top + y + 0.5, crossings);
            crossings.Sort();
            for (int i = 0; i + 1 < crossings.Count; i += 2)
            {
                int from = (int)Math.Clamp(Math.Ceiling(crossings[i] - 0.5) - left, 0, width);
                int to = (int)Math.Clamp(Math.Ceiling(crossings[i + 1] - 0.5) - left, from, width);
                mask.Slice((y * width) + from, to - from).Fill(value);
            }
        }
    }

    /// <summary>
    /// Simplifies the polygon: removes corners closer than a tolerance to the line between others (Douglas and Peucker 1973), and rings
    /// without area.
    /// </summary>
    /// <param name="tolerance">Tolerance in units of the polygon.</param>
    /// <returns>The simplified polygon; null if nothing remains.</returns>
    public Polygon? Simplified(double tolerance)
    {
        (double, double)[][] rings = [.. Rings.Select(ring => Simplify(ring, tolerance))];
        return rings[0].Length < 3 ? null : new([.. rings.Where(ring => ring.Length >= 3)]);
    }

    // Clockwise (y grows downwards) along the sides 0 to 3 of pixels: upper, right, lower, left; the piece lies on the right hand.
    private static (double, double)[] Trace(LabelMap pieces, int first, bool[] seen)
    {
        (int width, int height, int label) = (pieces.Width, pieces.Height, pieces.Labels[first]);
        var corners = new List<(double, double)>();
        (int x, int y, int side) = (first % width, first / width, 0);
        int? before = null;
        do
        {
            if (side == 0) seen[(y * width) + x] = true;
            if (side != before) corners.Add((x + (side is 1 or 2 ? 1 : 0), y + (side is 2 or 3 ? 1 : 0)));
            before = side;
            (int dx, int dy) = Direction(side);
            (int leftX, int leftY) = Direction(side + 3);
            if (IsSame(x + dx + leftX, y + dy + leftY)) (x, y, side) = (x + dx + leftX, y + dy + leftY, (side + 3) % 4);
            else if (IsSame(x + dx, y + dy)) (x, y) = (x + dx, y + dy);
            else side = (side + 1) % 4;
        }
        while (side != 0 || (y * width) + x != first);
        if (before == 0) corners.RemoveAt(0);
        return [.. corners];

        bool IsSame(int u, int v) => (uint)u < (uint)width && (uint)v < (uint)height && pieces.Labels[(v * width) + u] == label;
    }

    private static (int X, int Y) Direction(int side) => (side % 4) switch { 0 => (1, 0), 1 => (0, 1), 2 => (-1, 0), _ => (0, -1) };

    private static double RingArea((double X, double Y)[] ring) => Math.Abs(ring.Index().Sum(corner =>
    {
        // Relative to a corner, so that little is lost far from the origin.
        (double ax, double ay) = (corner.Item.X - ring[0].X, corner.Item.Y - ring[0].Y);
        (double bx, double by) = ring[(corner.Index + 1) % ring.Length];
        return (ax * (by - ring[0].Y)) - ((bx - ring[0].X) * ay);
    })) / 2;

    private static void Cross((double X, double Y)[] ring, double scale, double y, List<double> crossings)
    {
        for (int i = 0; i < ring.Length; i++)
        {
            ((double ax, double ay), (double bx, double by)) = (ring[i], ring[(i + 1) % ring.Length]);
            (ax, ay, bx, by) = (ax / scale, ay / scale, bx / scale, by / scale);
            if (ay <= y != by <= y) crossings.Add(ax + ((y - ay) / (by - ay) * (bx - ax)));
        }
    }

    private static (double, double)[] Simplify((double X, double Y)[] ring, double tolerance)
    {
        if (tolerance <= 0 || ring.Length < 4) return ring;
        // The first corner and the one farthest from it are kept.
        int far = Farthest(ring, 0, ring.Length, at => double.Hypot(at.X - ring[0].X, at.Y - ring[0].Y)).Index;
        var kept = new bool[ring.Length];
        kept[0] = kept[far] = true;
        var open = new Stack<(int From, int To)>([(0, far), (far, ring.Length)]);
        while (open.TryPop(out (int From, int To) part))
        {
            (double X, double Y) a = ring[part.From], b = ring[part.To % ring.Length];
            (int index, double distance) = Farthest(ring, part.From + 1, part.To, at => Distance(at, a, b));
            if (distance <= tolerance) continue;
            kept[index] = true;
            open.Push((part.From, index));
            open.Push((index, part.To));
        }
        return [.. ring.Where((_, i) => kept[i])];
    }

    private static (int Index, double Distance) Farthest((double X, double Y)[] ring, int from, int to,
        Func<(double X, double Y), double> distance)
    {
        (int index, double longest) = (from, -1);
        for (int i = from; i < to; i++)
        {
            double here = distance(ring[i]);
            if (here > longest) (index, longest) = (i, here);
        }
        return (index, longest);
    }

    // Distance of a point to the line segment between two others.
    private static double Distance((double X, double Y) p, (double X, double Y) a, (double X, double Y) b)
    {
        (double dx, double dy) = (b.X - a.X, b.Y - a.Y);
        double squared = (dx * dx) + (dy * dy);
        double t = squared > 0 ? Math.Clamp((((p.X - a.X) * dx) + ((p.Y - a.Y) * dy)) / squared, 0, 1) : 0;
        return double.Hypot(p.X - a.X - (t * dx), p.Y - a.Y - (t * dy));
    }
}
