using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Tinctor.Staining.Operators;

/// <summary>Place that one of the filters computed together has in the output.</summary>
/// <param name="Channel">Channel.</param>
/// <param name="Row">Row in the block of pixels that belongs to a position.</param>
internal readonly record struct FilterPlace(int Channel, int Row);

/// <summary>Up to eight filters, or three, that read the same pixels and are computed together.</summary>
/// <param name="Top">First row that the filters read, in those of the whole operator.</param>
/// <param name="Left">First column.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Number of columns.</param>
/// <param name="Places">Places of the filters in the output, all in one column of the block of a position.</param>
/// <param name="Weights">Weights [inputs, rows, columns, 8 or 3], which do not move in memory.</param>
internal sealed unsafe record FilterGroup(int Top, int Left, int Rows, int Columns, FilterPlace[] Places, float[] Weights)
{
    /// <summary>Whether these are three filters, for <see cref="FilterProducts.ComputeThree"/>.</summary>
    public bool IsThree => Places.Length == FilterProducts.ThreeCount;

    /// <summary>First weight.</summary>
    private float* FirstWeight => (float*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(Weights));

    /// <summary>Computes the filters at several positions; see <see cref="FilterProducts"/>.</summary>
    public void Compute(float* corner, int inputs, int plane, int line, float* results, int distance)
    {
        if (IsThree) FilterProducts.ComputeThree(FirstWeight, corner, (inputs, Rows, Columns), plane, line, results, distance);
        else FilterProducts.Compute(FirstWeight, corner, (inputs, Rows, Columns), plane, line, results, distance);
    }

    /// <summary>Creates a group.</summary>
    /// <param name="window">First row and column, and their numbers.</param>
    /// <param name="inputs">Channels of the input.</param>
    /// <param name="places">Places in the output.</param>
    /// <param name="weight">Gets the weight of a place, an input, and a row and a column of the window.</param>
    public static FilterGroup Create((int Top, int Left, int Rows, int Columns) window, int inputs, FilterPlace[] places,
        Func<FilterPlace, int, int, int, float> weight)
    {
        int filters = places.Length == FilterProducts.ThreeCount ? FilterProducts.ThreeCount : FilterProducts.Count;
        float[] weights = GC.AllocateArray<float>(inputs * window.Rows * window.Columns * filters, pinned: true);
        int place = 0;
        for (int input = 0; input < inputs; input++)
            for (int row = 0; row < window.Rows; row++)
                for (int column = 0; column < window.Columns; column++, place += filters)
                    for (int i = 0; i < places.Length; i++) weights[place + i] = weight(places[i], input, row, column);
        return new(window.Top, window.Left, window.Rows, window.Columns, places, weights);
    }

    /// <summary>
    /// Groups the filters of a convolution. If it has few outputs, other than three, a group computes several rows of each, so that it is
    /// nearly full.
    /// </summary>
    /// <param name="weight">Weight [outputs, inputs, rows, columns].</param>
    /// <param name="shape">Its shape.</param>
    /// <param name="rowsOfGroup">Receives the number of rows that a group computes.</param>
    public static FilterGroup[][] OfConvolution(float[] weight, long[] shape, out int rowsOfGroup)
    {
        (int outputs, int inputs, int height, int width) = ((int)shape[0], (int)shape[1], (int)shape[2], (int)shape[3]);
        int rows = outputs == FilterProducts.ThreeCount ? 1 : Math.Max(1, FilterProducts.Count / outputs);
        rowsOfGroup = rows;
        FilterPlace[] places = [.. from output in Enumerable.Range(0, outputs) from row in Enumerable.Range(0, rows)
                                   select new FilterPlace(output, row)];
        return [.. places.Chunk(FilterProducts.Count).Select(group => new[]
        {
            Create((0, 0, height + rows - 1, width), inputs, group, (place, input, row, column) =>
                row - place.Row is var tap && tap >= 0 && tap < height
                    ? weight[(((((place.Channel * inputs) + input) * height) + tap) * width) + column] : 0),
        })];
    }

    /// <summary>
    /// Groups the filters of a transposed convolution. The groups of a row compute neighbouring columns of the same channels. Pixel s q + r
    /// of the output takes pixel q - d of the input with tap s d + r + p, where s is the stride and p the padding.
    /// </summary>
    /// <param name="weight">Weight [inputs, outputs, rows, columns].</param>
    /// <param name="shape">Its shape, with as many rows as columns.</param>
    /// <param name="stride">Stride.</param>
    /// <param name="padding">Padding.</param>
    /// <param name="before">Receives the number of rows and columns before a position that the filters read.</param>
    /// <param name="length">Receives the number of rows and columns that they read.</param>
    public static FilterGroup[][] OfTransposed(float[] weight, long[] shape, int stride, int padding, out int before, out int length)
    {
        (int inputs, int outputs, int side) = ((int)shape[0], (int)shape[1], (int)shape[2]);
        var taps = Enumerable.Range(0, stride).Select(phase => Enumerable.Range(0, side)
            .Where(tap => (tap - phase - padding) % stride == 0)
            .Select(tap => (Offset: (tap - phase - padding) / stride, Tap: tap)).OrderByDescending(tap => tap.Offset).ToArray()).ToArray();
        int most = taps.Max(phase => phase.Max(tap => tap.Offset)), least = taps.Min(phase => phase.Min(tap => tap.Offset));
        (before, length) = (most, most - least + 1);
        return [.. from y in Enumerable.Range(0, stride)
                   from channels in Enumerable.Range(0, outputs).Chunk(FilterProducts.Count)
                   select Enumerable.Range(0, stride).Select(x => Create(
                       (most - taps[y][0].Offset, most - taps[x][0].Offset, taps[y].Length, taps[x].Length), inputs,
                       [.. channels.Select(output => new FilterPlace(output, y))], (place, input, row, column) =>
                           weight[(((((input * outputs) + place.Channel) * side) + taps[y][row].Tap) * side) + taps[x][column].Tap]))
                       .ToArray()];
    }
}
