using System.Numerics;

namespace Tinctor.Staining.Operators;

/// <summary>Division of an output into blocks of tiles, which follow each other row by row.</summary>
internal sealed class TilePlan
{
    // Most tiles of a block.
    private const int BlockTiles = 64;

    private readonly int side, columns, tiles, blockTiles;

    /// <summary>Divides an output.</summary>
    /// <param name="height">Height of the output.</param>
    /// <param name="width">Width of the output.</param>
    /// <param name="side">Side of a tile.</param>
    public TilePlan(int height, int width, int side)
    {
        this.side = side;
        columns = FilterProducts.DivideUp(width, side);
        tiles = columns * FilterProducts.DivideUp(height, side);
        int even = FilterProducts.DivideUp(tiles, FilterProducts.DivideUp(tiles, BlockTiles));
        blockTiles = FilterProducts.DivideUp(even, FilterProducts.Positions) * FilterProducts.Positions;
    }

    /// <summary>Number of blocks.</summary>
    public int Blocks => FilterProducts.DivideUp(tiles, blockTiles);

    /// <summary>Gets a block.</summary>
    public TileBlock Block(int number)
    {
        int first = number * blockTiles, count = Math.Min(blockTiles, tiles - first);
        return new(count, [.. Strips(first, count)]);
    }

    private IEnumerable<TileStrip> Strips(int first, int count)
    {
        for (int place = 0, length; place < count; place += length)
        {
            (int row, int column) = Math.DivRem(first + place, columns);
            length = Math.Min(columns - column, count - place);
            yield return new(row * side, column * side, place, length);
        }
    }
}

/// <summary>Tiles that are computed together.</summary>
internal readonly record struct TileBlock(int Tiles, TileStrip[] Strips)
{
    // Distances that are no power of two keep the products of a tile in different sets of the cache.
    private const int Stagger = ThreadMemory.Alignment / sizeof(float);

    /// <summary>Number of vectors, filled up to whole steps.</summary>
    public int Vectors => FilterProducts.DivideUp(Tiles, FilterProducts.Positions) * FilterProducts.Vectors;

    /// <summary>Number of tiles in all vectors.</summary>
    public int Length => Vectors * Vector<float>.Count;

    /// <summary>Distance of the products in memory.</summary>
    public nint Distance(int planes) => ((nint)planes * Length) + Stagger;
}

/// <summary>Tiles of a block side by side.</summary>
/// <param name="Top">First row of their output.</param>
/// <param name="Left">First column of their output.</param>
/// <param name="Place">Place of the first in the block.</param>
/// <param name="Tiles">Their number.</param>
internal readonly record struct TileStrip(int Top, int Left, int Place, int Tiles);
