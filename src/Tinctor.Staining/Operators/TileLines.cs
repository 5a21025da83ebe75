namespace Tinctor.Staining.Operators;

/// <summary>Sorts the pixels of a line by their place in a tile, and back.</summary>
internal static unsafe class TileLines
{
    /// <summary>Splits a line into the tiles that begin at every step.</summary>
    /// <param name="line">The line.</param>
    /// <param name="step">Distance of the tiles.</param>
    /// <param name="side">Side of a tile, which the next one may overlap.</param>
    /// <param name="parts">Receives the first pixels of the tiles, then the second, and so on.</param>
    /// <param name="distance">Distance of these parts.</param>
    /// <param name="tiles">Number of tiles.</param>
    public static void Split(ReadOnlySpan<float> line, int step, int side, float* parts, int distance, int tiles)
    {
        fixed (float* pixels = line)
            for (int x = 0; x < side; x++)
            {
                float* part = parts + ((nint)x * distance), pixel = pixels + x;
                for (int tile = 0; tile < tiles; tile++, pixel += step) part[tile] = *pixel;
            }
    }

    /// <summary>Joins tiles that follow each other.</summary>
    /// <param name="parts">First pixels of the tiles, then the second, and so on.</param>
    /// <param name="distance">Distance of these parts.</param>
    /// <param name="side">Side of a tile.</param>
    /// <param name="step">Distance of the pixels in the line.</param>
    /// <param name="line">Receives the pixels.</param>
    /// <param name="length">Length of the line, from which on pixels are left out.</param>
    /// <param name="skipped">Number of pixels at the beginning that are left out.</param>
    public static void Join(float* parts, int distance, int side, int step, float* line, int length, int skipped = 0)
    {
        int count = FilterProducts.DivideUp(length, step);
        for (int x = 0; x < side; x++)
        {
            float* part = parts + ((nint)x * distance);
            for (int place = x, tile = 0; place < count; place += side, tile++)
                if (place >= skipped) line[place * step] = part[tile];
        }
    }
}
