using Tinctor.Evaluation.Data;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Tests;

/// <summary>A small test set on disk: smooth blobs as the real stain, stained = real + noise, source = another colour of it.</summary>
internal sealed class ExampleImages : IDisposable
{
    private readonly DirectoryInfo root = Directory.CreateTempSubdirectory("tinctor-evaluation-");

    public ExampleImages(int images = 6, int size = 48, bool bciNames = false)
    {
        for (int i = 0; i < images; i++)
        {
            string name = bciNames ? $"{i:D5}_test_{new[] { "0", "1+", "2+", "3+" }[i % 4]}" : $"tile{i:D2}";
            var real = Blobs(size, i, [0.55, 0.75, 0.95]);
            Write(Real, name, real);
            Write(Source, name, Noisy(Blobs(size, i, [0.35, 0.95, 0.55]), 30));
            Write(Stained, name, Noisy(real, 4 + i % 4));
            Write(Second, name, Noisy(real, 7 + 9 * (i % 3)));
            Write(TrainReal, $"train{i:D2}", Blobs(size, 100 + i, [0.55, 0.75, 0.95]));
            Names.Add(name);
        }
    }

    public List<string> Names { get; } = [];

    public string Stained => Folder("stained");

    public string Second => Folder("second");

    public string Real => Folder("real");

    public string Source => Folder("source");

    public string TrainReal => Folder("train");

    public string Out => Path.Combine(root.FullName, "report");

    public EvaluationOptions Options =>
        new() { Stained = Model(Stained), Real = Real, Source = Source, TrainReal = TrainReal, Resamples = 200 };

    /// <summary>Two named models.</summary>
    public StainedFolder[] TwoModels => [new("Careful & Co", Stained), new("quick", Second)];

    public static StainedFolder[] Model(string folder) => [StainedFolder.Parse(folder)];

    public string File(string name, string text)
    {
        string path = Path.Combine(root.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, text);
        return path;
    }

    public static void Write(string folder, string name, Image image) => image.Write(Path.Combine(folder, name + ".png"));

    public void Dispose() => root.Delete(recursive: true);

    public static Image Blobs(int size, int seed, double[] absorb)
    {
        var random = new Random(seed);
        double UpTo(double limit) => random.NextDouble() * limit;
        var centres = Enumerable.Range(0, 14).Select(_ => (X: UpTo(size), Y: UpTo(size), R: 3 + UpTo(size / 10.0))).ToArray();
        var image = new Image(size, size, 3);
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x++)
            {
                double density = 0.12 + centres.Sum(c => Math.Exp(-((x - c.X) * (x - c.X) + (y - c.Y) * (y - c.Y)) / (2 * c.R * c.R)));
                for (int c = 0; c < 3; c++)
                    image.Data[(y * size + x) * 3 + c] = (byte)(250 * Math.Exp(-density * absorb[c]));
            }
        return image;
    }

    private static Image Noisy(Image image, int amplitude)
    {
        var random = new Random(amplitude);
        byte[] data = Array.ConvertAll(image.Data, v => (byte)Math.Clamp(v + random.Next(-amplitude, amplitude + 1), 0, 255));
        return new Image(image.Width, image.Height, 3, SampleType.UInt8, data);
    }

    private string Folder(string name) => Directory.CreateDirectory(Path.Combine(root.FullName, name)).FullName;
}
