using System.CommandLine;
using Tinctor.Training;
using Tinctor.Training.Classification;
using Tinctor.Training.Configuration;
using Tinctor.Training.Networks;
using Tinctor.Training.Supervised;

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
    private static readonly SupervisedCommand Options = new(
    [
        ("--data", "DIR", "data.path", "Folder or manifest of labelled pairs, or folder with a folder for each class"),
        ("--side", "SIDE", "side", "Which image of a pair is classified: target (default) or source"),
        ("--slides", "REGEX", "data.slide_pattern", "Finds the slide in a file name, where no manifest tells: '^[0-9]+'"),
        ("--arch", "NAME", "architecture", $"{string.Join(" or ", ResNet.Architectures)}; the first is the default"),
        ("--weights", "FILE", "weights", "Weights to start from: torchvision's, .pth or .safetensors (default: random)"),
        ("--role", "ROLE", "role", "comparator or evaluator: kept in the card"),
        ("--fold", "K", "data.fold", "Fold that is held out, from 0 (default 0)"),
        ("--folds", "N", "data.folds", "Folds that the slides are dealt to (default 5); 1 holds nothing out"),
        ("--epochs", "N", "training.epochs", "How often each image is seen (default 20)"),
        ("--steps", "N", "training.steps", "Train for so many steps, whatever the epochs say"),
        ("--image-size", "PIXELS", "data.image_size", "Resize images to so many pixels square (default 512; 0: as they are)"),
        ("--crop", "PIXELS", "data.crop_size", "See crops of so many pixels (default 0: whole images)"),
        ("--batch-size", "N", "training.batch_size", "Images a step (default 16)"),
        ("--lr", "RATE", "training.lr", "AdamW's learning rate (default 1e-4)"),
        ("--schedule", "NAME", "training.schedule", "cosine (default) or constant learning rate"),
        ("--class-weights", "NAME", "class_weights", "balanced (default) or none"),
        ("--seed", "N", "seed", "Start of all random choices (default 0)"),
        ("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto (default)"),
    ], "data.path", "weights");

    public static Command Create() => Options.Create("classifier", Description, Run);

    private static int Run(string run, IReadOnlyList<string>? overrides, CancellationToken cancel)
    {
        int code = TrainCommand.Watch(run, observer => overrides is null
            ? SupervisedTrainer.Resume<ClassifierConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(ConfigFile.Read<ClassifierConfig>(null, overrides), run, observer, cancel),
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
}
