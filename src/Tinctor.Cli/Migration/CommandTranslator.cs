using System.Globalization;
using Tinctor.Training.Configuration;

namespace Tinctor.Cli.Migration;

/// <summary>Translates a command line of an official repository.</summary>
internal sealed class CommandTranslator
{
    private const string EncoderCommand = "ceff-encoder", EncoderPrefix = "encoder";

    // Options of train that are short names of settings.
    private static readonly Dictionary<string, string> ShortNames = new()
    {
        ["training.batch_size"] = "--batch-size",
        ["data.crop_size"] = "--crop-size",
        ["model.lr"] = "--learning-rate",
        ["training.lr"] = "--learning-rate",
    };

    private readonly LaunchLine line;
    private readonly OfficialRepository repository;
    private readonly OfficialModel model;
    private readonly OfficialFlag[] flags;
    private readonly GivenFlags given;
    private readonly List<string> notes = [], warnings = [];

    private CommandTranslator(LaunchLine line, OfficialRepository repository, OfficialModel model)
    {
        (this.line, this.repository, this.model) = (line, repository, model);
        flags = [.. model.Flags, .. repository.Flags];
        given = line.Parse(flags);
    }

    /// <summary>Translates a command line.</summary>
    /// <param name="line">The command line.</param>
    /// <param name="from">Key of its repository; null for the first that fits.</param>
    /// <exception cref="TinctorException">No repository has the model, or the data set is not named.</exception>
    public static MigratedCommand Translate(LaunchLine line, string? from)
    {
        (OfficialRepository Repository, OfficialModel Model, int Unknown)[] fits =
        [
            .. OfficialRepository.All.Where(each => from is null || each.Key == from)
                .SelectMany(each => Fit(line, each)).OrderBy(fit => fit.Unknown),
        ];
        if (fits.Length == 0) throw UnknownModel(line, from);
        var translator = new CommandTranslator(line, fits[0].Repository, fits[0].Model);
        string[] others = [.. fits.Skip(1).Where(fit => fit.Unknown == fits[0].Unknown && fit.Model.Command != fits[0].Model.Command)
            .Select(fit => fit.Repository.Key).Distinct()];
        if (others.Length > 0)
            translator.notes.Add($"taken as a command of {fits[0].Repository.Address}; --from {Words.List(others)} for another repository");
        return translator.Run();
    }

    private static IEnumerable<(OfficialRepository Repository, OfficialModel Model, int Unknown)> Fit(
        LaunchLine line, OfficialRepository repository)
    {
        OfficialFlag[] all = [.. repository.Models.SelectMany(each => each.Flags), .. repository.Flags];
        GivenFlags given = line.Parse(all);
        string name = given.Values.GetValueOrDefault("model") ?? repository.Models[0].Name;
        string mode = (given.Values.GetValueOrDefault("CUT_mode") ?? "cut").ToLowerInvariant();
        OfficialModel? model = repository.Models.FirstOrDefault(each => each.Name == name && (each.Mode ?? mode) == mode);
        if (model is null) yield break;
        OfficialFlag[] flags = [.. model.Flags, .. repository.Flags];
        given = line.Parse(flags);
        int unavailable = flags.Count(flag => flag.Effect == FlagEffect.Setting && flag.Values is not null
            && given.Values.TryGetValue(flag.Name, out string? value) && !flag.Values.ContainsKey(value));
        yield return (repository, model, given.Unknown.Count + unavailable);
    }

    private static TinctorException UnknownModel(LaunchLine line, string? from)
    {
        OfficialRepository[] candidates = [.. OfficialRepository.All.Where(each => from is null || each.Key == from)];
        string? name = line.Parse(candidates[0].Flags).Values.GetValueOrDefault("model");
        return new($"--model {name}: not available here. Models of these repositories are "
            + Words.List(candidates.SelectMany(each => each.Models).Select(each => each.Name).Distinct()));
    }

    private MigratedCommand Run()
    {
        string[] arguments = line.IsTest ? [.. Stain()] : Given("continue_train") == "True" ? [.. Resume()] : [.. Train()];
        foreach (IGrouping<string, OfficialFlag> group in GivenBy(FlagEffect.None).GroupBy(flag => flag.Ours))
            notes.Add($"no effect: {Join(group)} ({group.Key})");
        foreach (IGrouping<string, OfficialFlag> group in GivenBy(FlagEffect.Missing).GroupBy(flag => flag.Ours))
            warnings.Add($"not available: {Join(group)} ({group.Key})");
        if (given.Unknown.Count > 0)
            warnings.Add($"{repository.Address} has no flag {Words.List(given.Unknown)}; it is not in the command");
        return new(arguments, notes, warnings);
    }

    private IEnumerable<string> Train()
    {
        if (model.Command is not { } command)
            throw new TinctorException($"--model {model.Name} has no training. Name the model with which it was trained");
        if (!SettingsCatalog.Names.Contains(command))
            throw new TinctorException($"--model {model.Name}: the method {command} is not available here");
        foreach (string word in (string[])["train", command, "--data", DataRoot(), "-o", RunFolder()]) yield return word;
        string? start = Given("load_pretrain") ?? (Given("pretrained_name") is { } name ? Join(Value("checkpoints_dir")!, name) : null);
        if (start is not null)
        {
            yield return "--start-from";
            yield return Trimmed(start);
        }
        if (Value("dataset_name") is { } encoders && command != EncoderCommand)
        {
            yield return "--encoders";
            yield return Join(Value("checkpoints_dir")!, EncoderPrefix + encoders);
        }
        foreach (string word in Device()) yield return word;
        foreach (string word in Settings(command)) yield return word;
        notes.AddRange(flags.Where(flag => flag.NoteWithout is not null && !IsGiven(flag.Name)).Select(flag => flag.NoteWithout!));
    }

    private IEnumerable<string> Resume()
    {
        string[] unneeded = [.. given.Values.Keys.Except(["continue_train", "name", "checkpoints_dir", "suffix"])];
        if (unneeded.Length > 0) notes.Add("the run resumes with the settings in its config.yaml");
        return ["train", .. model.Command == EncoderCommand ? (string[])[EncoderCommand] : [], "-o", RunFolder(), "--resume"];
    }

    private IEnumerable<string> Stain()
    {
        if (GivenBy(FlagEffect.Setting).ToArray() is { Length: > 0 } stored)
            notes.Add($"the model folder has these settings: {Join(stored)}");
        notes.Add("a checkpoint of the official code is imported first: tinctor import METHOD latest_net_G.pth -o MODEL");
        if (Value("norm") == "batch" && Given("eval") is null)
            notes.Add("without --eval, test.py normalises by the image itself; train with --set model.inference.statistics=batch");
        foreach (string word in (string[])["stain", RunFolder(), DataRoot()]) yield return word;
        if (model.Command is not null)
        {
            yield return "--split";
            yield return Given("phase") ?? "test";
        }
        yield return "-o";
        yield return Join(Value("results_dir")!, Name());
        foreach (string word in Device()) yield return word;
    }

    private IEnumerable<string> Settings(string command)
    {
        Dictionary<string, string> known = SettingsCatalog.List(command).ToDictionary(setting => setting.Key, setting => setting.Default);
        var settings = new OrderedDictionary<string, string>();
        foreach (OfficialFlag flag in flags.Where(flag => flag.Effect == FlagEffect.Setting)) Add(flag, command, known, settings);
        if (Given("unet_seg") is { } segmenter) settings["model.segmenter.path"] = $"pretrain/{segmenter}.pth";
        foreach (OfficialFlag flag in flags.Where(flag => flag.Implied.Count > 0)) AddImplied(flag, known, settings);
        foreach (string word in Epochs(command, settings, known)) yield return word;
        foreach ((string key, string value) in settings)
        {
            bool isShort = ShortNames.TryGetValue(key, out string? option);
            yield return isShort ? option! : "--set";
            yield return isShort ? value : $"{key}={value}";
        }
    }

    // A flag that was not given counts if the official value without it differs from the default here.
    private void Add(OfficialFlag flag, string command, Dictionary<string, string> known, OrderedDictionary<string, string> settings)
    {
        bool isGiven = IsGiven(flag.Name);
        if (Value(flag) is not { } official) return;
        if (flag.OnlyWith is var (other, needed) && !needed.Contains(Value(other)))
        {
            if (isGiven) notes.Add($"no effect: --{flag.Name} (only with --{other} {Words.List(needed)})");
            return;
        }
        string? value = flag.Values is null ? Plain(official) : flag.Values.GetValueOrDefault(official);
        if (value is null)
        {
            warnings.Add($"not available: --{flag.Name} {official} (expected {Words.List(flag.Values!.Keys)})");
            return;
        }
        if (KeyOf(flag.Ours, known) is not { } key)
        {
            if (isGiven && !(command == EncoderCommand && flag.Name == "n_epochs_decay"))
                warnings.Add($"not available: --{flag.Name} ({command} has no such setting)");
            return;
        }
        if ((!isGiven && IsEqual(known[key], value)) || (settings.ContainsKey(key) && !isGiven)) return;
        if (Refusal(command, key, value) is { } refusal) warnings.Add($"not available: --{flag.Name} {official} ({refusal})");
        else settings[key] = value;
    }

    private void AddImplied(OfficialFlag flag, Dictionary<string, string> known, OrderedDictionary<string, string> settings)
    {
        if (Value(flag) is not { } value) return;
        if (!flag.Implied.TryGetValue(value, out string[]? implied) && flag.Effect == FlagEffect.Option)
            warnings.Add($"not available: --{flag.Name} {value} (expected {Words.List(flag.Implied.Keys)})");
        foreach (string[] parts in (implied ?? []).Select(setting => setting.Split('=')))
            if (known.TryGetValue(parts[0], out string? present) && present != parts[1]) settings[parts[0]] = parts[1];
    }

    // The encoder's learning rate is a setting of its training, and its other settings are not those of a model.
    private static string? KeyOf(string key, Dictionary<string, string> known) =>
        new[] { key, key.Replace("model.", "training."), key.Replace("model.", "") }.FirstOrDefault(known.ContainsKey);

    private static string? Refusal(string command, string key, string value)
    {
        if (!RunConfig.Methods.ContainsKey(command)) return null;
        try
        {
            ConfigFile.Load(path: null, command, [$"{key}={value}"]);
            return null;
        }
        catch (TinctorException e)
        {
            // Another setting of the command may be needed for this one, such as the size of crops for that of images.
            return e.Option == key ? e.Message.TrimEnd('.') : null;
        }
    }

    // Both numbers of epochs, which --epochs sets if they are equal; the encoder has a constant rate.
    private IEnumerable<string> Epochs(string command, OrderedDictionary<string, string> settings, Dictionary<string, string> known)
    {
        const string full = "training.epochs", decay = "training.epochs_decay";
        if (!settings.ContainsKey(full) && !settings.ContainsKey(decay)) return [];
        string first = settings.GetValueOrDefault(full) ?? known[full];
        if (command == EncoderCommand)
        {
            settings.Remove(full);
            int all = int.Parse(first, CultureInfo.InvariantCulture)
                + int.Parse(Value("n_epochs_decay") ?? "0", CultureInfo.InvariantCulture);
            return ["--epochs", all.ToString(CultureInfo.InvariantCulture)];
        }
        if (first != (settings.GetValueOrDefault(decay) ?? known[decay])) return [];
        settings.Remove(full);
        settings.Remove(decay);
        return ["--epochs", first];
    }

    private IEnumerable<string> Device()
    {
        if (Given("gpu_ids") is not { } ids) return [];
        string[] devices = ids.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (devices.Length > 1) notes.Add($"--gpu_ids {ids}: one GPU is used");
        return devices is [] or ["0", ..] ? [] : ["--device", devices[0].StartsWith('-') ? "cpu" : $"cuda:{devices[0]}"];
    }

    private string DataRoot() => Value("dataroot") is { } root ? Trimmed(root)
        : throw new TinctorException("the command does not name the data: --dataroot is missing. Add --dataroot DIR to it");

    // The official code trains the encoders of CEFF in folder NAME, and reads them from encoderNAME.
    private string RunFolder() => Join(Value("checkpoints_dir")!, (model.Command == EncoderCommand ? EncoderPrefix : "") + Name());

    // Braces in the suffix hold names of flags.
    private string Name()
    {
        string name = Value("name")!;
        if (Given("suffix") is not { Length: > 0 } suffix) return name;
        foreach (OfficialFlag flag in flags) suffix = suffix.Replace($"{{{flag.Name}}}", Value(flag) ?? model.Name);
        return $"{name}_{suffix}";
    }

    private string? Value(string name) => flags.FirstOrDefault(flag => flag.Name == name) is { } flag ? Value(flag) : null;

    private string? Value(OfficialFlag flag) => Given(flag.Name) ?? model.Defaults.GetValueOrDefault(flag.Name) ?? flag.Default;

    private string? Given(string name) => given.Values.GetValueOrDefault(name);

    private bool IsGiven(string name) => given.Values.ContainsKey(name);

    private IEnumerable<OfficialFlag> GivenBy(FlagEffect effect) =>
        flags.Where(flag => flag.Effect == effect && IsGiven(flag.Name)).DistinctBy(flag => flag.Name);

    private static string Join(IEnumerable<OfficialFlag> flags) => string.Join(", ", flags.Select(flag => $"--{flag.Name}"));

    private static string Join(string folder, string name) => $"{Trimmed(folder)}/{name}";

    private static string Trimmed(string path)
    {
        string plain = path.StartsWith("./", StringComparison.Ordinal) && path.Length > 2 ? path[2..] : path;
        return plain.Length > 1 ? plain.TrimEnd('/') : plain;
    }

    // Lists without brackets, whole numbers without decimals.
    private static string Plain(string value) => string.Join(',', value.Trim('[', ']').Split(',', StringSplitOptions.TrimEntries)
        .Select(item => double.TryParse(item, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number.ToString(CultureInfo.InvariantCulture) : item));

    private static bool IsEqual(string a, string b) => a == b || Plain(a) == Plain(b);
}
