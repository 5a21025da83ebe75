using System.Globalization;
using Tinctor.Slides;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Tinctor.Data.Phantom;

/// <summary>Progress of writing a phantom data set.</summary>
/// <param name="Share">Completed fraction, 0 to 1.</param>
/// <param name="Name">Current field, such as s003_f01.</param>
internal readonly record struct PhantomProgress(double Share, string Name);

/// <summary>Folder of phantom slides: images, ground truth, a manifest with splits by slide, and the parameters.</summary>
/// <remarks>
/// <code>
/// phantom.yaml                       all parameters; equal parameters give equal bytes
/// manifest.csv                       source, target, split, label, slide_id, mpp; manifest_STAIN.csv, with stain, for several targets
/// source/s001_f01.png                first stain
/// target/s001_f01.png                second stain; target_STAIN/ for several targets; .tif for autofluorescence
/// truth/s001_f01_labels.tif          nucleus instances: 16 bit, 32 bit above 65,535 nuclei
/// truth/s001_f01_nuclei.csv          label, kind, x, y, area, ki67, her2
/// truth/s001_f01_tissue.png          0 glass, 1 stroma, 2 gland, 3 tumour, 4 lymphoid, 5 fat, 6 lumen, 7 vessel
/// truth/s001_f01_STAIN_displacement.safetensors   displacement from target to source pixels, for misaligned targets
/// truth/s001_f01_STAIN_*             labels, nuclei and tissue of a target that is another section, on its own pixels
/// truth/s001_f01.yaml                HER2 level, atypia, Ki67 index, stain vectors and blur of the slide
/// </code>
/// With the layout of BCI, images are HE/SPLIT/00001_SPLIT_LEVEL.png and IHC/SPLIT/00001_SPLIT_LEVEL.png, as BCI names them.
/// </remarks>
internal sealed record PhantomDataset
{
    private const string ParameterFile = "phantom.yaml";

    /// <summary>Options of all fields; Seed, Field and Her2Level are replaced for each field.</summary>
    public PhantomOptions Options { get; init; } = new();

    /// <summary>Number of slides, 1 to 9,999.</summary>
    public int Slides { get; init; } = 8;

    /// <summary>Number of fields per slide, 1 to 64; all fields of a slide are in the same split.</summary>
    public int FieldsPerSlide { get; init; } = 1;

    /// <summary>HER2 level of all slides, 0 to 3; null distributes the four levels evenly.</summary>
    public int? Level { get; init; }

    /// <summary>Fraction of the slides for validation, 0 to 1; at least one slide of three or more.</summary>
    public double ValidationShare { get; init; } = 0.15;

    /// <summary>Fraction of the slides for testing, 0 to 1; at least one slide of two or more.</summary>
    public double TestShare { get; init; } = 0.15;

    /// <summary>Whether images have the folders and names of BCI; for one target, and without validation slides.</summary>
    public bool BciLayout { get; init; }

    /// <summary>
    /// Writes the data set. If the folder contains a part of the same phantom, only the missing fields are written.
    /// </summary>
    /// <param name="folder">Output folder, created if needed.</param>
    /// <param name="replace">Deletes a phantom with other parameters; false throws instead.</param>
    /// <param name="progress">Receives the progress, on any thread.</param>
    /// <param name="cancel">Cancels after the current block. A later call with the same arguments resumes.</param>
    /// <exception cref="ArgumentException">A parameter is out of range.</exception>
    /// <exception cref="TinctorException">The folder contains another phantom or other files.</exception>
    public void Write(string folder, bool replace = false, IProgress<PhantomProgress>? progress = null, CancellationToken cancel = default)
    {
        Validate();
        if (Options.Stains.Count < 2) throw new ArgumentException("one stain; name a source and at least one target, such as he,her2");
        Begin(folder, replace);
        int total = Slides * FieldsPerSlide;
        for (int i = 0; i < total; i++)
        {
            PhantomOptions options = Field(i / FieldsPerSlide, i % FieldsPerSlide);
            string name = Name(i / FieldsPerSlide, i % FieldsPerSlide);
            int done = i;
            if (!File.Exists(Path.Combine(folder, "truth", $"{name}.yaml")))
            {
                var share = progress is null ? null
                    : new DelegateProgress<double>(s => progress.Report(new((done + (0.9 * s)) / total, name)));
                WriteField(folder, i / FieldsPerSlide, i % FieldsPerSlide, PhantomSlide.Render(options, progress: share, cancel: cancel));
            }
            progress?.Report(new((i + 1.0) / total, name));
        }
        WriteManifests(folder);
    }

    /// <summary>
    /// Writes each field as whole slides: one pyramidal OME-TIFF per stain, STAIN/NAME.ome.tif. Memory use does not grow with slide size.
    /// If the folder contains a part of the same phantom, only the missing slides are written.
    /// </summary>
    /// <param name="folder">Output folder, created if needed.</param>
    /// <param name="progress">Receives the progress.</param>
    /// <param name="cancel">Cancels after the current block. A later call with the same arguments resumes.</param>
    /// <exception cref="ArgumentException">A parameter is out of range.</exception>
    /// <exception cref="TinctorException">The folder contains another phantom or other files.</exception>
    public void WriteSlides(string folder, IProgress<PhantomProgress>? progress = null, CancellationToken cancel = default)
    {
        Validate();
        Begin(folder, replace: false);
        var jobs = Enumerable.Range(0, Slides * FieldsPerSlide)
            .SelectMany(i => Options.Stains.Select(stain => (Field: i, Stain: stain))).ToList();
        foreach ((int i, (int field, PhantomStain stain)) in jobs.Index())
        {
            PhantomOptions options = Field(field / FieldsPerSlide, field % FieldsPerSlide);
            string name = Name(field / FieldsPerSlide, field % FieldsPerSlide);
            string path = Path.Combine(folder, StainName(stain), $"{name}.ome.tif");
            if (!File.Exists(path)) WriteSlide(path, options, stain, Report, cancel);
            progress?.Report(new((i + 1.0) / jobs.Count, name));

            void Report(double share) => progress?.Report(new((i + share) / jobs.Count, $"{StainName(stain)} {name}"));
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
        SlideWriter.Write(path, spec, spec.TilesOf(PhantomSlide.RenderBands(options, stain, cancel).Select(band =>
        {
            rows += band.Height;
            report((double)rows / spec.Height);
            return band;
        })));
    }

    /// <summary>Gets the split of a slide: "train", "val" or "test".</summary>
    /// <param name="slide">Number of the slide, from 0.</param>
    public string Split(int slide)
    {
        int test = Slides >= 2 ? Math.Clamp((int)Math.Round(TestShare * Slides), TestShare > 0 ? 1 : 0, Slides - 1) : 0;
        int validation = Slides >= 3
            ? Math.Clamp((int)Math.Round(ValidationShare * Slides), ValidationShare > 0 ? 1 : 0, Slides - 1 - test)
            : 0;
        int rank = Array.IndexOf(Order(), slide);
        return rank < test ? "test" : rank < test + validation ? "val" : "train";
    }

    /// <summary>Gets the options of a field.</summary>
    /// <param name="slide">Number of the slide, from 0.</param>
    /// <param name="field">Number of the field on the slide, from 0.</param>
    public PhantomOptions Field(int slide, int field) => Options with
    {
        Seed = Mix(Options.Seed + (0x9E3779B97F4A7C15UL * (ulong)(slide + 1))),
        Field = field,
        // Levels alternate in the shuffled order, which distributes them evenly over the splits.
        Her2Level = Level ?? (Array.IndexOf(Order(), slide) + 2) % 4,
    };

    /// <summary>Formats a HER2 level: "0", "1+", "2+", "3+".</summary>
    public static string LevelName(int level) => level == 0 ? "0" : $"{level}+";

    /// <summary>Gets the name of a stain in options and file names.</summary>
    public static string StainName(PhantomStain stain) =>
        stain == PhantomStain.Autofluorescence ? "af" : stain.ToString().ToLowerInvariant();

    private void Validate()
    {
        if (Slides is < 1 or > 9999)
            throw new ArgumentException($"the number of slides is {Slides}, expected 1 to 9999");
        if (FieldsPerSlide is < 1 or > PhantomSlide.Fields)
            throw new ArgumentException($"the number of fields per slide is {FieldsPerSlide}, expected 1 to {PhantomSlide.Fields}");
        if (Level is < 0 or > 3)
            throw new ArgumentException($"the HER2 level is {Level}, expected 0 to 3");
        if (!(ValidationShare >= 0 && TestShare >= 0 && ValidationShare + TestShare < 1))
            throw new ArgumentException("validation and test fractions must be 0 or more, and their sum below 1");
        if (BciLayout && (Options.Stains.Count != 2 || Options.Stains.Contains(PhantomStain.Autofluorescence)))
            throw new ArgumentException("the layout of BCI has one source and one target of 8-bit RGB");
        if (BciLayout && ValidationShare > 0)
            throw new ArgumentException($"the layout of BCI has no validation images, but their share is {ValidationShare}; use 0");
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
            throw new TinctorException(folder, "the folder is not empty and contains no phantom", "Choose a new folder");
        if (!replace)
        {
            throw new TinctorException(folder, "the folder contains a phantom with other parameters", "Choose a new folder, or replace it")
            { Option = "Overwrite" };
        }
        // Only files of phantoms are deleted.
        File.Delete(file);
        foreach (string part in Directory.EnumerateDirectories(folder).Where(IsPart))
            Directory.Delete(part, recursive: true);
        foreach (string manifest in Directory.EnumerateFiles(folder, "manifest*.csv"))
            File.Delete(manifest);
    }

    private static bool IsPart(string path)
    {
        string name = Path.GetFileName(path);
        return name is "source" or "target" or "truth" or "HE" or "IHC" || name.StartsWith("target_", StringComparison.Ordinal);
    }

    private void WriteField(string folder, int slide, int number, PhantomField field)
    {
        string name = Name(slide, number);
        for (int i = 0; i < field.Images.Count; i++)
        {
            PhantomImage image = field.Images[i];
            string path = Path.Combine(folder, ImagePath(i, slide, number));
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
        WriteTruth(Path.Combine(truth, name), new(field.Labels, field.Tissue, field.Nuclei));
        foreach (PhantomImage image in field.Images)
        {
            if (image.Truth is { } section) WriteTruth(Path.Combine(truth, $"{name}_{StainName(image.Stain)}"), section);
        }
        // Written last: marks the field as complete.
        AtomicFile.WriteText(Path.Combine(truth, $"{name}.yaml"), Describe(field));
    }

    private void WriteTruth(string stem, PhantomTruth section)
    {
        PhantomFiles.WriteLabels($"{stem}_labels.tif", section.Labels, Options.Width, Options.Height);
        new Image(Options.Width, Options.Height, 1, SampleType.UInt8, section.Tissue).Write($"{stem}_tissue.png");
        CsvFile.Write($"{stem}_nuclei.csv", ["label", "kind", "x", "y", "area", "ki67", "her2"], section.Nuclei.Select(Cells));
    }

    private void WriteManifests(string folder)
    {
        double mpp = Options.Mpp * (Options.Stains[0] == PhantomStain.Autofluorescence ? Options.AutofluorescenceFactor : 1);
        for (int target = 1; target < Options.Stains.Count; target++)
        {
            var rows = new List<object?[]>();
            for (int slide = 0; slide < Slides; slide++)
            {
                for (int field = 0; field < FieldsPerSlide; field++)
                {
                    string name = Name(slide, field);
                    rows.Add([ImagePath(0, slide, field), ImagePath(target, slide, field), Split(slide),
                        LevelName(Field(slide, field).Her2Level), name[..name.IndexOf('_')], mpp]);
                }
            }
            string[] columns = ["source", "target", "split", "label", "slide_id", "mpp"];
            if (Options.Stains.Count == 2)
            {
                CsvFile.Write(Path.Combine(folder, "manifest.csv"), columns, rows);
                continue;
            }
            string stain = StainName(Options.Stains[target]);
            CsvFile.Write(Path.Combine(folder, $"manifest_{stain}.csv"), [.. columns, "stain"],
                rows.Select(row => (object?[])[.. row, stain]));
        }
    }

    private string ImagePath(int stain, int slide, int field)
    {
        if (BciLayout)
        {
            string split = Split(slide), level = LevelName(Field(slide, field).Her2Level);
            return string.Create(CultureInfo.InvariantCulture,
                $"{(stain == 0 ? "HE" : "IHC")}/{split}/{(slide * FieldsPerSlide) + field:00000}_{split}_{level}.png");
        }
        string part = stain == 0 ? "source" : Options.Stains.Count == 2 ? "target" : $"target_{StainName(Options.Stains[stain])}";
        return $"{part}/{Name(slide, field)}{(Options.Stains[stain] == PhantomStain.Autofluorescence ? ".tif" : ".png")}";
    }

    private static IReadOnlyList<object?> Cells(PhantomNucleus nucleus) =>
    [
        nucleus.Label, nucleus.Kind.ToString().ToLowerInvariant(), Rounded(nucleus.X), Rounded(nucleus.Y), nucleus.Area,
        nucleus.Ki67Positive ? 1 : 0, Rounded(nucleus.Her2),
    ];

    private static string Rounded(float value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    // Later options are listed only if they are used, so that folders of earlier versions remain the same phantom.
    private string Parameters() => Yaml(BasicParameters())
        + (Options.LevelInHe > 0 ? Yaml(new { Options.LevelInHe }) : "") + (Options.OnTumour ? Yaml(new { Options.OnTumour }) : "")
        + (Options.Serial ? Yaml(new { Options.Serial }) : "") + (Options.LevelInFields ? Yaml(new { Options.LevelInFields }) : "")
        + (Options.StainSeed is { } stain ? Yaml(new { StainSeed = stain }) : "") + (BciLayout ? Yaml(new { Layout = "bci" }) : "");

    private object BasicParameters() => new
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
}
