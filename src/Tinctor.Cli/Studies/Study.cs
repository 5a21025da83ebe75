using Tinctor.Data;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Training.Configuration;
using Tinctor.Training.Loading;
using Tinctor.Training.Runs;

namespace Tinctor.Cli.Studies;

/// <summary>One model of a study.</summary>
/// <param name="Key">Name in files.</param>
/// <param name="Title">Name in the table.</param>
/// <param name="Config">All settings.</param>
internal sealed record StudyModel(string Key, string Title, RunConfig Config);

/// <summary>Commands that run one after the other, such as the training of a model and its staining.</summary>
/// <param name="Name">Name in files and messages.</param>
/// <param name="Steps">Description and command line of each step; a step without command line is complete already.</param>
internal sealed record StudyJob(string Name, IReadOnlyList<(string Title, string[]? Arguments)> Steps);

/// <summary>
/// Models that are trained from the same seeds on the same data, stain the same test pairs and are evaluated together, as commands that a
/// user would type. An interrupted study resumes and keeps its results.
/// </summary>
internal sealed class Study
{
    private readonly PairManifest pairs;

    /// <summary>Writes the study's data in one layout: links to the files, or images cut from files that hold both stains.</summary>
    /// <param name="folder">The study's folder.</param>
    /// <param name="pairs">All pairs, in the direction of staining.</param>
    /// <param name="models">The models; their data setting is replaced by the study's data.</param>
    /// <param name="cancel">Stops the work.</param>
    /// <exception cref="TinctorException">There are no test pairs, or two pairs of one name.</exception>
    public Study(string folder, PairManifest pairs, IReadOnlyList<StudyModel> models, CancellationToken cancel)
    {
        (Folder, this.pairs) = (folder, pairs);
        if (pairs.InSplit("test").Count == 0)
            throw new TinctorException(models[0].Config.Data.Path, $"has no test pairs ({pairs.Describe()})",
                "A study evaluates its models on test pairs; assign some to the split test");
        WriteData(cancel);
        Models = [.. models.Select(model => model with { Config = model.Config with { Data = Settled(model.Config.Data) } })];
    }

    private Study(Study other, IReadOnlyList<StudyModel> models) => (Folder, pairs, Models) = (other.Folder, other.pairs, models);

    /// <summary>The study's folder.</summary>
    public string Folder { get; }

    /// <summary>The models with all their settings.</summary>
    public IReadOnlyList<StudyModel> Models { get; }

    /// <summary>Number of validation pairs.</summary>
    public int ValidationPairs => pairs.InSplit("val").Count;

    private string DataFolder => Path.Combine(Folder, "data");

    private string Manifest => Path.Combine(DataFolder, "pairs.csv");

    /// <summary>Creates a study of the same data with changed models.</summary>
    public Study With(IReadOnlyList<StudyModel> models) => new(this, models);

    /// <summary>Gets the jobs of one seed: train and stain with every model.</summary>
    /// <param name="seed">Random seed of the trainings.</param>
    /// <param name="training">Further options of every training.</param>
    /// <param name="staining">Further options of every staining.</param>
    public IEnumerable<StudyJob> Jobs(ulong seed, string[] training, string[] staining)
    {
        foreach (StudyModel model in Models)
        {
            string run = Path.Combine(Root(seed), model.Key, "run");
            yield return new(JobName(seed, model),
            [
                ($"{model.Title}, seed {seed}: train", TrainCommand(model.Config with { Seed = seed }, run, training)),
                ($"{model.Title}, seed {seed}: stain the test pairs",
                    ["stain", run, Manifest, "--split", "test", "-o", Stained(seed, model), .. staining]),
            ]);
        }
    }

    /// <summary>Gets the models of one seed that have stained the test pairs.</summary>
    /// <param name="seed">Random seed of the trainings.</param>
    /// <param name="failed">Names of failed jobs.</param>
    public IEnumerable<StudyModel> Finished(ulong seed, IReadOnlyCollection<string> failed) =>
        Models.Where(model => !failed.Contains(JobName(seed, model)));

    /// <summary>Gets the step that evaluates the models of one seed.</summary>
    /// <param name="seed">Random seed of the trainings.</param>
    /// <param name="failed">Names of failed jobs.</param>
    /// <param name="options">Further options of the evaluation.</param>
    public (string Title, string[]? Arguments) Evaluation(ulong seed, IReadOnlyCollection<string> failed, string[] options) =>
        ($"seed {seed}: evaluate", ["evaluate",
        .. Finished(seed, failed).SelectMany(model => new[] { "--stained", $"{model.Key}={Stained(seed, model)}" }),
        "--real", Path.Combine(DataFolder, "target"), "--source", Path.Combine(DataFolder, "source"), "--labels", Manifest,
        .. options, "-o", Path.Combine(Root(seed), "report")]);

    /// <summary>
    /// Gets the command that trains, or resumes a training whose settings are unchanged; null if the run is finished. The settings are
    /// written beside the run's folder.
    /// </summary>
    /// <param name="config">All settings.</param>
    /// <param name="run">Folder of the run.</param>
    /// <param name="more">Further options.</param>
    /// <exception cref="TinctorException">The training was started with other settings.</exception>
    public static string[]? TrainCommand(RunConfig config, string run, string[] more)
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

    /// <summary>Writes the tables over all seeds, and pictures of the first.</summary>
    /// <param name="seeds">Seeds that were evaluated.</param>
    /// <param name="failed">Names of failed jobs.</param>
    /// <param name="subject">Subject of the study, for the caption.</param>
    public void Conclude(ulong[] seeds, IReadOnlyCollection<string> failed, string subject)
    {
        var table = new StudyTable([.. Models.Select(model => (model.Key, model.Title))],
            [.. seeds.Select(seed => (seed, Path.Combine(Root(seed), "report", "metrics.json")))]);
        string caption = $"{subject}, {pairs.InSplit("test").Count} test pairs, "
            + (seeds.Length == 1 ? $"seed {seeds[0]}" : $"mean over {seeds.Length} seeds ± standard deviation")
            + (failed.Count > 0 ? $"; without {string.Join(", ", failed.Order())}" : "");
        table.Write(Folder, caption);
        StudyModel[] shown = [.. Finished(seeds[0], failed)];
        WritePictures(seeds[0], shown, Path.Combine(Folder, "examples.png"));
        Terminal.Result($"\n{caption}\n");
        Terminal.Out.Write(File.ReadAllText(Path.Combine(Folder, "table.md")));
        Terminal.Result($"\ntable: {Path.Combine(Folder, "table.md")}, .csv (by seed), .tex");
        Terminal.Result($"as in papers: {Path.Combine(Folder, "table1.md")}; by label: {Path.Combine(Folder, "labels.md")}; "
            + $"paired tests: {Path.Combine(Folder, "comparisons.md")} (each also .csv and .tex)");
        Terminal.Result(
            $"pictures: {Path.Combine(Folder, "examples.png")} (source, real, {string.Join(", ", shown.Select(model => model.Key))})");
    }

    // Pictures cover every label before any label twice.
    private void WritePictures(ulong seed, StudyModel[] models, string path)
    {
        string[] names = [.. pairs.InSplit("test").GroupBy(pair => pair.Label).OrderBy(group => group.Key)
            .SelectMany(group => group.Select((pair, i) => (pair.Name, Place: i))).OrderBy(pair => pair.Place).Take(8)
                .Select(pair => pair.Name)];
        string[] columns = [Path.Combine(DataFolder, "source"), Path.Combine(DataFolder, "target"),
            .. models.Select(m => Stained(seed, m))];
        ContactSheet.Render([.. names.Select(name => (IReadOnlyList<string>)[.. columns.Select(column => Find(column, name))])])
            .Write(path);

        static string Find(string where, string name) => Directory.GetFiles(where, name + ".*").First();
    }

    private static string JobName(ulong seed, StudyModel model) => $"{model.Key}-seed{seed}";

    private string Root(ulong seed) => Path.Combine(Folder, $"seed{seed}");

    private string Stained(ulong seed, StudyModel model) => Path.Combine(Root(seed), model.Key, "stained");

    private DataConfig Settled(DataConfig data) => data with { Path = Manifest, Direction = "AtoB", TestSlides = [], ValSlides = [] };

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
