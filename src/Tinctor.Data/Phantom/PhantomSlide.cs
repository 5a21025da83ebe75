using Tinctor.Slides;

namespace Tinctor.Data.Phantom;

/// <summary>One stain of a rendered field.</summary>
/// <param name="Stain">Stain of the image.</param>
/// <param name="Image">8-bit RGB; for autofluorescence 16-bit with four channels and 1/factor of the size.</param>
/// <param name="StainMatrix">
/// Unit optical-density vectors, rows H, E, DAB, columns R, G, B (3x3, row-major); empty for autofluorescence.
/// </param>
/// <param name="Light">Transmittance of glass in R, G, B, 0 to 1; empty for autofluorescence.</param>
/// <param name="BlurMicrons">Standard deviation of the focus blur in micrometres.</param>
/// <param name="Displacement">
/// Planes dx, dy [2, Height, Width] in full-resolution pixels: pixel (x, y) of this stain shows the tissue at (x + dx, y + dy) of the
/// source; null if aligned. Autofluorescence pixel (i, j) is centred at full-resolution ((i + 0.5) f - 0.5, (j + 0.5) f - 0.5).
/// </param>
/// <param name="Concentrations">[Height, Width, 3] interleaved H, E, DAB before blur; null if not requested.</param>
internal sealed record PhantomImage(
    PhantomStain Stain, Image Image, IReadOnlyList<float> StainMatrix, IReadOnlyList<float> Light, float BlurMicrons, float[]? Displacement,
    float[]? Concentrations)
{
    /// <summary>Ground truth on the pixels of this stain; null if it shows the source's section.</summary>
    public PhantomTruth? Truth { get; init; }
}

/// <summary>Ground truth of a section.</summary>
/// <param name="Labels">[Height, Width] labels of nuclei; 0 outside.</param>
/// <param name="Tissue">[Height, Width] values of <see cref="PhantomTissue"/>.</param>
/// <param name="Nuclei">Nuclei with at least one pixel, by label; their positions are the means of their pixels.</param>
internal sealed record PhantomTruth(int[] Labels, byte[] Tissue, IReadOnlyList<PhantomNucleus> Nuclei);

/// <summary>Rendered field with its ground truth. Masks and nuclei refer to full-resolution pixels of the source.</summary>
/// <param name="Options">Options of the field.</param>
/// <param name="Images">Images in the order of the stains in the options; the first is the source.</param>
/// <param name="Labels">[Height, Width] labels of nuclei, <see cref="PhantomNucleus.Label"/>; 0 outside.</param>
/// <param name="Tissue">[Height, Width] values of <see cref="PhantomTissue"/>.</param>
/// <param name="Nuclei">Nuclei with at least one pixel, by label.</param>
/// <param name="Ki67Share">Probability of Ki67 positivity in the slide's tumour, 0 to 1.</param>
/// <param name="Atypia">Mean nuclear atypia of the slide's tumour, 0 to 1.</param>
internal sealed record PhantomField(
    PhantomOptions Options, IReadOnlyList<PhantomImage> Images, int[] Labels, byte[] Tissue, IReadOnlyList<PhantomNucleus> Nuclei,
    float Ki67Share, float Atypia);

/// <summary>Renders synthetic sections of breast-like tissue in several stains, with their ground truth.</summary>
internal static class PhantomSlide
{
    /// <summary>Number of fields of a slide. Fields are 1,100 um apart and ordered by their content of tissue and tumour.</summary>
    public const int Fields = 64;

    private const float FieldPitch = 1100, FieldSize = 512;

    /// <summary>
    /// Renders a field. Equal options give equal bytes for any number of threads, and a larger field continues the tissue to the right and
    /// downwards. Rendering needs a few megabytes of memory per thread besides the results.
    /// </summary>
    /// <param name="options">Options of the field.</param>
    /// <param name="keepConcentrations">Whether to return the concentrations of H, E and DAB (12 bytes per pixel and stain).</param>
    /// <param name="progress">Receives the completed fraction, 0 to 1, on any thread.</param>
    /// <param name="cancel">Cancels after the current block.</param>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static PhantomField Render(
        PhantomOptions options, bool keepConcentrations = false, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        var place = new Place(options);
        var truth = new GroundTruth(options.Width, options.Height);
        SectionRenderer[] sections =
            [.. options.Stains.Select((stain, i) => new SectionRenderer(options, stain, i, keepConcentrations))];
        Render(options, place, sections, (0, options.Height), truth, progress, cancel);
        return new PhantomField(options, [.. sections.Select(s => s.Result())], truth.Labels, truth.Tissue,
            truth.Number(place.X, place.Y, (float)options.Mpp), place.Model(0).Ki67Share, place.Model(0).Atypia);
    }

    /// <summary>
    /// Renders one stain of a field in horizontal bands from the top, with the same pixels as <c>Render</c>. Memory use does not grow with
    /// the height of the field.
    /// </summary>
    /// <param name="options">Options of the field.</param>
    /// <param name="stain">One of the stains in the options.</param>
    /// <param name="cancel">Cancels after the current block.</param>
    public static IEnumerable<Image> RenderBands(PhantomOptions options, PhantomStain stain, CancellationToken cancel = default)
    {
        options.Validate();
        var place = new Place(options);
        int block = Block(options), number = options.Stains.Index().First(one => one.Item == stain).Index;
        for (int top = 0; top < options.Height; top += block)
        {
            (int Top, int Height) band = (top, Math.Min(block, options.Height - top));
            var section = new SectionRenderer(options, stain, number, keepConcentrations: false, band);
            Render(options, place, [section], band, truth: null, progress: null, cancel);
            yield return section.Result().Image;
        }
    }

    // Blocks contain whole autofluorescence pixels.
    private static int Block(PhantomOptions options) => 240 / options.AutofluorescenceFactor * options.AutofluorescenceFactor;

    private static void Render(PhantomOptions options, Place place, SectionRenderer[] sections, (int Top, int Height) band,
        GroundTruth? truth, IProgress<double>? progress, CancellationToken cancel)
    {
        // Aligned stains of a section are rendered from the same tissue samples.
        SectionRenderer[][] passes = [.. sections.GroupBy(s => (s.Warp, s.Section)).Select(group => group.ToArray())];
        int block = Block(options);
        int columns = (options.Width + block - 1) / block, rows = (band.Height + block - 1) / block;
        int done = 0, total = columns * rows * passes.Length;
        var parallel = new ParallelOptions
        {
            MaxDegreeOfParallelism = options.Threads > 0 ? options.Threads : Environment.ProcessorCount,
            CancellationToken = cancel,
        };
        Parallel.For(0, total, parallel, () => new BlockBuffer(), (i, _, buffer) =>
        {
            SectionRenderer[] pass = passes[i / (columns * rows)];
            int x = i % columns * block, y = i / columns % rows * block;
            buffer.Sample(place.Model(pass[0].Section), pass[0].Warp, place.X, place.Y, (float)options.Mpp, x, band.Top + y,
                Math.Min(block, options.Width - x), Math.Min(block, band.Height - y), pass.Max(s => s.Margin));
            if (pass[0].Warp is null && pass[0].Section == 0)
                truth?.Add(buffer);
            foreach (SectionRenderer section in pass)
                section.Render(buffer);
            progress?.Report((double)Interlocked.Increment(ref done) / total);
            return buffer;
        }, _ => { });
    }

    /// <summary>Tissue of a slide and origin of a field in micrometres.</summary>
    private sealed class Place
    {
        private readonly TissueModel[] models;

        public Place(PhantomOptions options)
        {
            models = [.. Enumerable.Range(0, options.Serial ? options.Stains.Count : 1).Select(section => new TissueModel(options.Seed,
                options.Her2Level, options.Ki67Share, options.LevelInHe, options.LevelInFields, options.StainSeed, section))];
            (X, Y) = Origin(models[0], options.Field);
            if (!options.OnTumour) return;
            float mpp = (float)options.Mpp;
            (X, Y) = OnTumour(models[0], X, Y, options.Width * mpp, options.Height * mpp);
        }

        /// <summary>Gets the tissue of a section.</summary>
        public TissueModel Model(int section) => models[section];

        public float X { get; }

        public float Y { get; }
    }

    /// <summary>
    /// Gets the origin of a field in micrometres. Fields are ranked by their content of tissue and tumour.
    /// </summary>
    private static (float X, float Y) Origin(TissueModel model, int field)
    {
        int side = (int)Math.Sqrt(Fields);
        return Enumerable.Range(0, Fields)
            .Select(i => (X: (i % side) * FieldPitch, Y: (i / side) * FieldPitch))
            .OrderByDescending(place => ContentScore(model, place.X, place.Y))
            .ElementAt(field);
    }

    /// <summary>Finds the origin near (left, top) of the field with most tumour, up to one half of its area, in micrometres.</summary>
    private static (float X, float Y) OnTumour(TissueModel model, float left, float top, float width, float height)
    {
        const float step = 40;
        int columns = 1 + (int)(Math.Max(0, FieldPitch - width) / step), rows = 1 + (int)(Math.Max(0, FieldPitch - height) / step);
        return Enumerable.Range(0, columns * rows)
            .Select(i => (X: left + (i % columns * step), Y: top + (i / columns * step)))
            .MaxBy(corner => Math.Min(0.5f, Tumour(corner.X, corner.Y)));

        float Tumour(float x, float y) => model.Glands(new TissueArea(x, y, x + width, y + height))
            .Where(gland => gland.Tissue == PhantomTissue.Tumour && model.Fat(gland.X, gland.Y) < 0)
            .Sum(nest => MathF.PI * nest.A * nest.B) / (width * height);
    }

    private static float ContentScore(TissueModel model, float left, float top)
    {
        const int steps = 12;
        float tissue = 0, tumour = 0, fat = 0;
        for (int i = 0; i < steps * steps; i++)
        {
            float x = left + (((i % steps) + 0.5f) * FieldSize / steps), y = top + (((i / steps) + 0.5f) * FieldSize / steps);
            if (model.Tissue(x, y) < 0)
                continue;
            tissue++;
            if (model.Fat(x, y) > 0)
                fat++;
            else if (model.Tumour(x, y) > 0)
                tumour++;
        }
        float n = steps * steps;
        return (1.5f * Math.Min(tissue / n, 0.92f)) + Math.Min(tumour / n, 0.55f) - (2 * Math.Max(0, (tumour / n) - 0.75f))
            - Math.Max(0, (fat / n) - 0.12f);
    }
}

/// <summary>Collects masks and nuclei from blocks in any order. Thread-safe.</summary>
internal sealed class GroundTruth(int width, int height)
{
    private readonly Dictionary<ulong, int> numbers = [];
    private readonly List<Nucleus> nuclei = [];
    private readonly Lock access = new();

    public int[] Labels { get; } = new int[width * height];

    public byte[] Tissue { get; } = new byte[width * height];

    /// <summary>Adds the masks of a block; labels are provisional until <see cref="Number"/>.</summary>
    public void Add(BlockBuffer buffer)
    {
        IReadOnlyList<Nucleus> nuclei = buffer.Tissue.Nuclei;
        int[] numbers = new int[nuclei.Count];
        for (int y = 0; y < buffer.Height; y++)
        {
            for (int x = 0; x < buffer.Width; x++)
            {
                ref readonly TissuePoint point = ref buffer.At(x, y);
                int at = ((buffer.Top + y) * width) + buffer.Left + x;
                Tissue[at] = (byte)point.Tissue;
                if (point.NucleusIndex < 0)
                    continue;
                ref int number = ref numbers[point.NucleusIndex];
                if (number == 0)
                    number = NumberOf(nuclei[point.NucleusIndex]);
                Labels[at] = number;
            }
        }
    }

    /// <summary>Assigns the final labels, 1 to N from the top, independent of the order of the blocks.</summary>
    public IReadOnlyList<PhantomNucleus> Number(float originX, float originY, float micronsPerPixel)
    {
        int[] order = [.. Enumerable.Range(0, this.nuclei.Count).OrderBy(i => this.nuclei[i].Y).ThenBy(i => this.nuclei[i].X)];
        int[] final = new int[this.nuclei.Count + 1];
        for (int i = 0; i < order.Length; i++)
            final[order[i] + 1] = i + 1;
        int[] area = new int[final.Length];
        for (int i = 0; i < Labels.Length; i++)
        {
            Labels[i] = final[Labels[i]];
            area[Labels[i]]++;
        }
        return [.. order.Select((index, i) =>
        {
            Nucleus n = this.nuclei[index];
            return new PhantomNucleus(i + 1, n.Kind, ((n.X - originX) / micronsPerPixel) - 0.5f, ((n.Y - originY) / micronsPerPixel) - 0.5f,
                area[i + 1], n.Ki67 > 0, n.Her2);
        })];
    }

    /// <summary>Gets the ground truth with final labels; positions of nuclei are the means of their pixels.</summary>
    public PhantomTruth Result()
    {
        IReadOnlyList<PhantomNucleus> numbered = Number(0, 0, 1);
        var sums = new (double X, double Y)[numbered.Count + 1];
        for (int i = 0; i < Labels.Length; i++)
        {
            ref (double X, double Y) sum = ref sums[Labels[i]];
            sum = (sum.X + (i % width), sum.Y + (i / width));
        }
        return new(Labels, Tissue, [.. numbered.Select(nucleus => nucleus with
        {
            X = (float)(sums[nucleus.Label].X / nucleus.Area),
            Y = (float)(sums[nucleus.Label].Y / nucleus.Area),
        })]);
    }

    private int NumberOf(Nucleus nucleus)
    {
        lock (access)
        {
            if (!this.numbers.TryGetValue(nucleus.Key, out int number))
            {
                this.nuclei.Add(nucleus);
                this.numbers[nucleus.Key] = number = this.nuclei.Count;
            }
            return number;
        }
    }
}
