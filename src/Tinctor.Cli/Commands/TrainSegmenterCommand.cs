using System.CommandLine;
using Tinctor.Training;
using Tinctor.Training.Configuration;
using Tinctor.Training.Segmentation;

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
    private static readonly SupervisedCommand Options = new(
    [
        ("--images", "DIR", "data.path", "Folder of images"),
        ("--masks", "DIR", "masks", "Folder of their masks, of the same names (PNG or TIFF); black is background"),
        ("--mask-suffix", "TEXT", "mask_suffix", "What the name of a mask has behind that of its image, as _labels"),
        ("--target", "NAME", "target", "nuclei (default; told apart one by one) or tissue"),
        ("--masks-are", "KIND", "masks_are", "binary, classes or instances (default: recognised)"),
        ("--foreground", "LIST", "foreground", "Numbers or colours that count, as 1,2 or '#ff0000' (default: all but black)"),
        ("--slides", "REGEX", "data.slide_pattern", "Finds the slide in a file name: '^[0-9]+'; folds are then dealt by slide"),
        ("--fold", "K", "data.fold", "Fold that is held out, from 0 (default 0)"),
        ("--folds", "N", "data.folds", "Folds that the slides (or images) are dealt to (default 5); 1 holds nothing out"),
        ("--crop", "PIXELS", "data.crop_size", "See crops of so many pixels (default 256; 0: whole images)"),
        ("--width", "N", "width", "Channels of the U-Net at full resolution (default 32)"),
        ("--depth", "N", "depth", "How often the U-Net halves the image (default 4)"),
        ("--epochs", "N", "training.epochs", "How often each image is seen (default 20)"),
        ("--steps", "N", "training.steps", "Train for so many steps, whatever the epochs say"),
        ("--batch-size", "N", "training.batch_size", "Images a step (default 16)"),
        ("--lr", "RATE", "training.lr", "AdamW's learning rate (default 1e-4)"),
        ("--seed", "N", "seed", "Start of all random choices (default 0)"),
        ("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto (default)"),
    ], "data.path", "masks");

    public static Command Create() => Options.Create("segmenter", Description, Run);

    private static int Run(string run, IReadOnlyList<string>? overrides, CancellationToken cancel)
    {
        int code = TrainCommand.Watch(run, observer => overrides is null
            ? SupervisedTrainer.Resume<SegmenterConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(Recognised(overrides, observer), run, observer, cancel), "train segmenter");
        if (code == 0) PrintValidation(Segmenter.ReadCard(run));
        return code;
    }

    private static SegmenterConfig Recognised(IReadOnlyList<string> overrides, ITrainingObserver observer)
    {
        SegmenterConfig config = ConfigFile.Read<SegmenterConfig>(null, overrides);
        if (config.Data.Path.Length == 0) throw new TinctorException("no images are named; give --images DIR");
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
}
