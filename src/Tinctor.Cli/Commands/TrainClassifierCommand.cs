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
        Train a classifier of labelled images, such as the HER2 level of an IHC image. The test split is never read; one fold of the
        slides is held out to select the best weights.

        Examples:
          tinctor train classifier --data pairs -o runs/judge --role evaluator --half b
          tinctor train classifier --data pairs -o runs/other --role comparator --half a --arch resnet50 --weights resnet50-0676ba61.pth
          tinctor train classifier --data levels -o runs/levels                   folders levels/0, levels/1+, ... or levels/train/0, ...
          tinctor train classifier -o runs/judge --resume                         after Ctrl-C, a crash or a power cut
        """;

    // Each option is a short name of a setting, which states the range.
    private static readonly SupervisedCommand Options = new(
    [
        ("--data", "DIR", "data.path", "Folder or manifest of labelled pairs, or folder with a folder for each class"),
        ("--side", "SIDE", "side", "Image of a pair that is classified: target or source [default: target]"),
        ("--slide-pattern", "REGEX", "data.slide_pattern", "Regular expression that finds the slide in a file name, as in ^[0-9]+"),
        ("--arch", "NAME", "architecture", $"{Words.List(ResNet.Architectures)} [default: {ResNet.Architectures[0]}]"),
        ("--weights", "FILE", "weights", "Initial weights of torchvision, .pth or .safetensors [default: random]"),
        ("--role", "ROLE", "role", "Role in the model card: comparator or evaluator"),
        ("--half", "a|b", "data.half", "Half of the slides to train on; evaluator and comparator take different ones [default: all]"),
        ("--fold", "K", "data.fold", "Held-out fold, from 0 [default: 0]"),
        ("--folds", "N", "data.folds", "Number of folds; 1 holds nothing out [default: 5]"),
        ("--epochs", "N", "training.epochs", "Number of epochs [default: 20]"),
        ("--steps", "N", "training.steps", "Number of training steps, instead of epochs"),
        ("--image-size", "PX", "data.image_size", "Side to which images are resized; 0 keeps their size [default: 512]"),
        ("--crop-size", "PX", "data.crop_size", "Side of the training crops; 0 for whole images [default: 0]"),
        ("--batch-size", "N", "training.batch_size", "Images per step [default: 16]"),
        ("--learning-rate", "RATE", "training.lr", "Learning rate of AdamW [default: 1e-4]"),
        ("--schedule", "NAME", "training.schedule", "Learning rate schedule: cosine or constant [default: cosine]"),
        ("--class-weights", "NAME", "class_weights", "Class weights: balanced or none [default: balanced]"),
        ("--seed", "N", "seed", "Random seed [default: 0]"),
        ("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto [default: auto]"),
    ], "data.path", "weights");

    public static Command Create() => Options.Create("classifier", Description, Run);

    private static int Run(string run, IReadOnlyList<string>? overrides, CancellationToken cancel)
    {
        int code = TrainCommand.Watch(run, observer => overrides is null
            ? SupervisedTrainer.Resume<ClassifierConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(ConfigFile.Read<ClassifierConfig>(null, overrides), run, observer, cancel),
            "train classifier");
        if (code == 0 && !TrainingDisplay.IsSilent) PrintValidation(run);
        return code;
    }

    private static void PrintValidation(string run)
    {
        ClassifierCard card = SupervisedModel.ReadCard<ClassifierCard>(run, ClassifierCard.ClassifierKind);
        if (card.StartingWeights is { } start)
            Terminal.Result($"started from {start.File} ({start.Published}){(start.Note is null ? "" : $"; {start.Note}")}");
        if (card.Validation is not { } validation) return;
        Terminal.Result(FormattableString.Invariant(
            $"fold {card.Training.Fold}, step {card.Training.BestStep}: accuracy {validation.Accuracy:F4}, ")
            + FormattableString.Invariant($"quadratic kappa {validation.QuadraticKappa:F4}; rows are true, columns predicted"));
        Terminal.Result(validation.ToString());
    }
}
