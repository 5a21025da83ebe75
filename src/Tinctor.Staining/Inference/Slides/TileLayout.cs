namespace Tinctor.Staining.Inference.Slides;

/// <summary>
/// How tiles cover a slide: they overlap, and each counts less towards its edge. The outermost <see cref="Halo"/> pixels, where a network
/// misses context, count nothing; over the next <see cref="Ramp"/> neighbours pass into each other as a Hann window does. At the slide's
/// own edge a tile counts in full. The last tile ends with the slide.
/// </summary>
public sealed record TileLayout
{
    /// <param name="width">Of the slide in pixels.</param>
    /// <param name="height">Of the slide in pixels.</param>
    /// <param name="tile">Side of a tile in pixels; of a smaller slide, the slide's.</param>
    /// <param name="halo">Pixels along a tile's edge that do not count.</param>
    /// <param name="ramp">Pixels over which neighbours pass into each other; 0 for a hard border.</param>
    public TileLayout(int width, int height, int tile, int halo, int ramp)
    {
        if (tile < 1 || halo < 0 || ramp < 0 || tile - (2 * halo) - ramp < 1)
            throw new ArgumentException($"tiles of {tile} pixels leave nothing between halos of {halo} and a ramp of {ramp}");
        (Halo, Ramp, Stride) = (halo, ramp, tile - (2 * halo) - ramp);
        Across = new(width, Math.Min(tile, width), this);
        Down = new(height, Math.Min(tile, height), this);
    }

    /// <summary>Pixels along a tile's edge that do not count.</summary>
    public int Halo { get; }

    /// <summary>Pixels over which neighbours pass into each other.</summary>
    public int Ramp { get; }

    /// <summary>From one tile to the next.</summary>
    public int Stride { get; }

    /// <summary>The columns of tiles.</summary>
    public Axis Across { get; }

    /// <summary>The rows of tiles.</summary>
    public Axis Down { get; }

    /// <summary>All tiles, row by row.</summary>
    internal IEnumerable<Tile> Tiles => Enumerable.Range(0, Down.Count)
        .SelectMany(row => Enumerable.Range(0, Across.Count).Select(column => new Tile(row, column)));

    /// <summary>The same tiles over a slide whose pixels are so many times as many along each axis.</summary>
    public TileLayout Times(int factor) => new(Across.Length * factor, Down.Length * factor,
        ((2 * Halo) + Ramp + Stride) * factor, Halo * factor, Ramp * factor);

    /// <summary>The tiles along one axis.</summary>
    public sealed record Axis
    {
        private readonly int halo, ramp, stride;

        internal Axis(int length, int tile, TileLayout layout)
        {
            (Length, Tile, halo, ramp, stride) = (length, tile, layout.Halo, layout.Ramp, layout.Stride);
            Count = 1 + ((length - tile + stride - 1) / stride);
        }

        /// <summary>Of the slide in pixels.</summary>
        public int Length { get; }

        /// <summary>Of a tile in pixels.</summary>
        public int Tile { get; }

        /// <summary>How many tiles.</summary>
        public int Count { get; }

        /// <summary>Where a tile starts.</summary>
        public int Start(int index) => Math.Min(index * stride, Length - Tile);

        /// <summary>The tiles that touch the pixels from a first one to before an end.</summary>
        public IEnumerable<int> Touching(int first, int end) =>
            Enumerable.Range(0, Count).SkipWhile(index => Start(index) + Tile <= first).TakeWhile(index => Start(index) < end);

        /// <summary>Where the band ends that is finished once a tile is: where the next one starts.</summary>
        public int End(int index) => index == Count - 1 ? Length : Start(index + 1);

        /// <summary>How much each pixel of a tile counts; sums over tiles need not be 1.</summary>
        public float[] Weights(int index)
        {
            var weights = new float[Tile];
            for (int i = 0; i < Tile; i++)
                weights[i] = (index == 0 ? 1 : Rise(i)) * (index == Count - 1 ? 1 : Rise(Tile - 1 - i));
            return weights;
        }

        /// <summary>The last pixels before lines where neighbours begin, cross and end to pass into each other.</summary>
        public IEnumerable<int> Borders => Enumerable.Range(1, Count - 1)
            .SelectMany(index => new[] { Start(index) + halo, (Start(index) + Start(index - 1) + Tile) / 2, Start(index - 1) + Tile - halo })
            .Distinct().Select(border => border - 1);

        private float Rise(int i) => i < halo ? 0 : i >= halo + ramp ? 1
            : (float)Math.Pow(Math.Sin(Math.PI / 2 * (i - halo + 0.5) / ramp), 2);
    }
}
