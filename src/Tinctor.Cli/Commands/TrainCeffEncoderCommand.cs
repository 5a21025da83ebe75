using System.CommandLine;
using Tinctor.Training;
using Tinctor.Training.Configuration;
using Tinctor.Training.Contrastive;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train ceff-encoder</c>: trains CEFF's two encoders.</summary>
internal static class TrainCeffEncoderCommand
{
    private const string Description = """
        Train CEFF's encoders of H&E and of IHC images, so that those of a pair agree (InfoNCE). 'tinctor train ceff --encoders' needs
        them. The test split is never opened; one fold of the slides is held out to choose the best weights by: the share of its patches
        whose counterpart is found among all of them.

        Examples:
          tinctor train ceff-encoder --data BCI --out runs/encoders                           the paper's settings
          tinctor train ceff-encoder --data pairs --out runs/encoders --crop 128 --set ngf=16 --set feature_dim=256 --epochs 100
          tinctor train ceff-encoder --data BCI --out runs/encoders --chunk 8                  a batch of 64 in the memory of 8
          tinctor train ceff-encoder --out runs/encoders --resume                              after Ctrl-C, a crash or a power cut
        """;

    private static readonly SupervisedCommand Options = new(
    [
        ("--data", "DIR", "data.path", "Folder or manifest of pairs"),
        ("--slides", "REGEX", "data.slide_pattern", "Finds the slide in a file name, where no manifest tells: '^[0-9]+'"),
        ("--fold", "K", "data.fold", "Fold that is held out, from 0 (default 0)"),
        ("--folds", "N", "data.folds", "Folds that the slides are dealt to (default 5); 1 holds nothing out"),
        ("--epochs", "N", "training.epochs", "How often each pair is seen (default 300)"),
        ("--steps", "N", "training.steps", "Train for so many steps, whatever the epochs say"),
        ("--crop", "PIXELS", "data.crop_size", "See patches of so many pixels (default 256; 0: whole images)"),
        ("--batch-size", "N", "training.batch_size", "Pairs a step, each other's negatives (default 64)"),
        ("--chunk", "N", "chunk", "Pairs in memory at a time, with the gradients of the whole batch (default 0: all)"),
        ("--both-ways", "BOOL", "both_ways", "true: IHC images are queries too (default false)"),
        ("--lr", "RATE", "training.lr", "Adam's learning rate (default 2e-4)"),
        ("--seed", "N", "seed", "Start of all random choices (default 0)"),
        ("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto (default)"),
    ], "data.path");

    public static Command Create() => Options.Create("ceff-encoder", Description, Run);

    private static int Run(string run, IReadOnlyList<string>? overrides, CancellationToken cancel) =>
        TrainCommand.Watch(run, observer => overrides is null
            ? SupervisedTrainer.Resume<EncoderConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(ConfigFile.Read<EncoderConfig>(null, overrides), run, observer, cancel),
            "train ceff-encoder");
}
