using System.CommandLine;
using Tinctor.Training;
using Tinctor.Training.Configuration;
using Tinctor.Training.Segmentation;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train segmenter</c>: trains a U-Net on images and masks.</summary>
internal static class TrainSegmenterCommand
{
    private const string Description = """
        Train a U-Net that segments nuclei or tissue, from images and masks with the same names. Masks may be binary, class labels or
        instance labels (numbers or colours); their kind is recognised. One fold of the slides is held out to select the best weights.

        Examples:
          tinctor train segmenter --images nuclei/images --masks nuclei/labels -o runs/nuclei
          tinctor train segmenter --images tiles --masks tissue --target tissue --slide-pattern '^[^_]+' -o runs/tissue
          tinctor train segmenter --images tiles --masks classes --target tissue --classes 1=tumour,2=stroma -o runs/classes
          tinctor train segmenter --images ihc --masks ihc_nuclei --foreground '#ff0000,#0000ff' -o runs/ihc-nuclei
          tinctor train segmenter -o runs/nuclei --resume                         after Ctrl-C, a crash or a power cut
        """;

    // Each option is a short name of a setting, which states the range.
    private static readonly SupervisedCommand Options = new(
    [
        ("--images", "DIR", "data.path", "Folder of images"),
        ("--masks", "DIR", "masks", "Folder of masks with the same names (PNG or TIFF); black is background"),
        ("--mask-suffix", "TEXT", "mask_suffix", "Suffix of the names of masks, as in _labels"),
        ("--target", "NAME", "target", "nuclei (as instances) or tissue [default: nuclei]"),
        ("--masks-are", "KIND", "masks_are", "Kind of the masks: binary, classes or instances [default: detected]"),
        ("--foreground", "LIST", "foreground", "Foreground labels or colours, as in 1,2 or #ff0000 [default: all except black]"),
        ("--classes", "LIST", "classes", "Classes of tissue, as in 1=tumour,2=stroma [default: those of the masks and classes.csv]"),
        ("--slide-pattern", "REGEX", "data.slide_pattern",
            "Regular expression that finds the slide in a file name; folds are then by slide"),
        ("--fold", "K", "data.fold", "Held-out fold, from 0 [default: 0]"),
        ("--folds", "N", "data.folds", "Number of folds; 1 holds nothing out [default: 5]"),
        ("--crop-size", "PX", "data.crop_size", "Side of the training crops; 0 for whole images [default: 256]"),
        ("--width", "N", "width", "Channels of the U-Net at full resolution [default: 32]"),
        ("--depth", "N", "depth", "Downsampling stages of the U-Net [default: 4]"),
        ("--epochs", "N", "training.epochs", "Number of epochs [default: 20]"),
        ("--steps", "N", "training.steps", "Number of training steps, instead of epochs"),
        ("--batch-size", "N", "training.batch_size", "Images per step [default: 16]"),
        ("--learning-rate", "RATE", "training.lr", "Learning rate of AdamW [default: 1e-4]"),
        ("--seed", "N", "seed", "Random seed [default: 0]"),
        ("--device", "DEVICE", "training.device", "cpu, cuda, cuda:N or auto [default: auto]"),
    ], "data.path", "masks");

    public static Command Create() => Options.Create("segmenter", Description, Run);

    private static int Run(string run, IReadOnlyList<string>? overrides, CancellationToken cancel)
    {
        int code = TrainCommand.Watch(run, observer => overrides is null
            ? SupervisedTrainer.Resume<SegmenterConfig>(run, observer, cancel)
            : SupervisedTrainer.Start(WithDetectedMasks(overrides, observer), run, observer, cancel), "train segmenter");
        if (code == 0 && !TrainingDisplay.IsSilent) PrintValidation(Segmenter.ReadCard(run));
        return code;
    }

    private static SegmenterConfig WithDetectedMasks(IReadOnlyList<string> overrides, ITrainingObserver observer)
    {
        SegmenterConfig config = ConfigFile.Read<SegmenterConfig>(null, overrides);
        if (config.Data.Path.Length == 0) throw new TinctorException("no images are named. Name them (--images DIR).");
        config = config.WithDetectedMasks(out MaskFormat format);
        observer.Note($"masks: {format.Describe()}{(config.Classes.Count > 0 ? $"; classes: {string.Join(", ", config.Classes)}" : "")}");
        return config;
    }

    private static void PrintValidation(SegmenterCard card)
    {
        if (card.Dice is not double dice) return;
        Terminal.Result(FormattableString.Invariant($"fold {card.Training.Fold}, step {card.Training.BestStep}: ")
            + FormattableString.Invariant($"Dice {dice:F4}, precision {card.Precision:F4}, recall {card.Recall:F4}"));
        if (card.Classes is null) return;
        string[] scores = [.. card.Classes.Select(each => FormattableString.Invariant($"{each.Name} {each.F1:F4}"))];
        Terminal.Result(FormattableString.Invariant($"F1 of classes: {string.Join(", ", scores)}; mean {card.MacroF1:F4}"));
    }
}
