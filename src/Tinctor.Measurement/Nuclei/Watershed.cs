using Tinctor.Slides.Masks;

namespace Tinctor.Measurement.Nuclei;

/// <summary>
/// Watershed (Vincent and Soille 1991) with basins merged by topological persistence (Edelsbrunner et al. 2002), in one pass. Pixels are
/// visited in descending order of height; each joins the basin of its highest neighbour or starts a basin. Where two basins meet, the
/// lower one is merged into the higher unless its peak has at least the given prominence.
/// </summary>
internal static class Watershed
{
    /// <summary>An object for each peak of enough prominence, and for each part of the mask that touches no other.</summary>
    /// <param name="heights">[height, width], such as distances to the outline.</param>
    /// <param name="mask">[height, width]: what is split.</param>
    /// <param name="width">Width in pixels.</param>
    /// <param name="height">Height in pixels.</param>
    /// <param name="prominence">Least height of a peak above the pass to a higher one, in the unit of the heights.</param>
    public static LabelMap Split(float[] heights, ReadOnlySpan<bool> mask, int width, int height, float prominence)
    {
        int[] order = Descending(heights, mask);
        var basins = new Basins();
        var basin = new int[mask.Length];
        foreach (int pixel in order)
        {
            int highest = -1;
            foreach (int next in new Neighbours(pixel, width, height, corners: true))
            {
                if (basin[next] == 0) continue;
                if (highest < 0) highest = next;
                basins.Meet(basin[highest], basin[next], heights[pixel] + prominence);
                if (heights[next] > heights[highest]) highest = next;
            }
            basin[pixel] = highest < 0 ? basins.Start(heights[pixel]) : basin[highest];
        }
        foreach (int pixel in order) basin[pixel] = basins.Root(basin[pixel]);
        return LabelMap.Create(width, height, basin);
    }

    private static int[] Descending(float[] heights, ReadOnlySpan<bool> mask)
    {
        var pixels = new List<int>();
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i]) pixels.Add(i);
        }
        int[] order = [.. pixels];
        Array.Sort(Array.ConvertAll(order, pixel => -heights[pixel]), order);
        return order;
    }

    /// <summary>Basins by number from 1, and which of them were taken up by which (union-find with path halving).</summary>
    private sealed class Basins
    {
        private readonly List<int> parents = [0];
        private readonly List<float> peaks = [0];

        public int Start(float peak)
        {
            parents.Add(parents.Count);
            peaks.Add(peak);
            return parents.Count - 1;
        }

        public int Root(int basin)
        {
            while (parents[basin] != basin) basin = parents[basin] = parents[parents[basin]];
            return basin;
        }

        /// <summary>Joins two basins that meet, unless both have peaks of at least a height.</summary>
        public void Meet(int a, int b, float least)
        {
            (a, b) = (Root(a), Root(b));
            (int low, int high) = peaks[a] < peaks[b] ? (a, b) : (b, a);
            if (low != high && peaks[low] < least) parents[low] = high;
        }
    }
}
