using System.Numerics;
using Tinctor.Slides;

namespace Tinctor.Data.Phantom;

/// <summary>Tissue samples of a block of pixels with a margin; reused from block to block.</summary>
internal sealed class BlockBuffer
{
    private TissuePoint[] points = [];
    private float[] x = [], y = [];

    public TissueBlock Tissue { get; private set; } = null!;
    public int Left { get; private set; }
    public int Top { get; private set; }
    public int Width { get; private set; }
    public int Height { get; private set; }
    public int Margin { get; private set; }
    public int Stride => Width + (2 * Margin);
    public int Rows => Height + (2 * Margin);

    /// <summary>Working planes of the renderers, with margin.</summary>
    public float[][] Planes { get; } = new float[Autofluorescence.Channels + 1][];

    /// <summary>Samples the tissue at each pixel, displaced by the warp if there is one.</summary>
    public void Sample(
        TissueModel model, PhantomWarp? warp, float originX, float originY, float micronsPerPixel,
        int left, int top, int width, int height, int margin)
    {
        (Left, Top, Width, Height, Margin) = (left, top, width, height, margin);
        int count = Stride * Rows;
        if (this.points.Length < count)
        {
            (this.points, this.x, this.y) = (new TissuePoint[count], new float[count], new float[count]);
            for (int i = 0; i < Planes.Length; i++)
                Planes[i] = new float[count];
        }
        float minX = float.MaxValue, minY = float.MaxValue, maxX = float.MinValue, maxY = float.MinValue;
        for (int i = 0; i < count; i++)
        {
            float x = left - margin + (i % Stride), y = top - margin + (i / Stride);
            (float dx, float dy) = warp?.At(x, y) ?? (0, 0);
            this.x[i] = originX + ((x + dx + 0.5f) * micronsPerPixel);
            this.y[i] = originY + ((y + dy + 0.5f) * micronsPerPixel);
            (minX, maxX) = (Math.Min(minX, this.x[i]), Math.Max(maxX, this.x[i]));
            (minY, maxY) = (Math.Min(minY, this.y[i]), Math.Max(maxY, this.y[i]));
        }
        Tissue = new TissueBlock(model, new TissueArea(minX, minY, maxX, maxY));
        for (int i = 0; i < count; i++)
            this.points[i] = Tissue.Sample(this.x[i], this.y[i]);
    }

    /// <summary>All points in row-major order, including the margin.</summary>
    public ReadOnlySpan<TissuePoint> Points => this.points.AsSpan(0, Stride * Rows);

    /// <summary>Point at a pixel of the block.</summary>
    public ref readonly TissuePoint At(int x, int y) => ref this.points[((y + Margin) * Stride) + x + Margin];
}

/// <summary>Renders tissue as pixels of one stain: staining, optics, sensor.</summary>
internal sealed class SectionRenderer
{
    private readonly PhantomOptions options;
    private readonly PhantomStain stain;
    private readonly StainOptics optics;
    private readonly Image image;
    private readonly float[]? displacement, concentrations;
    private readonly float[] kernel;
    private readonly float blurMicrons;
    private readonly uint slide, seed;
    private readonly int top;

    /// <summary>Creates the renderer of one stain of a field.</summary>
    /// <param name="options">Options of the field.</param>
    /// <param name="stain">Stain to render.</param>
    /// <param name="number">
    /// Position of the stain: 0 for the source, above for targets, which may be misaligned or further sections.
    /// </param>
    /// <param name="keepConcentrations">Whether to keep concentrations; for whole fields only.</param>
    /// <param name="band">Rows to render, without keeping the displacement; null for the whole field.</param>
    public SectionRenderer(
        PhantomOptions options, PhantomStain stain, int number, bool keepConcentrations, (int Top, int Height)? band = null)
    {
        (this.options, this.stain) = (options, stain);
        Section = options.Serial ? number : 0;
        (this.top, int height) = band ?? (0, options.Height);
        // Stain and scanner depend on the slide, noise and misalignment on the field.
        slide = Noise.Hash((int)options.Seed, (int)(options.Seed >> 32), 0x57A1u + (uint)stain);
        seed = Noise.Hash(options.Field, 7, slide);
        optics = new StainOptics(stain, slide, options.StainVariation);
        blurMicrons = (float)(options.Blur ?? Noise.Draw(slide, 1, 0.25f, 0.5f));
        int factor = Autofluoresces ? options.AutofluorescenceFactor : 1;
        float sigma = blurMicrons / (float)options.Mpp;
        // The point spread of the fluorescence optics matches its pixel size.
        this.kernel = Gaussian(Autofluoresces ? MathF.Sqrt((sigma * sigma) + (0.16f * factor * factor)) : sigma);
        if (number > 0 && options.Misalign > 0)
        {
            Warp = new PhantomWarp(seed, options.Width, options.Height, options.Misalign, options.Serial);
            if (band is null) displacement = new float[2 * options.Width * options.Height];
        }
        image = new Image(options.Width / factor, height / factor, Autofluoresces ? Autofluorescence.Channels : 3,
            Autofluoresces ? SampleType.UInt16 : SampleType.UInt8);
        if (keepConcentrations && !Autofluoresces)
            concentrations = new float[3 * options.Width * options.Height];
        if (band is null && Section > 0)
            Truth = new GroundTruth(options.Width, options.Height);
    }

    /// <summary>Number of the section, 0 for the source's.</summary>
    public int Section { get; }

    /// <summary>Collects the ground truth of a further section; null for the source's section and for bands.</summary>
    public GroundTruth? Truth { get; }

    /// <summary>Misalignment; null for aligned stains.</summary>
    public PhantomWarp? Warp { get; }

    /// <summary>Width in pixels of the margin that blur and refraction need around a block.</summary>
    public int Margin => (this.kernel.Length / 2) + 1;

    private bool Autofluoresces => this.stain == PhantomStain.Autofluorescence;

    /// <summary>Gets the rendered image.</summary>
    public PhantomImage Result() => new(this.stain, image, Autofluoresces ? [] : optics.Matrix, Autofluoresces ? [] : optics.Light,
        blurMicrons, displacement, concentrations)
    { Truth = Truth?.Result() };

    /// <summary>Renders a block into the image.</summary>
    public void Render(BlockBuffer block)
    {
        Truth?.Add(block);
        if (displacement is not null)
            SaveDisplacement(block);
        if (concentrations is not null)
            SaveConcentrations(block);
        if (Autofluoresces)
            Fluoresce(block);
        else
            Brightfield(block);
    }

    private void Brightfield(BlockBuffer block)
    {
        float[] r = block.Planes[0], g = block.Planes[1], b = block.Planes[2], phase = block.Planes[3], scratch = block.Planes[4];
        ReadOnlySpan<TissuePoint> points = block.Points;
        bool unstained = this.stain == PhantomStain.Unstained;
        for (int i = 0; i < points.Length; i++)
        {
            if (unstained)
            {
                (r[i], g[i], b[i]) = optics.TransmitUnstained(points[i]);
                phase[i] = points[i].Phase;
            }
            else
            {
                (float h, float e, float dab) = optics.Concentrations(points[i]);
                (r[i], g[i], b[i]) = optics.Transmit(h, e, dab);
            }
        }
        Blur(r, scratch, block.Stride, block.Rows);
        Blur(g, scratch, block.Stride, block.Rows);
        Blur(b, scratch, block.Stride, block.Rows);
        if (unstained)
            Blur(phase, scratch, block.Stride, block.Rows);
        for (int y = 0; y < block.Height; y++)
        {
            int py = block.Top + y, at = ((y + block.Margin) * block.Stride) + block.Margin;
            for (int x = 0; x < block.Width; x++, at++)
            {
                int px = block.Left + x;
                float light = Shade(px, py) * (unstained ? Refraction(phase, at, block.Stride) : 1);
                int to = 3 * (((py - this.top) * this.options.Width) + px);
                image.Data[to] = Quantise(r[at] * light, px, py, 0);
                image.Data[to + 1] = Quantise(g[at] * light, px, py, 1);
                image.Data[to + 2] = Quantise(b[at] * light, px, py, 2);
            }
        }
    }

    private void Fluoresce(BlockBuffer block)
    {
        int factor = this.options.AutofluorescenceFactor;
        ReadOnlySpan<TissuePoint> points = block.Points;
        Span<float> emission = stackalloc float[Autofluorescence.Channels];
        for (int i = 0; i < points.Length; i++)
        {
            Autofluorescence.Emit(points[i], emission);
            for (int c = 0; c < emission.Length; c++)
                block.Planes[c][i] = emission[c];
        }
        Span<ushort> samples = image.Samples16;
        for (int c = 0; c < Autofluorescence.Channels; c++)
        {
            float[] plane = block.Planes[c];
            Blur(plane, block.Planes[^1], block.Stride, block.Rows);
            for (int y = 0; y < block.Height / factor; y++)
            {
                for (int x = 0; x < block.Width / factor; x++)
                {
                    float sum = 0;
                    for (int j = 0; j < factor; j++)
                    {
                        for (int i = 0; i < factor; i++)
                            sum += plane[(((y * factor) + j + block.Margin) * block.Stride) + (x * factor) + i + block.Margin];
                    }
                    int px = (block.Left / factor) + x, py = (block.Top / factor) + y;
                    int pixel = ((py - (this.top / factor)) * image.Width) + px;
                    samples[(pixel * Autofluorescence.Channels) + c] = Count(sum / (factor * factor), px, py, c);
                }
            }
        }
    }

    /// <summary>16-bit camera counts with shot and read noise: offset 300, about 40,000 for a bright pixel (4,000 electrons).</summary>
    private ushort Count(float emission, int x, int y, int channel)
    {
        const float electrons = 4000, gain = 9;
        int factor = this.options.AutofluorescenceFactor;
        float signal = electrons * (emission + 0.012f) * Shade(x * factor, y * factor) * Slide(channel);
        float noise = (float)this.options.SensorNoise * MathF.Sqrt(signal + 16) * Normal(x, y, channel);
        return (ushort)Math.Clamp(MathF.Round(300 + (gain * (signal + noise))), 0, 65535);
    }

    private float Slide(int channel) =>
        MathF.Exp(0.15f * (float)this.options.StainVariation * Math.Clamp(Noise.Normal(slide, 140 + channel), -2, 2));

    /// <summary>Relative intensity of refraction at phase edges: slightly asymmetric bright and dark fringes.</summary>
    private static float Refraction(float[] phase, int at, int stride)
    {
        float laplacian = phase[at - 1] + phase[at + 1] + phase[at - stride] + phase[at + stride] - (4 * phase[at]);
        float slope = phase[at + 1] - phase[at - 1] + (0.6f * (phase[at + stride] - phase[at - stride]));
        return 1 + Math.Clamp((0.85f * laplacian) + (0.35f * slope), -0.4f, 0.16f);
    }

    private float Shade(int x, int y)
    {
        if (this.options.Shading == 0)
            return 1;
        return 1 - ((float)this.options.Shading * 0.025f * (1 + Noise.Gradient(x / 1700f, y / 1700f, seed + 3)));
    }

    private byte Quantise(float light, int x, int y, int channel)
    {
        if (this.options.SensorNoise > 0)
            light += (float)this.options.SensorNoise * ((0.007f * MathF.Sqrt(Math.Max(0, light))) + 0.002f) * Normal(x, y, channel);
        return (byte)Math.Clamp(MathF.Round(255 * light), 0, 255);
    }

    /// <summary>Approximately normal number of a pixel: the sum of four bytes of its hash.</summary>
    private float Normal(int x, int y, int channel)
    {
        uint h = Noise.Hash(x, y, seed + 11 + (uint)channel);
        return ((h & 255) + ((h >> 8) & 255) + ((h >> 16) & 255) + (h >> 24) - 510f) / 147.8f;
    }

    /// <summary>Separable Gaussian convolution; pixels near the outer edge, which are not part of the image, keep their value.</summary>
    private void Blur(float[] plane, float[] scratch, int stride, int rows)
    {
        int radius = this.kernel.Length / 2;
        if (radius == 0)
            return;
        int count = stride * rows;
        Convolve(plane, scratch, count, 1, radius);
        Convolve(scratch, plane, count, stride, radius);
    }

    private void Convolve(float[] from, float[] to, int count, int step, int radius)
    {
        int begin = radius * step, end = count - begin;
        from.AsSpan(0, begin).CopyTo(to);
        from.AsSpan(end, begin).CopyTo(to.AsSpan(end));
        Span<float> sums = to.AsSpan(begin, end - begin);
        sums.Clear();
        for (int k = -radius; k <= radius; k++)
            AddScaled(from.AsSpan(begin + (k * step), end - begin), this.kernel[k + radius], sums);
    }

    private static void AddScaled(ReadOnlySpan<float> from, float weight, Span<float> sums)
    {
        int i = 0;
        for (; i <= sums.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(sums[i..]) + (new Vector<float>(from[i..]) * weight)).CopyTo(sums[i..]);
        for (; i < sums.Length; i++)
            sums[i] += from[i] * weight;
    }

    private static float[] Gaussian(float sigma)
    {
        int radius = sigma < 0.05f ? 0 : (int)MathF.Ceiling(3 * sigma);
        float[] kernel =
            [.. Enumerable.Range(-radius, (2 * radius) + 1).Select(i => radius == 0 ? 1 : MathF.Exp(-i * i / (2 * sigma * sigma)))];
        float sum = kernel.Sum();
        return [.. kernel.Select(k => k / sum)];
    }

    private void SaveDisplacement(BlockBuffer block)
    {
        int plane = this.options.Width * this.options.Height;
        for (int y = block.Top; y < block.Top + block.Height; y++)
        {
            for (int x = block.Left; x < block.Left + block.Width; x++)
            {
                int at = (y * this.options.Width) + x;
                (displacement![at], displacement[plane + at]) = Warp!.At(x, y);
            }
        }
    }

    private void SaveConcentrations(BlockBuffer block)
    {
        for (int y = 0; y < block.Height; y++)
        {
            for (int x = 0; x < block.Width; x++)
            {
                int at = 3 * (((block.Top + y) * this.options.Width) + block.Left + x);
                (concentrations![at], concentrations[at + 1], concentrations[at + 2]) = optics.Concentrations(block.At(x, y));
            }
        }
    }
}
