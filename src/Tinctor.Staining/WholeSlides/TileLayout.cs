namespace Tinctor.Staining.WholeSlides;

/// <summary>
/// Overlapping tiles that cover a slide, with weights for blending. The outermost <see cref="Halo"/> pixels of a tile, where a network
/// lacks context, have no weight; over the next <see cref="Overlap"/> pixels adjacent tiles are blended with a Hann window. At the slide's
/// edge a tile has full weight. The last tile ends at the slide's edge.
/// </summary>
internal sealed record TileLayout
{
    /// <param name="width">Width of the slide in pixels.</param>
    /// <param name="height">Height of the slide in pixels.</param>
    /// <param name="tile">Side of a tile in pixels; limited to the size of the slide.</param>
    /// <param name="halo">Width of the context border of each tile in pixels; discarded after inference.</param>
    /// <param name="overlap">Width over which adjacent tiles are blended, in pixels; 0 for none.</param>
    public TileLayout(int width, int height, int tile, int halo, int overlap) : this(width, height, (tile, tile), halo, overlap) { }

    private TileLayout(int width, int height, (int Width, int Height) tile, int halo, int overlap)
    {
        (Halo, Overlap) = (halo, overlap);
        Across = new(width, tile.Width, this);
        Down = new(height, tile.Height, this);
    }

    /// <summary>
    /// Lays out tiles of a size between two limits, for each axis the one whose tiles have the fewest pixels in all.
    /// </summary>
    /// <param name="width">Width of the slide in pixels.</param>
    /// <param name="height">Height of the slide in pixels.</param>
    /// <param name="sides">Smallest and largest side of a tile in pixels.</param>
    /// <param name="grain">Sides are the smallest one plus a multiple of this.</param>
    /// <param name="halo">Width of the context border of each tile in pixels.</param>
    /// <param name="overlap">Width over which adjacent tiles are blended, in pixels.</param>
    public static TileLayout Fit(int width, int height, (int Smallest, int Largest) sides, int grain, int halo, int overlap)
    {
        return new(width, height, (Best(width), Best(height)), halo, overlap);

        int Best(int length) => Enumerable.Range(0, 1 + ((sides.Largest - sides.Smallest) / grain))
            .Select(i => sides.Smallest + (i * grain)).MinBy(side => Pixels(length, side));

        int Pixels(int length, int side) => side * (1 + Axis.Steps(length, side, side - (2 * halo) - overlap));
    }

    /// <summary>Width of the context border of each tile in pixels.</summary>
    public int Halo { get; }

    /// <summary>Width over which adjacent tiles are blended, in pixels.</summary>
    public int Overlap { get; }

    /// <summary>Columns of tiles.</summary>
    public Axis Across { get; }

    /// <summary>Rows of tiles.</summary>
    public Axis Down { get; }

    /// <summary>All tiles, row by row.</summary>
    internal IEnumerable<Tile> Tiles => Enumerable.Range(0, Down.Count)
        .SelectMany(row => Enumerable.Range(0, Across.Count).Select(column => new Tile(row, column)));

    /// <summary>Scales the layout to a slide with more pixels along each axis by an integer factor.</summary>
    public TileLayout Scale(int factor) => new(Across.Length * factor, Down.Length * factor,
        (Across.Side * factor, Down.Side * factor), Halo * factor, Overlap * factor);

    /// <summary>Tiles along one axis.</summary>
    public sealed record Axis
    {
        private readonly int halo, overlap;

        internal Axis(int length, int side, TileLayout layout)
        {
            (Length, Side, Tile, halo, overlap) = (length, side, Math.Min(side, length), layout.Halo, layout.Overlap);
            Stride = side - (2 * halo) - overlap;
            if (halo < 0 || overlap < 0 || Stride < 1)
                throw new ArgumentException($"tiles of {side} pixels leave nothing between halos of {halo} and an overlap of {overlap}");
            Count = 1 + Steps(length, side, Stride);
        }

        /// <summary>Distance from one tile to the next in pixels.</summary>
        public int Stride { get; }

        /// <summary>Size of the slide in pixels.</summary>
        public int Length { get; }

        /// <summary>Size of a tile in pixels.</summary>
        public int Tile { get; }

        /// <summary>Size of a tile on a slide that is large enough.</summary>
        internal int Side { get; }

        /// <summary>Number of tiles.</summary>
        public int Count { get; }

        /// <summary>Gets the first pixel of a tile.</summary>
        public int Start(int index) => Math.Min(index * Stride, Length - Tile);

        /// <summary>Gets the tiles that touch the pixels from a first one to before an end.</summary>
        public IEnumerable<int> Touching(int first, int end) =>
            Enumerable.Range(0, Count).SkipWhile(index => Start(index) + Tile <= first).TakeWhile(index => Start(index) < end);

        /// <summary>Gets the end of the output rows that are complete after this tile: the start of the next one.</summary>
        public int End(int index) => index == Count - 1 ? Length : Start(index + 1);

        /// <summary>Computes the weight of each pixel of a tile; sums over tiles need not be 1.</summary>
        public float[] Weights(int index)
        {
            var weights = new float[Tile];
            for (int i = 0; i < Tile; i++)
                weights[i] = (index == 0 ? 1 : Rise(i)) * (index == Count - 1 ? 1 : Rise(Tile - 1 - i));
            return weights;
        }

        /// <summary>Gets the last pixels before the lines where blending of adjacent tiles begins, crosses and ends.</summary>
        public IEnumerable<int> Borders => Enumerable.Range(1, Count - 1)
            .SelectMany(index => new[] { Start(index) + halo, (Start(index) + Start(index - 1) + Tile) / 2,
                Start(index - 1) + Tile - halo })
            .Distinct().Select(border => border - 1);

        /// <summary>Gets the number of tiles after the first.</summary>
        internal static int Steps(int length, int side, int stride) => Math.Max(0, (length - side + stride - 1) / stride);

        private float Rise(int i) => i < halo ? 0 : i >= halo + overlap ? 1
            : (float)Math.Pow(Math.Sin(Math.PI / 2 * (i - halo + 0.5) / overlap), 2);
    }
}
