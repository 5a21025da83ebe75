using System.CommandLine;
using Tinctor.Training;
using Tinctor.Training.Configuration;
using Tinctor.Training.Contrastive;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train ceff-encoder</c>: trains CEFF's two encoders.</summary>
internal static class TrainCeffEncoderCommand
{
    private const string Description = """
        Train the encoders of CEFF by contrastive learning (InfoNCE), for 'tinctor train ceff --encoders'.
        The test split is never read; one fold of the slides is held out to select the best weights by retrieval accuracy.

        Examples:
          tinctor train ceff-encoder --data BCI -o runs/encoders                           the paper's settings
          tinctor train ceff-encoder --data pairs -o runs/encoders --crop-size 128 --set ngf=16 --set feature_dim=256 --epochs 100
          tinctor train ceff-encoder --data BCI -o runs/encoders --chunk 8                  a batch of 64 in the memory of 8
          tinctor train ceff-encoder -o runs/encoders --resume                              after Ctrl-C, a crash or a power cut
        """;

    private static readonly SupervisedCommand Options = new(
    [
        ("--data", "DIR", "data.path", "Folder or manifest of pairs"),
        ("--slide-pattern", "REGEX", "data.slide_pattern", "Regular expression that finds the slide in a file name, as in ^[0-9]+"),
        ("--fold", "K", "data.fold", "Held-out fold, from 0 [default: 0]"),
        ("--folds", "N", "data.folds", "Number of folds; 1 holds nothing out [default: 5]"),
        ("--epochs", "N", "training.epochs", "Number of epochs [default: 300]"),
        ("--steps", "N", "training.steps", "Number of training steps, instead of epochs"),
        ("--crop-size", "PX", "data.crop_size", "Side of the training patches; 0 for whole images [default: 256]"),
        ("--batch-size", "N", "training.batch_size", "Pairs per step; each is a negative of the others [default: 64]"),
        ("--chunk", "N", "chunk", "Pairs in memory at a time; same gradients, less memory; 0 for all [default: 0]"),
        ("--both-ways", "BOOL", "both_ways", "true: IHC images are queries too [default: false]"),
        ("--learning-rate", "RATE", "training.lr", "Learning rate of Adam [default: 2e-4]"),
        ("--seed", "N", "seed", "Random seed [default: 0]"),
        ("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto [default: auto]"),
    ], "data.path");

    public static Command Create() => Options.Create("ceff-encoder", Description, Run);

    private static int Run(string run, IReadOnlyList<string>? overrides, CancellationToken cancel) =>
        TrainCommand.Watch(run, observer => overrides is null
            ? SupervisedTrainer.Resume<EncoderConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(ConfigFile.Read<EncoderConfig>(null, overrides), run, observer, cancel),
            "train ceff-encoder");
}
