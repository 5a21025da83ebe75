#:project ../src/Tinctor.Slides/Tinctor.Slides.csproj
#:property PublishAot=false
// Makes slides row by row, for bench/slides.
//   make WIDTH HEIGHT FILE     a smooth image, as JPEG
//   noise WIDTH HEIGHT FILE    lossless, incompressible noise: 38,000 pixels per side give more than 4 GB
//   check FILE                 compares regions all over the noise with what was written
using System.Diagnostics;
using Tinctor.Slides;

const int rows = 512;
switch (args)
{
    case ["make", string width, string height, string file]:
        Make(file, int.Parse(width), int.Parse(height), 90, (_, band) => band);
        break;
    case ["noise", string width, string height, string file]:
        Make(file, int.Parse(width), int.Parse(height), null, Noise);
        break;
    case ["check", string file]:
        Check(file);
        break;
}

static void Make(string file, int width, int height, int? quality, Func<int, Image, Image> fill)
{
    var watch = Stopwatch.StartNew();
    Image smooth = Smooth(width);
    var spec = new SlideSpec(width, height) { Mpp = 0.25, JpegQuality = quality };
    SlideWriter.Write(file, spec, spec.TilesOf(Enumerable.Range(0, (height + rows - 1) / rows)
        .Select(i => fill(i * rows, smooth.Crop(0, 0, width, Math.Min(rows, height - (i * rows)))))));
    using var process = Process.GetCurrentProcess();
    Console.WriteLine($"{file}: {width}x{height}, {new FileInfo(file).Length / 1e9:0.00} GB, {watch.Elapsed.TotalSeconds:0} s, "
        + $"peak {process.PeakWorkingSet64 / 1e6:0} MB");
}

static Image Smooth(int width)
{
    var image = new Image(width, rows, 3);
    for (int i = 0; i < image.Data.Length; i++)
    {
        (int x, int y, int c) = (i / 3 % width, i / 3 / width, i % 3);
        image.Data[i] = (byte)(180 + (40 * MathF.Sin((x * 0.05f) + c)) + (30 * MathF.Cos(y * 2 * MathF.PI / 64)));
    }
    return image;
}

// The row number seeds each row, so that Check can repeat it.
static Image Noise(int top, Image band)
{
    Parallel.For(0, band.Height, y => new Random(top + y).NextBytes(band.Data.AsSpan(y * band.Width * 3, band.Width * 3)));
    return band;
}

static void Check(string file)
{
    using var slide = Slide.Open(file);
    var random = new Random(1);
    var row = new byte[slide.Width * 3];
    for (int i = 0; i < 40; i++)
    {
        // Includes the first and the last corner.
        int x = i == 0 ? 0 : i == 1 ? slide.Width - 100 : random.Next(slide.Width - 100), y = i == 0 ? 0 : i == 1 ? slide.Height - 60
            : random.Next(slide.Height - 60);
        Image region = slide.Read(0, x, y, 100, 60);
        for (int line = 0; line < 60; line++)
        {
            new Random(y + line).NextBytes(row);
            if (!row.AsSpan(x * 3, 300).SequenceEqual(region.Data.AsSpan(line * 300, 300)))
                throw new TinctorException($"{file}: differs at ({x}, {y + line})");
        }
    }
    Console.WriteLine($"{file}: 40 regions of {slide.Width}x{slide.Height} equal the written data");
}
