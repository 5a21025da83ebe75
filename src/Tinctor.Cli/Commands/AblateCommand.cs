using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Evaluation.Report;
using Tinctor.Slides;
using Tinctor.Staining.Data;
using Tinctor.Staining.Training;
using Tinctor.Torch.Serialization;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor ablate METHOD</c>: trains a method and the variants of its paper's ablation study, and tabulates them.</summary>
internal static class AblateCommand
{
    private const string Full = "full";

    private const string Description = """
        Run the ablation study of a method's paper: train the full method and its variants (and other methods, to compare), each from the
        same seeds and with the same data and budget; stain the test pairs; evaluate; write the table. A study that was cut short goes on
        when the same command is given again.

        Examples:
          tinctor ablate derestainer --data BCI --comparator runs/comparator --classifier runs/judge -o study     Table 1b of the paper
          tinctor ablate derestainer --data pairs/manifest.csv --seeds 0,1,2 --peers pix2pix --config small.yaml -o study
          tinctor ablate derestainer --data pairs/manifest.csv --variants full,without_dab --steps 2000 -o study
          tinctor ablate ceff --data BCI --encoders runs/encoders -o study                                        Table 2 of the paper
          tinctor ablate derestainer ... --seeds 2 --variants without_dab --only-train     one job of many; without the option for the table
        """;

    private static readonly Argument<string> MethodName = new("method") { Description = $"One of: {string.Join(", ", Ablated)}" };
    private static readonly Option<string> Data =
        new("--data") { Description = "Folder or manifest of pairs, with test pairs", HelpName = "DIR", Required = true };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "The study's folder", HelpName = "DIR", Required = true };
    private static readonly Option<string?> Config =
        new("--config") { Description = "YAML file of the full method's settings", HelpName = "FILE" };
    private static readonly Option<string[]> Set = new("--set")
    {
        Description = "Override one setting of the full method and its variants, as in model.ngf=32; may be given often",
        HelpName = "KEY=VALUE",
    };
    private static readonly Option<string?> Comparator =
        new("--comparator") { Description = "Classifier whose features the training compares", HelpName = "DIR" };
    private static readonly Option<string?> Encoders =
        new("--encoders") { Description = "Encoders that guide the generator and weight the loss (ceff)", HelpName = "DIR" };
    private static readonly Option<string?> Classifier = new("--classifier")
    {
        Description = "Another classifier, trained apart, that judges the labels of stained images",
        HelpName = "DIR",
    };
    private static readonly Option<string> Library =
        new("--label-library") { Description = "As of 'tinctor evaluate'", HelpName = "IMAGES", DefaultValueFactory = _ => "auto" };
    private static readonly Option<ulong[]> Seeds = new("--seeds")
    {
        Description = "One training each, as in 0,1,2",
        HelpName = "N,N",
        DefaultValueFactory = _ => [0],
        CustomParser = result => [.. Items(result.Tokens.Select(token => token.Value)).Select(item =>
        {
            if (!ulong.TryParse(item, NumberStyles.None, CultureInfo.InvariantCulture, out ulong seed))
                result.AddError($"--seeds {item}: write whole numbers, as in 0,1,2");
            return seed;
        })],
    };
    private static readonly Option<string[]> Variants = new("--variants")
    {
        Description = "Only these variants or other methods, as in full,pix2pix; by default the variants of the paper's table",
        HelpName = "NAMES",
        CustomParser = result => [.. Items(result.Tokens.Select(token => token.Value))],
    };
    private static readonly Option<string[]> Peers = new("--peers")
    {
        Description = $"Other methods to compare with: {string.Join(", ", RunConfig.Methods.Keys)}",
        HelpName = "METHODS",
        CustomParser = result => [.. Items(result.Tokens.Select(token => token.Value))],
    };
    private static readonly Option<string[]> PeerSet = new("--peer-set")
    {
        Description = "Override one setting of the other methods, whose data and training settings are those of the full method",
        HelpName = "KEY=VALUE",
    };
    private static readonly Option<int?> Steps = new("--steps") { Description = "Steps of each training", HelpName = "N" };
    private static readonly Option<bool> OnlyTrain = new("--only-train")
    {
        Description = "Train and stain, without evaluating: jobs that run at the same time may share the study's folder",
    };
    private static readonly Option<string?> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto (default)", HelpName = "DEVICE" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    private static IEnumerable<string> Ablated =>
        RunConfig.Methods.Where(method => method.Value.Model.Ablations.Count > 0).Select(method => method.Key);

    public static Command Create()
    {
        MethodName.AcceptOnlyFromAmong([.. Ablated]);
        var command = new Command("ablate", Description)
        {
            MethodName, Data, Out, Config, Set, Comparator, Encoders, Classifier, Library, Seeds, Variants, Peers, PeerSet, Steps,
            OnlyTrain, Device, Amp, ThreadCount,
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = Path.GetFullPath(parse.GetRequiredValue(Out)), method = parse.GetRequiredValue(MethodName);
        RunConfig full = ConfigFile.Load(parse.GetValue(Config), method, Overrides(parse));
        PairManifest pairs = TrainingData.Read(full.Data, full.Seed, full.Model.Upscaling, cancel).Manifest;
        if (pairs.OfSplit("test").Count == 0)
            throw new InvalidDataException($"{full.Data.Path}: has no test pairs ({pairs.Describe()}); a study is judged by them");
        string data = Path.Combine(folder, "data");
        WriteData(pairs, data, cancel);
        DataConfig settled = full.Data with { Path = Path.Combine(data, "pairs.csv"), Direction = "AtoB", TestSlides = [], ValSlides = [] };
        full = full with { Data = settled };

        ulong[] seeds = parse.GetRequiredValue(Seeds);
        Variant[] variants = [.. Chosen(parse, full)];
        List<(string, string[]?)> steps = [.. seeds.SelectMany(seed => StepsOf(parse, seed, variants, data, folder))];
        int code = await CommandSteps.Run(parse, steps, cancel);
        if (code != 0 || parse.GetValue(OnlyTrain)) return code;
        Conclude(variants, seeds, pairs, folder);
        return 0;
    }

    // Options are short names of settings; --set has the last word.
    private static IEnumerable<string> Overrides(ParseResult parse)
    {
        yield return $"data.path={Path.GetFullPath(parse.GetRequiredValue(Data))}";
        if (parse.GetValue(Comparator) is string comparator) yield return $"model.comparator.path={Path.GetFullPath(comparator)}";
        if (parse.GetValue(Encoders) is string encoders) yield return $"model.encoders.path={Path.GetFullPath(encoders)}";
        if (parse.GetValue(Steps) is int steps) yield return $"training.steps={steps}";
        if (parse.GetValue(Device) is string device) yield return $"training.device={device}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(Set) ?? []) yield return setting;
    }

    // The full method, what leaves something out, and the peers; each with all of its settings.
    private static IEnumerable<Variant> Chosen(ParseResult parse, RunConfig full)
    {
        string[] others = [.. RunConfig.Methods.Keys.Where(name => name != full.Method)], asked = parse.GetValue(Variants) ?? [];
        string[] peers = [.. (parse.GetValue(Peers) ?? []).Union(asked.Intersect(others))];
        string text = ConfigFile.Write(full);
        string shared = ConfigFile.Write(new Dictionary<string, object> { ["data"] = full.Data, ["training"] = full.Training });
        Variant[] own =
        [
            new(Full, $"{full.Method} (full)", full),
            .. full.Model.Ablations.Select(ablation =>
                new Variant(ablation.Key, ablation.Title, ConfigFile.LoadText(text, full.Method, ablation.Settings), ablation.Published)),
        ];
        string[] keys = [.. own.Select(variant => variant.Key)];
        if (asked.Except(keys).Except(others).FirstOrDefault() is string unknown)
            throw new InvalidDataException($"--variants {unknown}: {full.Method} has {string.Join(", ", keys)}");
        if (peers.Except(others).FirstOrDefault() is string stranger)
            throw new InvalidDataException($"--peers {stranger}: one of {string.Join(", ", others)}");
        return own.Where(variant => asked.Length == 0 ? variant.Published : asked.Contains(variant.Key))
            .Concat(peers.Select(peer => new Variant(peer, peer, ConfigFile.LoadText(shared, peer, parse.GetValue(PeerSet) ?? []))));
    }

    private static IEnumerable<(string, string[]?)> StepsOf(
        ParseResult parse, ulong seed, Variant[] variants, string data, string folder)
    {
        string root = Path.Combine(folder, $"seed{seed}"), manifest = Path.Combine(data, "pairs.csv");
        string[] threads = parse.GetValue(ThreadCount) is > 0 and int n ? ["--threads", $"{n}"] : [];
        string[] device = parse.GetValue(Device) is string name ? ["--device", name] : [];
        foreach (Variant variant in variants)
        {
            string run = Path.Combine(root, variant.Key, "run");
            RunConfig config = variant.Config with { Seed = seed };
            yield return ($"{variant.Title}, seed {seed}: train", Train(config, run, threads));
            yield return ($"{variant.Title}, seed {seed}: stain the test pairs",
                ["stain", run, manifest, "--split", "test", "-o", Stained(root, variant), .. device, .. threads]);
        }
        if (parse.GetValue(OnlyTrain)) yield break;
        IEnumerable<string> stained = variants.SelectMany(v => new[] { "--stained", $"{v.Key}={Stained(root, v)}" });
        yield return ($"seed {seed}: evaluate", ["evaluate", .. stained,
            "--real", Path.Combine(data, "target"), "--source", Path.Combine(data, "source"), "--labels", manifest,
            .. Judge(parse), "--title", $"{variants[0].Config.Method}: ablation, seed {seed}", "-o", Path.Combine(root, "report")]);
    }

    private static IEnumerable<string> Judge(ParseResult parse)
    {
        if (parse.GetValue(Classifier) is not string classifier) return [];
        string[] comparator = parse.GetValue(Comparator) is string named ? ["--comparator", named] : [];
        return ["--classifier", classifier, .. comparator, "--label-library", parse.GetRequiredValue(Library)];
    }

    // Null for a run that has finished; one that was begun goes on, if its settings are still the same.
    private static string[]? Train(RunConfig config, string run, string[] threads)
    {
        string file = Path.Combine(Path.GetDirectoryName(run)!, "settings.yaml"), settings = ConfigFile.Write(config);
        bool begun = File.Exists(Path.Combine(run, "config.yaml"));
        if (begun && File.ReadAllText(file) != settings)
            throw new InvalidDataException($"{file}: this variant was begun with other settings; repeat the command of its start, "
                + $"choose another folder, or remove {Path.GetDirectoryName(run)}");
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        AtomicFile.WriteText(file, settings);
        return !begun ? ["train", config.Method, "--config", file, "--out", run, .. threads]
            : RunFolder.Open(run).HasModel ? null : ["train", "--out", run, "--resume", .. threads];
    }

    private static string Stained(string root, Variant variant) => Path.Combine(root, variant.Key, "stained");

    // One layout for all: links to the files, or images cut out of files that hold both.
    private static void WriteData(PairManifest manifest, string folder, CancellationToken cancel)
    {
        if (manifest.Pairs.GroupBy(pair => pair.Name).FirstOrDefault(group => group.Count() > 1) is { } same)
            throw new InvalidDataException($"{string.Join(" and ", same.Select(pair => pair.Source))}: have the same name; rename them");
        string sources = Path.Combine(folder, "source"), targets = Path.Combine(folder, "target");
        Directory.CreateDirectory(sources);
        Directory.CreateDirectory(targets);
        var pairs = new List<Pair>();
        foreach (Pair pair in manifest.Pairs)
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
                (Image left, Image right) = PairedDataset.ReadPair(pair);
                left.Write(source);
                right.Write(target);
            }
            pairs.Add(pair with { Source = source, Target = target, Layout = PairLayout.TwoFiles });
        }
        ManifestFile.Write(Path.Combine(folder, "pairs.csv"), pairs);
    }

    // Another job of the study may make the same link at the same time.
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

    private static void Conclude(Variant[] variants, ulong[] seeds, PairManifest pairs, string folder)
    {
        var table = new AblationTable([.. variants.Select(v => (v.Key, v.Title))],
            [.. seeds.Select(seed => (seed, Path.Combine(folder, $"seed{seed}", "report", "metrics.json")))]);
        string caption = $"Ablation of {variants[0].Config.Method}, {pairs.OfSplit("test").Count} test pairs, "
            + (seeds.Length == 1 ? $"seed {seeds[0]}" : $"mean over {seeds.Length} seeds ± standard deviation");
        table.Write(folder, caption);
        // One field of each label says more than many of one.
        string[] names = [.. pairs.OfSplit("test").GroupBy(pair => pair.Label).OrderBy(group => group.Key).Take(8)
            .Select(group => group.First().Name)];
        string data = Path.Combine(folder, "data"), root = Path.Combine(folder, $"seed{seeds[0]}");
        string[] columns = [Path.Combine(data, "source"), Path.Combine(data, "target"), .. variants.Select(v => Stained(root, v))];
        string Find(string where, string name) => Directory.GetFiles(where, name + ".*").First();
        ContactSheet.Of([.. names.Select(name => (IReadOnlyList<string>)[.. columns.Select(column => Find(column, name))])])
            .Write(Path.Combine(folder, "examples.png"));

        AnsiConsole.WriteLine($"\n{caption}\n");
        Console.Write(File.ReadAllText(Path.Combine(folder, "table.md")));
        AnsiConsole.WriteLine($"\ntable: {Path.Combine(folder, "table.md")}, .csv (by seed), .tex");
        AnsiConsole.WriteLine(
            $"pictures: {Path.Combine(folder, "examples.png")} (source, real, {string.Join(", ", variants.Select(v => v.Key))})");
    }

    private static IEnumerable<string> Items(IEnumerable<string> values) =>
        values.SelectMany(value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));

    /// <summary>One training of the study.</summary>
    /// <param name="Key">Its name in files.</param>
    /// <param name="Title">Its name in the table.</param>
    /// <param name="Config">All of its settings.</param>
    /// <param name="Published">Whether it is trained unless others are named.</param>
    private sealed record Variant(string Key, string Title, RunConfig Config, bool Published = true);
}
