using Tinctor.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Cli;

/// <summary>One model of a study.</summary>
/// <param name="Key">Name in files.</param>
/// <param name="Title">Name in the table.</param>
/// <param name="Config">All settings.</param>
internal sealed record StudyModel(string Key, string Title, RunConfig Config);

/// <summary>
/// Models that are trained from the same seeds on the same data, stain the same test pairs and are evaluated together, as commands that a
/// user would type. An interrupted study resumes and keeps its results.
/// </summary>
internal sealed class Study
{
    private readonly string folder;
    private readonly PairManifest pairs;
    private readonly StudyModel[] models;

    /// <summary>Writes the study's data in one layout: links to the files, or images cut from files that hold both stains.</summary>
    /// <param name="folder">The study's folder.</param>
    /// <param name="pairs">All pairs, in the direction of staining.</param>
    /// <param name="models">The models; their data setting is replaced by the study's data.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="TinctorException">There are no test pairs, or two pairs of one name.</exception>
    public Study(string folder, PairManifest pairs, IReadOnlyList<StudyModel> models, CancellationToken cancel)
    {
        (this.folder, this.pairs) = (folder, pairs);
        if (pairs.InSplit("test").Count == 0)
            throw new TinctorException(models[0].Config.Data.Path, $"has no test pairs ({pairs.Describe()})",
                "A study evaluates its models on test pairs; assign some to the split test");
        WriteData(cancel);
        this.models = [.. models.Select(model => model with { Config = model.Config with { Data = Settled(model.Config.Data) } })];
    }

    private string DataFolder => Path.Combine(folder, "data");

    private string Manifest => Path.Combine(DataFolder, "pairs.csv");

    /// <summary>Gets the steps of one seed: train and stain with every model, then evaluate.</summary>
    /// <param name="seed">Random seed of the trainings.</param>
    /// <param name="training">Further options of every training.</param>
    /// <param name="staining">Further options of every staining.</param>
    /// <param name="evaluation">Further options of the evaluation; null for none.</param>
    public IEnumerable<(string Title, string[]? Arguments)> Steps(ulong seed, string[] training, string[] staining, string[]? evaluation)
    {
        string root = Root(seed);
        foreach (StudyModel model in models)
        {
            string run = Path.Combine(root, model.Key, "run");
            yield return ($"{model.Title}, seed {seed}: train", Train(model.Config with { Seed = seed }, run, training));
            yield return ($"{model.Title}, seed {seed}: stain the test pairs",
                ["stain", run, Manifest, "--split", "test", "-o", Stained(root, model), .. staining]);
        }
        if (evaluation is null) yield break;
        yield return ($"seed {seed}: evaluate", ["evaluate",
            .. models.SelectMany(model => new[] { "--stained", $"{model.Key}={Stained(root, model)}" }),
            "--real", Path.Combine(DataFolder, "target"), "--source", Path.Combine(DataFolder, "source"), "--labels", Manifest,
            .. evaluation, "-o", Path.Combine(root, "report")]);
    }

    /// <summary>Writes the table over all seeds, and pictures of the first.</summary>
    /// <param name="seeds">Seeds that were evaluated.</param>
    /// <param name="subject">Subject of the study, for the caption.</param>
    public void Conclude(ulong[] seeds, string subject)
    {
        var table = new StudyTable([.. models.Select(model => (model.Key, model.Title))],
            [.. seeds.Select(seed => (seed, Path.Combine(Root(seed), "report", "metrics.json")))]);
        string caption = $"{subject}, {pairs.InSplit("test").Count} test pairs, "
            + (seeds.Length == 1 ? $"seed {seeds[0]}" : $"mean over {seeds.Length} seeds ± standard deviation");
        table.Write(folder, caption);
        WritePictures(Root(seeds[0]), Path.Combine(folder, "examples.png"));
        Terminal.Result($"\n{caption}\n");
        Terminal.Out.Write(File.ReadAllText(Path.Combine(folder, "table.md")));
        Terminal.Result($"\ntable: {Path.Combine(folder, "table.md")}, .csv (by seed), .tex");
        Terminal.Result(
            $"pictures: {Path.Combine(folder, "examples.png")} (source, real, {string.Join(", ", models.Select(model => model.Key))})");
    }

    // Pictures cover every label before any label twice.
    private void WritePictures(string root, string path)
    {
        string[] names = [.. pairs.InSplit("test").GroupBy(pair => pair.Label).OrderBy(group => group.Key)
            .SelectMany(group => group.Select((pair, i) => (pair.Name, Place: i))).OrderBy(pair => pair.Place).Take(8)
                .Select(pair => pair.Name)];
        string[] columns = [Path.Combine(DataFolder, "source"), Path.Combine(DataFolder, "target"),
            .. models.Select(m => Stained(root, m))];
        ContactSheet.Render([.. names.Select(name => (IReadOnlyList<string>)[.. columns.Select(column => Find(column, name))])])
            .Write(path);

        static string Find(string where, string name) => Directory.GetFiles(where, name + ".*").First();
    }

    private string Root(ulong seed) => Path.Combine(folder, $"seed{seed}");

    private static string Stained(string root, StudyModel model) => Path.Combine(root, model.Key, "stained");

    private DataConfig Settled(DataConfig data) => data with { Path = Manifest, Direction = "AtoB", TestSlides = [], ValSlides = [] };

    // Null for a finished run. An unfinished run resumes if its settings are unchanged.
    private static string[]? Train(RunConfig config, string run, string[] more)
    {
        string file = Path.Combine(Path.GetDirectoryName(run)!, "settings.yaml"), settings = ConfigFile.Write(config);
        bool begun = File.Exists(Path.Combine(run, "config.yaml"));
        if (begun && File.ReadAllText(file) != settings)
            throw new TinctorException(file, "the training of this model was started with other settings",
                $"Repeat the original command, choose another folder, or remove {Path.GetDirectoryName(run)}");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        AtomicFile.WriteText(file, settings);
        return !begun ? ["train", config.Method, "--config", file, "--output", run, .. more]
            : RunFolder.Open(run).HasModel ? null : ["train", "--output", run, "--resume", .. more];
    }

    private void WriteData(CancellationToken cancel)
    {
        PairManifest.RequireDistinctNames(pairs.Pairs);
        string sources = Path.Combine(DataFolder, "source"), targets = Path.Combine(DataFolder, "target");
        Directory.CreateDirectory(sources);
        Directory.CreateDirectory(targets);
        var written = new List<Pair>();
        foreach (Pair pair in pairs.Pairs)
        {
            cancel.ThrowIfCancellationRequested();
            bool two = pair.Layout == PairLayout.TwoFiles;
            string source = Path.Combine(sources, pair.Name + (two ? Path.GetExtension(pair.Source) : ".png"));
            string target = Path.Combine(targets, pair.Name + (two ? Path.GetExtension(pair.Target) : ".png"));
            if (two)
            {
                Link(source, pair.Source);
                Link(target, pair.Target!);
            }
            else if (!File.Exists(source) || !File.Exists(target))
            {
                (Image left, Image right) = pair.ReadImages();
                left.Write(source);
                right.Write(target);
            }
            written.Add(pair with { Source = source, Target = target, Layout = PairLayout.TwoFiles });
        }
        ManifestFile.Write(Manifest, written);
    }

    // Another job of the study may create the same link at the same time.
    private static void Link(string path, string target)
    {
        if (File.Exists(path)) return;
        try
        {
            File.CreateSymbolicLink(path, target);
        }
        catch (IOException) when (File.Exists(path))
        {
        }
    }
}
