using Tinctor.Slides;

namespace Tinctor.Data.Phantom;

/// <summary>One stain of a rendered field.</summary>
/// <param name="Stain">Which stain.</param>
/// <param name="Image">The pixels: 8-bit RGB, or 16-bit with four channels and 1/factor of the size for autofluorescence.</param>
/// <param name="StainMatrix">
/// Unit optical-density vectors, rows H, E, DAB, columns R, G, B (3x3, row-major); empty for autofluorescence.
/// </param>
/// <param name="Light">Light through empty glass in R, G, B, of 1; empty for autofluorescence.</param>
/// <param name="BlurMicrons">Standard deviation of the focus blur in micrometres.</param>
/// <param name="Displacement">
/// [2, Height, Width] planes dx, dy, or null where aligned: the tissue at pixel (x, y) of this stain lies at (x + dx, y + dy) of the
/// source, in full-resolution pixels. An autofluorescence pixel (i, j) has its centre at full-resolution
/// ((i + 0.5) f - 0.5, (j + 0.5) f - 0.5).
/// </param>
/// <param name="Concentrations">[Height, Width, 3] interleaved H, E, DAB before blur; null unless asked for.</param>
public sealed record PhantomImage(
    PhantomStain Stain, Image Image, IReadOnlyList<float> StainMatrix, IReadOnlyList<float> Light, float BlurMicrons, float[]? Displacement,
    float[]? Concentrations);

/// <summary>A rendered field with its truth; masks and nuclei lie on the source's full-resolution pixels.</summary>
/// <param name="Options">What it was made from.</param>
/// <param name="Images">The stains in the order asked for; the first is the source.</param>
/// <param name="Labels">[Height, Width] nucleus instances, 0 outside, else <see cref="PhantomNucleus.Label"/>.</param>
/// <param name="Tissue">[Height, Width] values of <see cref="PhantomTissue"/>.</param>
/// <param name="Nuclei">Every nucleus that has a pixel, by label.</param>
/// <param name="Ki67Share">Share of positive nuclei that the slide's tumour was drawn with.</param>
/// <param name="Atypia">Mean nuclear atypia of the slide's tumour, 0 to 1.</param>
public sealed record PhantomField(
    PhantomOptions Options, IReadOnlyList<PhantomImage> Images, int[] Labels, byte[] Tissue, IReadOnlyList<PhantomNucleus> Nuclei,
    float Ki67Share, float Atypia);

/// <summary>Makes synthetic sections of breast-like tissue in several stains, with the truth about them.</summary>
public static class PhantomSlide
{
    /// <summary>Fields that a slide offers: places 1,100 um apart, the most instructive first.</summary>
    public const int Fields = 64;

    private const float FieldPitch = 1100, FieldSize = 512;

    /// <summary>
    /// Renders a field. The same options give the same bytes on any number of threads, and a larger canvas continues the tissue to the
    /// right and downwards. Working memory beside the results is a few megabytes a thread.
    /// Throws ArgumentException for options out of range, OperationCanceledException when cancelled.
    /// </summary>
    /// <param name="options">What to render.</param>
    /// <param name="keepConcentrations">Also return the concentrations of H, E and DAB (12 bytes a pixel and stain).</param>
    /// <param name="progress">Told the share of blocks done, 0 to 1, from any thread.</param>
    /// <param name="cancel">Stops between blocks.</param>
    public static PhantomField Render(
        PhantomOptions options, bool keepConcentrations = false, IProgress<double>? progress = null, CancellationToken cancel = default)
    {
        options.Validate();
        var place = new Place(options);
        var truth = new Truth(options.Width, options.Height);
        SectionRenderer[] sections =
            [.. options.Stains.Select((stain, i) => new SectionRenderer(options, stain, i > 0, keepConcentrations))];
        Render(options, place, sections, (0, options.Height), truth, progress, cancel);
        return new PhantomField(options, [.. sections.Select(s => s.Result())], truth.Labels, truth.Tissue,
            truth.Number(place.X, place.Y, (float)options.Mpp), place.Model.Ki67Share, place.Model.Atypia);
    }

    /// <summary>
    /// One stain of a field in bands from the top, pixel for pixel that of <see cref="Render(PhantomOptions, bool, IProgress{double}, CancellationToken)"/>:
    /// a whole slide, of which no more than a band is held.
    /// </summary>
    /// <param name="options">What to render; all its stains but one are left out.</param>
    /// <param name="stain">The stain, one of the options'.</param>
    /// <param name="cancel">Stops between blocks.</param>
    public static IEnumerable<Image> Bands(PhantomOptions options, PhantomStain stain, CancellationToken cancel = default)
    {
        options.Validate();
        var place = new Place(options);
        int block = Block(options);
        for (int top = 0; top < options.Height; top += block)
        {
            (int Top, int Height) band = (top, Math.Min(block, options.Height - top));
            var section = new SectionRenderer(options, stain, stain != options.Stains[0], keepConcentrations: false, band);
            Render(options, place, [section], band, truth: null, progress: null, cancel);
            yield return section.Result().Image;
        }
    }

    // Autofluorescence pixels do not lie across blocks.
    private static int Block(PhantomOptions options) => 240 / options.AutofluorescenceFactor * options.AutofluorescenceFactor;

    private static void Render(PhantomOptions options, Place place, SectionRenderer[] sections, (int Top, int Height) band, Truth? truth,
        IProgress<double>? progress, CancellationToken cancel)
    {
        // Stains that share the source's geometry are rendered from one look at the tissue.
        SectionRenderer[][] passes = [.. sections.GroupBy(s => s.Warp).Select(group => group.ToArray())];
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
            buffer.Sample(place.Model, pass[0].Warp, place.X, place.Y, (float)options.Mpp, x, band.Top + y,
                Math.Min(block, options.Width - x), Math.Min(block, band.Height - y), pass.Max(s => s.Margin));
            if (pass[0].Warp is null)
                truth?.Take(buffer);
            foreach (SectionRenderer section in pass)
                section.Render(buffer);
            progress?.Report((double)Interlocked.Increment(ref done) / total);
            return buffer;
        }, _ => { });
    }

    /// <summary>The tissue of a slide, and where in it a field begins, in micrometres.</summary>
    private sealed class Place
    {
        public Place(PhantomOptions options)
        {
            Model = new TissueModel(options.Seed, options.Her2Level, options.Ki67Share, options.LevelInHe);
            (X, Y) = Origin(Model, options.Field);
            if (!options.OnTumour) return;
            float mpp = (float)options.Mpp;
            (X, Y) = OnTumour(Model, X, Y, options.Width * mpp, options.Height * mpp);
        }

        public TissueModel Model { get; }

        public float X { get; }

        public float Y { get; }
    }

    /// <summary>
    /// Where a field begins, in micrometres: places are ranked by how much there is to see, as a pathologist would choose them.
    /// </summary>
    private static (float X, float Y) Origin(TissueModel model, int field)
    {
        int side = (int)Math.Sqrt(Fields);
        return Enumerable.Range(0, Fields)
            .Select(i => (X: (i % side) * FieldPitch, Y: (i / side) * FieldPitch))
            .OrderByDescending(place => Worth(model, place.X, place.Y))
            .ElementAt(field);
    }

    /// <summary>The corner, within the place, from which a canvas of so many micrometres shows most tumour, up to half of it.</summary>
    private static (float X, float Y) OnTumour(TissueModel model, float left, float top, float width, float height)
    {
        const float step = 40;
        int columns = 1 + (int)(Math.Max(0, FieldPitch - width) / step), rows = 1 + (int)(Math.Max(0, FieldPitch - height) / step);
        return Enumerable.Range(0, columns * rows)
            .Select(i => (X: left + (i % columns * step), Y: top + (i / columns * step)))
            .MaxBy(corner => Math.Min(0.5f, Tumour(corner.X, corner.Y)));

        float Tumour(float x, float y) => model.Glands(x, y, x + width, y + height)
            .Where(gland => gland.Tissue == PhantomTissue.Tumour && model.Fat(gland.X, gland.Y) < 0)
            .Sum(nest => MathF.PI * nest.A * nest.B) / (width * height);
    }

    private static float Worth(TissueModel model, float left, float top)
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

/// <summary>Collects masks and nuclei from blocks that come in any order.</summary>
internal sealed class Truth(int width, int height)
{
    private readonly Dictionary<ulong, int> numbers = [];
    private readonly List<Nucleus> nuclei = [];
    private readonly Lock access = new();

    public int[] Labels { get; } = new int[width * height];

    public byte[] Tissue { get; } = new byte[width * height];

    /// <summary>Takes over a block's masks; labels are provisional until <see cref="Number"/>.</summary>
    public void Take(BlockBuffer buffer)
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

    /// <summary>Gives the final labels, 1 to N from the top, whatever the order of the blocks was.</summary>
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
