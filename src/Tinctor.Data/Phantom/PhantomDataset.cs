using System.Globalization;
using System.Text;
using Tinctor.Slides;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Tinctor.Data.Phantom;

/// <summary>Progress of writing a phantom data set.</summary>
/// <param name="Share">0 to 1.</param>
/// <param name="Name">The field being made, as in s003_f01.</param>
public readonly record struct PhantomProgress(double Share, string Name);

/// <summary>A folder of phantom slides: images, truth, a manifest with splits by slide, and phantom.yaml with every parameter.</summary>
/// <remarks>
/// <code>
/// phantom.yaml                       every parameter; with the same file the same bytes come out
/// manifest.csv                       source, target, split, label, slide_id (manifest_STAIN.csv for each target where there are several)
/// source/s001_f01.png                the first stain
/// target/s001_f01.png                the second stain (target_STAIN/ for each where there are several); .tif for autofluorescence
/// truth/s001_f01_labels.tif          nucleus instances: 16 bit, 32 bit above 65,535 nuclei
/// truth/s001_f01_nuclei.csv          label, kind, x, y, area, ki67, her2
/// truth/s001_f01_tissue.png          0 glass, 1 stroma, 2 gland, 3 tumour, 4 lymphoid, 5 fat, 6 lumen, 7 vessel
/// truth/s001_f01_STAIN_displacement.safetensors   for misaligned targets: target pixel to source pixel
/// truth/s001_f01.yaml                level, atypia, Ki67 share, stain vectors and blur of the slide
/// </code>
/// </remarks>
public sealed record PhantomDataset
{
    private const string ParameterFile = "phantom.yaml";

    /// <summary>Stain, size, imaging and seed of every field; its Seed, Field and Her2Level are set per slide.</summary>
    public PhantomOptions Options { get; init; } = new();

    /// <summary>Number of slides, 1 to 9,999.</summary>
    public int Slides { get; init; } = 8;

    /// <summary>Fields of each slide, 1 to 64; all of a slide are in the same split.</summary>
    public int FieldsPerSlide { get; init; } = 1;

    /// <summary>HER2 level of all slides, 0 to 3; null mixes the four levels evenly.</summary>
    public int? Level { get; init; }

    /// <summary>Share of slides for validation, 0 to 1; at least one slide where there are three.</summary>
    public double ValidationShare { get; init; } = 0.15;

    /// <summary>Share of slides for testing, 0 to 1; at least one slide where there are two.</summary>
    public double TestShare { get; init; } = 0.15;

    /// <summary>
    /// Writes the data set. A folder that holds the same phantom is completed: fields that are there are kept. A folder that holds
    /// another phantom is refused, or replaced where asked to; a folder with anything else in it is always refused.
    /// Throws ArgumentException for parameters out of range, IOException for a folder in use.
    /// </summary>
    /// <param name="folder">Where to; made if missing.</param>
    /// <param name="replace">Delete an earlier phantom with other parameters.</param>
    /// <param name="progress">Told what is being made, from any thread.</param>
    /// <param name="cancel">Stops between blocks; what is finished stays, and the same call goes on from there.</param>
    public void Write(string folder, bool replace = false, IProgress<PhantomProgress>? progress = null, CancellationToken cancel = default)
    {
        Validate();
        if (Options.Stains.Count < 2) throw new ArgumentException("stains: name a source and at least one target, as in he,her2");
        Begin(folder, replace);
        int total = Slides * FieldsPerSlide;
        for (int i = 0; i < total; i++)
        {
            PhantomOptions options = Field(i / FieldsPerSlide, i % FieldsPerSlide);
            string name = Name(i / FieldsPerSlide, i % FieldsPerSlide);
            int done = i;
            if (!File.Exists(Path.Combine(folder, "truth", $"{name}.yaml")))
            {
                var share = progress is null ? null : new Relay(s => progress.Report(new((done + (0.9 * s)) / total, name)));
                WriteField(folder, name, PhantomSlide.Render(options, progress: share, cancel: cancel));
            }
            progress?.Report(new((i + 1.0) / total, name));
        }
        WriteManifests(folder);
    }

    /// <summary>
    /// Writes whole slides in place of fields, each field as a pyramidal OME-TIFF a stain: STAIN/NAME.ome.tif. No slide is held in memory;
    /// slides that are there are kept. Throws as <see cref="Write"/> does.
    /// </summary>
    /// <param name="folder">Where to; made if missing.</param>
    /// <param name="progress">Told what is being made.</param>
    /// <param name="cancel">Stops; what is finished stays, and the same call goes on from there.</param>
    public void WriteSlides(string folder, IProgress<PhantomProgress>? progress = null, CancellationToken cancel = default)
    {
        Validate();
        Begin(folder, replace: false);
        var jobs = Enumerable.Range(0, Slides * FieldsPerSlide).SelectMany(i => Options.Stains.Select(stain => (Field: i, Stain: stain))).ToList();
        foreach ((int i, (int field, PhantomStain stain)) in jobs.Index())
        {
            PhantomOptions options = Field(field / FieldsPerSlide, field % FieldsPerSlide);
            string name = Name(field / FieldsPerSlide, field % FieldsPerSlide);
            string path = Path.Combine(folder, StainName(stain), $"{name}.ome.tif");
            if (!File.Exists(path))
                WriteSlide(path, options, stain, share => progress?.Report(new((i + share) / jobs.Count, $"{StainName(stain)} {name}")), cancel);
            progress?.Report(new((i + 1.0) / jobs.Count, name));
        }
    }

    private static void WriteSlide(string path, PhantomOptions options, PhantomStain stain, Action<double> report, CancellationToken cancel)
    {
        bool fluoresces = stain == PhantomStain.Autofluorescence;
        int factor = fluoresces ? options.AutofluorescenceFactor : 1;
        var spec = new SlideSpec(options.Width / factor, options.Height / factor, fluoresces ? Autofluorescence.Channels : 3,
            fluoresces ? SampleType.UInt16 : SampleType.UInt8)
        {
            Mpp = options.Mpp * factor,
            Name = Path.GetFileName(path),
            ChannelInfo = fluoresces ? [.. Autofluorescence.Names.Select(name => new SlideChannel(name))] : [],
        };
        int rows = 0;
        SlideWriter.Write(path, spec, spec.TilesOf(PhantomSlide.Bands(options, stain, cancel).Select(band =>
        {
            rows += band.Height;
            report((double)rows / spec.Height);
            return band;
        })));
    }

    /// <summary>The split of a slide (from 0): "train", "val" or "test".</summary>
    public string Split(int slide)
    {
        int test = Slides >= 2 ? Math.Clamp((int)Math.Round(TestShare * Slides), TestShare > 0 ? 1 : 0, Slides - 1) : 0;
        int validation = Slides >= 3
            ? Math.Clamp((int)Math.Round(ValidationShare * Slides), ValidationShare > 0 ? 1 : 0, Slides - 1 - test)
            : 0;
        int rank = Array.IndexOf(Order(), slide);
        return rank < test ? "test" : rank < test + validation ? "val" : "train";
    }

    /// <summary>The options of one field of a slide, both from 0.</summary>
    public PhantomOptions Field(int slide, int field) => Options with
    {
        Seed = Mix(Options.Seed + (0x9E3779B97F4A7C15UL * (ulong)(slide + 1))),
        Field = field,
        // Taking turns in the shuffled order spreads the levels evenly over the splits.
        Her2Level = Level ?? (Array.IndexOf(Order(), slide) + 2) % 4,
    };

    /// <summary>A HER2 level as pathologists write it: "0", "1+", "2+", "3+".</summary>
    public static string LevelName(int level) => level == 0 ? "0" : $"{level}+";

    /// <summary>The name of a stain on the command line and in file names.</summary>
    public static string StainName(PhantomStain stain) =>
        stain == PhantomStain.Autofluorescence ? "af" : stain.ToString().ToLowerInvariant();

    private void Validate()
    {
        if (Slides is < 1 or > 9999)
            throw new ArgumentException($"{Slides} slides: must be 1 to 9999");
        if (FieldsPerSlide is < 1 or > PhantomSlide.Fields)
            throw new ArgumentException($"{FieldsPerSlide} fields per slide: must be 1 to {PhantomSlide.Fields}");
        if (Level is < 0 or > 3)
            throw new ArgumentException($"HER2 level {Level}: must be 0 to 3");
        if (!(ValidationShare >= 0 && TestShare >= 0 && ValidationShare + TestShare < 1))
            throw new ArgumentException("validation and test share: neither below 0, together below 1");
        Options.Validate();
    }

    private void Begin(string folder, bool replace)
    {
        string parameters = Parameters();
        Prepare(folder, parameters, replace);
        AtomicFile.WriteText(Path.Combine(folder, ParameterFile), parameters);
    }

    private static void Prepare(string folder, string parameters, bool replace)
    {
        Directory.CreateDirectory(folder);
        string file = Path.Combine(folder, ParameterFile);
        if (!Directory.EnumerateFileSystemEntries(folder).Any() || (File.Exists(file) && File.ReadAllText(file) == parameters))
            return;
        if (!File.Exists(file))
            throw new TinctorException(folder, "is not empty and holds no phantom", "Choose a new folder");
        if (!replace)
            throw new TinctorException(folder, "holds a phantom with other parameters", "Choose a new folder, or replace it") { Option = "Overwrite" };
        // Only what a phantom is made of is deleted.
        File.Delete(file);
        foreach (string part in Directory.EnumerateDirectories(folder).Where(IsPart))
            Directory.Delete(part, recursive: true);
        foreach (string manifest in Directory.EnumerateFiles(folder, "manifest*.csv"))
            File.Delete(manifest);
    }

    private static bool IsPart(string path)
    {
        string name = Path.GetFileName(path);
        return name is "source" or "target" or "truth" || name.StartsWith("target_", StringComparison.Ordinal);
    }

    private void WriteField(string folder, string name, PhantomField field)
    {
        for (int i = 0; i < field.Images.Count; i++)
        {
            PhantomImage image = field.Images[i];
            string path = Path.Combine(folder, ImagePath(i, name));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            image.Image.Write(path);
        }
        string truth = Path.Combine(folder, "truth");
        Directory.CreateDirectory(truth);
        (int width, int height) = (Options.Width, Options.Height);
        foreach (PhantomImage image in field.Images.Where(image => image.Displacement is not null))
        {
            string path = Path.Combine(truth, $"{name}_{StainName(image.Stain)}_displacement.safetensors");
            PhantomFiles.WriteDisplacement(path, image.Displacement!, width, height);
        }
        PhantomFiles.WriteLabels(Path.Combine(truth, $"{name}_labels.tif"), field.Labels, width, height);
        new Image(width, height, 1, SampleType.UInt8, field.Tissue).Write(Path.Combine(truth, $"{name}_tissue.png"));
        AtomicFile.WriteText(Path.Combine(truth, $"{name}_nuclei.csv"), Table(field.Nuclei));
        // Written last: its presence says that the field is complete.
        AtomicFile.WriteText(Path.Combine(truth, $"{name}.yaml"), Describe(field));
    }

    private void WriteManifests(string folder)
    {
        double mpp = Options.Mpp * (Options.Stains[0] == PhantomStain.Autofluorescence ? Options.AutofluorescenceFactor : 1);
        for (int target = 1; target < Options.Stains.Count; target++)
        {
            var text = new StringBuilder("source,target,split,label,slide_id,mpp\n");
            for (int slide = 0; slide < Slides; slide++)
            {
                for (int field = 0; field < FieldsPerSlide; field++)
                {
                    string name = Name(slide, field), level = LevelName(Field(slide, field).Her2Level);
                    text.Append(CultureInfo.InvariantCulture,
                        $"{ImagePath(0, name)},{ImagePath(target, name)},{Split(slide)},{level},s{slide + 1:000},{mpp}\n");
                }
            }
            string file = Options.Stains.Count == 2 ? "manifest.csv" : $"manifest_{StainName(Options.Stains[target])}.csv";
            AtomicFile.WriteText(Path.Combine(folder, file), text.ToString());
        }
    }

    private string ImagePath(int stain, string name)
    {
        string part = stain == 0 ? "source" : Options.Stains.Count == 2 ? "target" : $"target_{StainName(Options.Stains[stain])}";
        return $"{part}/{name}{(Options.Stains[stain] == PhantomStain.Autofluorescence ? ".tif" : ".png")}";
    }

    private static string Table(IReadOnlyList<PhantomNucleus> nuclei)
    {
        var text = new StringBuilder("label,kind,x,y,area,ki67,her2\n");
        foreach (PhantomNucleus n in nuclei)
        {
            string kind = n.Kind.ToString().ToLowerInvariant();
            text.Append(CultureInfo.InvariantCulture,
                $"{n.Label},{kind},{n.X:0.##},{n.Y:0.##},{n.Area},{(n.Ki67Positive ? 1 : 0)},{n.Her2:0.##}\n");
        }
        return text.ToString();
    }

    // What is off is not named: a folder made before the option existed is still the same phantom.
    private string Parameters() => Yaml(Always())
        + (Options.LevelInHe > 0 ? Yaml(new { Options.LevelInHe }) : "") + (Options.OnTumour ? Yaml(new { Options.OnTumour }) : "");

    private object Always() => new
    {
        Format = "tinctor-phantom-1",
        Slides,
        FieldsPerSlide,
        Level = Level is { } level ? LevelName(level) : "mixed",
        ValidationShare,
        TestShare,
        Stains = Options.Stains.Select(StainName).ToArray(),
        Options.Width,
        Options.Height,
        MicronsPerPixel = Options.Mpp,
        Options.Seed,
        Options.Ki67Share,
        Options.Misalign,
        Options.AutofluorescenceFactor,
        Options.StainVariation,
        Options.Shading,
        Options.Blur,
        Options.SensorNoise,
    };

    private static string Describe(PhantomField field) => Yaml(new
    {
        field.Options.Seed,
        field.Options.Field,
        Her2Level = LevelName(field.Options.Her2Level),
        field.Atypia,
        field.Ki67Share,
        Nuclei = field.Nuclei.Count,
        Stains = field.Images.ToDictionary(image => StainName(image.Stain), image => new
        {
            BlurMicrons = image.BlurMicrons,
            StainMatrix = image.StainMatrix.ToArray(),
            Light = image.Light.ToArray(),
        }),
    });

    private static string Yaml(object value) =>
        new SerializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build().Serialize(value);

    private static string Name(int slide, int field) => string.Create(CultureInfo.InvariantCulture, $"s{slide + 1:000}_f{field + 1:00}");

    private int[] Order() => [.. Enumerable.Range(0, Slides).OrderBy(i => Mix(Options.Seed ^ (0xA5A5UL + (ulong)i)))];

    // SplitMix64.
    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9UL;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EBUL;
        return x ^ (x >> 31);
    }

    private sealed class Relay(Action<double> report) : IProgress<double>
    {
        public void Report(double value) => report(value);
    }
}
