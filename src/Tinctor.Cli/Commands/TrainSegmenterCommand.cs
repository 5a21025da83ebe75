using System.CommandLine;
using Tinctor.Staining.Segmentation;
using Tinctor.Staining.Training;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train segmenter</c>: trains a U-Net on images and masks.</summary>
internal static class TrainSegmenterCommand
{
    private const string Description = """
        Train a U-Net that finds nuclei or tissue, from images and masks of the same names. Masks may be binary, class labels or instance
        labels (numbers or colours); which they are is recognised. One fold of the slides is held out to choose the best weights by.

        Examples:
          tinctor train segmenter --images nuclei/images --masks nuclei/labels --out runs/nuclei
          tinctor train segmenter --images tiles --masks tissue --target tissue --slides '^[^_]+' --out runs/tissue
          tinctor train segmenter --images ihc --masks ihc_nuclei --foreground '#ff0000,#0000ff' --out runs/ihc-nuclei
          tinctor train segmenter --out runs/nuclei --resume                         after Ctrl-C, a crash or a power cut
        """;

    // Each option is a short name of a setting, which says what is allowed.
    private static readonly (Option<string?> Option, string Key)[] Settings =
    [
        Setting("--images", "DIR", "data.path", "Folder of images"),
        Setting("--masks", "DIR", "masks", "Folder of their masks, of the same names (PNG or TIFF); black is background"),
        Setting("--mask-suffix", "TEXT", "mask_suffix", "What the name of a mask has behind that of its image, as _labels"),
        Setting("--target", "NAME", "target", "nuclei (default; told apart one by one) or tissue"),
        Setting("--masks-are", "KIND", "masks_are", "binary, classes or instances (default: recognised)"),
        Setting("--foreground", "LIST", "foreground", "Numbers or colours that count, as 1,2 or '#ff0000' (default: all but black)"),
        Setting("--slides", "REGEX", "data.slide_pattern", "Finds the slide in a file name: '^[0-9]+'; folds are then dealt by slide"),
        Setting("--fold", "K", "data.fold", "Fold that is held out, from 0 (default 0)"),
        Setting("--folds", "N", "data.folds", "Folds that the slides (or images) are dealt to (default 5); 1 holds nothing out"),
        Setting("--crop", "PIXELS", "data.crop_size", "See crops of so many pixels (default 256; 0: whole images)"),
        Setting("--width", "N", "width", "Channels of the U-Net at full resolution (default 32)"),
        Setting("--depth", "N", "depth", "How often the U-Net halves the image (default 4)"),
        Setting("--epochs", "N", "training.epochs", "How often each image is seen (default 20)"),
        Setting("--steps", "N", "training.steps", "Train for so many steps, whatever the epochs say"),
        Setting("--batch-size", "N", "training.batch_size", "Images a step (default 16)"),
        Setting("--lr", "RATE", "training.lr", "AdamW's learning rate (default 1e-4)"),
        Setting("--seed", "N", "seed", "Start of all random choices (default 0)"),
        Setting("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto (default)"),
    ];

    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "The run folder", HelpName = "RUN", Required = true };
    private static readonly Option<string[]> Set =
        new("--set") { Description = "Override any other setting, as in data.stain_jitter=0; may be given often", HelpName = "KEY=VALUE" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();
    private static readonly Option<bool> Resume = new("--resume") { Description = "Go on with the run in --out; needs no other option" };

    public static Command Create()
    {
        var command = new Command("segmenter", Description) { Out, Set, Amp, ThreadCount, Resume };
        foreach ((Option<string?> option, _) in Settings) command.Add(option);
        command.Validators.Add(result =>
        {
            // Silently ignored settings would be worse.
            IEnumerable<Option> settings = [.. Settings.Select(setting => setting.Option), Set, Amp];
            if (result.GetValue(Resume)
                && settings.FirstOrDefault(option => result.GetResult(option) is { Implicit: false }) is { } given)
                result.AddError($"{given.Name} does not go with --resume: "
                    + "a run goes on with the settings in its config.yaml, which can be edited.");
        });
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        string run = parse.GetRequiredValue(Out);
        int code = TrainCommand.Watch(run, observer => parse.GetValue(Resume)
            ? SupervisedTrainer.Resume<SegmenterConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(Recognised(Overrides(parse), observer), run, observer, cancel), "train segmenter");
        if (code == 0) PrintValidation(Segmenter.ReadCard(run));
        return code;
    }

    private static SegmenterConfig Recognised(IEnumerable<string> overrides, ITrainingObserver observer)
    {
        SegmenterConfig config = ConfigFile.Read<SegmenterConfig>(null, overrides);
        if (config.Data.Path.Length == 0) throw new InvalidDataException("no images are named; give --images DIR");
        MaskFormat format = config.Format(config.ReadData().Pairs);
        observer.Note($"masks: {format.Describe()}");
        return config with { MasksAre = format.Kind };
    }

    private static void PrintValidation(SegmenterCard card)
    {
        if (card.Dice is not double dice) return;
        Console.WriteLine(FormattableString.Invariant($"fold {card.Training.Fold}, step {card.Training.BestStep}: ")
            + FormattableString.Invariant($"Dice {dice:F4}, precision {card.Precision:F4}, recall {card.Recall:F4}"));
    }

    // --set has the last word.
    private static IEnumerable<string> Overrides(ParseResult parse)
    {
        foreach ((Option<string?> option, string key) in Settings)
            if (parse.GetValue(option) is string value)
                yield return $"{key}={(key is "data.path" or "masks" ? Path.GetFullPath(value) : value)}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(Set) ?? []) yield return setting;
    }

    private static (Option<string?>, string) Setting(string name, string value, string key, string description) =>
        (new(name) { Description = description, HelpName = value }, key);
}
