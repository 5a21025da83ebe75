using System.CommandLine;
using Tinctor.Staining.Classification;
using Tinctor.Staining.Networks;
using Tinctor.Staining.Training;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train classifier</c>: trains a classifier of labelled images.</summary>
internal static class TrainClassifierCommand
{
    private const string Description = """
        Train a classifier of labelled images, such as the HER2 level of an IHC image. The test split is never opened; one fold of the
        slides is held out to choose the best weights by.

        Examples:
          tinctor train classifier --data pairs --out runs/judge --role evaluator --seed 1 --fold 1
          tinctor train classifier --data pairs --out runs/other --role comparator --arch resnet50 --weights resnet50-0676ba61.pth
          tinctor train classifier --data levels --out runs/levels                   folders levels/0, levels/1+, ... or levels/train/0, ...
          tinctor train classifier --out runs/judge --resume                         after Ctrl-C, a crash or a power cut
        """;

    // Each option is a short name of a setting, which says what is allowed.
    private static readonly (Option<string?> Option, string Key)[] Settings =
    [
        Setting("--data", "DIR", "data.path", "Folder or manifest of labelled pairs, or folder with a folder for each class"),
        Setting("--side", "SIDE", "side", "Which image of a pair is classified: target (default) or source"),
        Setting("--slides", "REGEX", "data.slide_pattern", "Finds the slide in a file name, where no manifest tells: '^[0-9]+'"),
        Setting("--arch", "NAME", "architecture", $"{string.Join(" or ", ResNet.Architectures)}; the first is the default"),
        Setting("--weights", "FILE", "weights", "Weights to start from: torchvision's, .pth or .safetensors (default: random)"),
        Setting("--role", "ROLE", "role", "comparator or evaluator: kept in the card"),
        Setting("--fold", "K", "data.fold", "Fold that is held out, from 0 (default 0)"),
        Setting("--folds", "N", "data.folds", "Folds that the slides are dealt to (default 5); 1 holds nothing out"),
        Setting("--epochs", "N", "training.epochs", "How often each image is seen (default 20)"),
        Setting("--steps", "N", "training.steps", "Train for so many steps, whatever the epochs say"),
        Setting("--image-size", "PIXELS", "data.image_size", "Resize images to so many pixels square (default 512; 0: as they are)"),
        Setting("--crop", "PIXELS", "data.crop_size", "See crops of so many pixels (default 0: whole images)"),
        Setting("--batch-size", "N", "training.batch_size", "Images a step (default 16)"),
        Setting("--lr", "RATE", "training.lr", "AdamW's learning rate (default 1e-4)"),
        Setting("--schedule", "NAME", "training.schedule", "cosine (default) or constant learning rate"),
        Setting("--class-weights", "NAME", "class_weights", "balanced (default) or none"),
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
        var command = new Command("classifier", Description) { Out, Set, Amp, ThreadCount, Resume };
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
            ? SupervisedTrainer.Resume<ClassifierConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(ConfigFile.Read<ClassifierConfig>(null, Overrides(parse)), run, observer, cancel),
            "train classifier");
        if (code == 0) PrintValidation(run);
        return code;
    }

    private static void PrintValidation(string run)
    {
        ClassifierCard card = SupervisedModel.ReadCard<ClassifierCard>(run, ClassifierCard.ClassifierKind);
        if (card.StartingWeights is { } start)
            Console.WriteLine($"started from {start.File} ({start.Published}){(start.Note is null ? "" : $"; {start.Note}")}");
        if (card.Validation is not { } validation) return;
        Console.WriteLine(FormattableString.Invariant(
            $"fold {card.Training.Fold}, step {card.Training.BestStep}: accuracy {validation.Accuracy:F4}, ")
            + FormattableString.Invariant($"quadratic kappa {validation.QuadraticKappa:F4}; rows are true, columns predicted"));
        Console.WriteLine(validation);
    }

    // --set has the last word.
    private static IEnumerable<string> Overrides(ParseResult parse)
    {
        foreach ((Option<string?> option, string key) in Settings)
            if (parse.GetValue(option) is string value)
                yield return $"{key}={(key is "data.path" or "weights" ? Path.GetFullPath(value) : value)}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(Set) ?? []) yield return setting;
    }

    private static (Option<string?>, string) Setting(string name, string value, string key, string description) =>
        (new(name) { Description = description, HelpName = value }, key);
}
