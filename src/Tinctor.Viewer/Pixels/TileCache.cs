using Microsoft.Extensions.Caching.Memory;

namespace Tinctor.Viewer.Pixels;

/// <summary>Encoded tiles in memory; beyond a size, those that were not used for the longest time are dropped.</summary>
/// <param name="size">Largest sum of the tiles' bytes.</param>
internal sealed class TileCache(long size) : IDisposable
{
    private readonly MemoryCache tiles = new(new MemoryCacheOptions { SizeLimit = size });

    /// <summary>Gets a tile; null if it is not cached.</summary>
    /// <param name="key">Content of the slide, layer and place.</param>
    public byte[]? Get(object key) => tiles.Get<byte[]>(key);

    /// <summary>Adds a tile.</summary>
    /// <param name="key">Content of the slide, layer and place.</param>
    /// <param name="tile">The encoded tile.</param>
    public void Add(object key, byte[] tile) => tiles.Set(key, tile, new MemoryCacheEntryOptions { Size = tile.Length });

    /// <inheritdoc/>
    public void Dispose() => tiles.Dispose();
}
