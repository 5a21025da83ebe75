using System.CommandLine;
using System.Globalization;
using Tinctor.Cli.Ranks;
using Tinctor.Data;
using Tinctor.Training;
using Tinctor.Training.Configuration;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train METHOD</c>: trains a model on pairs.</summary>
internal static class TrainCommand
{
    private const string Description = """
        Train a model on pairs. The run folder holds everything that is needed to inspect, resume and repeat the run.
        'tinctor settings METHOD' lists all settings of a method, for --set and --config.

        Examples:
          tinctor train pix2pix --data pairs -o runs/first                           the paper's settings
          tinctor train pix2pix --data pairs -o runs/small --steps 2000 --set model.ngf=32 --set model.generator=resnet_6blocks
          tinctor train -o runs/first --resume                                       after Ctrl-C, a crash or a power cut
          tinctor train pix2pix --config my.yaml --data BCI -o runs/bci --amp        settings from a file
          tinctor train derestainer --data BCI --comparator runs/levels -o runs/her2
          tinctor train i2sb --data pairs -o runs/quick --steps 2000 --set model.ot_ode=true       no grain after short training
          tinctor train i2sb --data pairs -o runs/i2sb --batch-size 256 --microbatch 2
          tinctor train i2sb --data pairs -o runs/i2sb --start-from 256x256_diffusion_uncond.pt    ImageNet weights, as the authors do
          tinctor train pix2pix --data pairs -o runs/second --start-from runs/first
          tinctor train pix2pix --data HER2=MIST/HER2 --data Ki67=MIST/Ki67 -o runs/both    one model for several stains
          tinctor train pix2pix --data pairs -o runs/two --batch-size 4 --processes 2        also with torchrun, srun and mpirun
          tinctor train pix2pix --data pairs -o runs/best --set training.best=ssim --set training.best_pairs=0 --patience 10
        """;

    private static readonly Argument<string?> Method = new("method")
    {
        Description = "Staining method; not needed with --resume",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string[]> Data = new("--data")
    {
        Description = "Folder or manifest of pairs; the layout is detected. Repeat it for a pool of data sets, as in HER2=DIR",
        HelpName = "[NAME=]DIR",
    };
    private static readonly Option<string> Output = new("--output", "-o") { Description = "Run folder", HelpName = "DIR" };
    private static readonly Option<string?> Config =
        new("--config") { Description = "YAML file of settings; others keep their defaults", HelpName = "FILE" };
    private static readonly Option<string?> StartFrom = new("--start-from")
    {
        Description = "Weights to start with: a run, a model folder, a checkpoint of Tinctor or an official one (.pt, .pth)",
        HelpName = "PATH",
    };
    private static readonly Option<string[]> Set = SettingOption.Create("Change one setting, as in model.ngf=32; may be repeated");
    private static readonly Option<int?> Epochs =
        new("--epochs") { Description = "Epochs at the full learning rate, followed by as many with a linear decay", HelpName = "N" };
    private static readonly Option<int?> Steps =
        new("--steps") { Description = "Number of training steps, instead of epochs", HelpName = "N" };
    private static readonly Option<int?> BatchSize =
        new("--batch-size") { Description = "Pairs per step (training.batch_size)", HelpName = "N" };
    private static readonly Option<int?> Microbatch = new("--microbatch")
    {
        Description = "Pairs that pass through the networks at a time; gradients are accumulated over the batch (training.microbatch)",
        HelpName = "N",
    };
    private static readonly Option<int?> Patience = new("--patience")
    {
        Description = "Stop after N validations without an improvement of training.best (training.patience)",
        HelpName = "N",
    };
    private static readonly Option<int?> CropSize =
        new("--crop-size") { Description = "Side of the random crops of the target (data.crop_size)", HelpName = "PX" };
    private static readonly Option<double?> LearningRate = CommonOptions.Above0("--learning-rate", "Learning rate (model.lr)", "RATE");
    private static readonly Option<string?> Comparator =
        new("--comparator")
        {
            Description = "Classifier for the feature loss of derestainer ('tinctor train classifier')",
            HelpName = "DIR"
        };
    private static readonly Option<string?> Encoders =
        new("--encoders") { Description = "Encoders of ceff ('tinctor train ceff-encoder')", HelpName = "DIR" };
    private static readonly Option<ulong?> Seed = new("--seed") { Description = "Random seed [default: 0]", HelpName = "N" };
    private static readonly Option<string?> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto [default: auto]", HelpName = "DEVICE" };
    private static readonly Option<bool> Amp = CommonOptions.Amp();
    private static readonly Option<int> ThreadCount = Threads.Option();
    private static readonly TrainingRanks Ranks = new();
    private static readonly Option<bool> Resume =
        new("--resume") { Description = "Resume the run in the output folder with its own settings" };
    private static readonly Option<bool> Print = new("--print-config") { Description = "Print the resolved settings and stop" };

    public static Command Create()
    {
        Method.Among([.. RunConfig.Methods.Keys]);
        var command = new GroupedCommand("train", MethodNames.AddTo(Description, RunConfig.Methods.Keys))
        {
            Method,
            { "Input", Data, StartFrom },
            { "Output", Output, Resume },
            { "Settings", Config, Set, Steps, Epochs, BatchSize, Microbatch, CropSize, LearningRate, Patience, Seed, Comparator, Encoders,
                Print },
            { "Computation", [Device, Amp, ThreadCount, .. Ranks.Options] },
        };
        command.Add(TrainClassifierCommand.Create());
        command.Add(TrainSegmenterCommand.Create());
        command.Add(TrainCeffEncoderCommand.Create());
        command.Validators.Add(result =>
        {
            if (result.GetValue(Method) is null && !result.GetValue(Resume))
                result.AddError($"name the method: {Words.List(RunConfig.Methods.Keys)}");
            if (result.GetValue(Output) is null && !result.GetValue(Print)) result.AddError("name the run folder: -o DIR");
            // Settings must not be ignored silently.
            Option[] settings = [Data, StartFrom, Config, Set, Epochs, Steps, BatchSize, Microbatch, CropSize, LearningRate, Patience,
                Comparator, Encoders, Seed, Device, Amp, Print];
            if (result.GetValue(Resume)
                && settings.FirstOrDefault(option => result.GetResult(option) is { Implicit: false }) is { } given)
                result.AddError($"{given.Name} does not go with --resume: "
                    + "a run resumes with the settings in its config.yaml, which can be edited");
        });
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string? run = parse.GetValue(Output);
        if (parse.GetValue(Resume)) return Train(() => Watch(run!, observer => Trainer.Resume(run!, observer, cancel)));
        RunConfig config = ConfigFile.Load(parse.GetValue(Config), parse.GetValue(Method), Overrides(parse));
        if (parse.GetValue(Print))
        {
            Terminal.Out.Write(ConfigFile.Write(config));
            return 0;
        }
        return Train(() => Watch(run!, observer => Trainer.Start(config, run!, observer, cancel)));

        int Train(Func<int> train) => Ranks.Run(parse, parse.GetValue(ThreadCount), train, cancel);
    }

    // Options are short names of settings; --set overrides options.
    private static IEnumerable<string> Overrides(ParseResult parse)
    {
        string[] sets = [.. (parse.GetValue(Data) ?? []).Select(DatasetPool.WithFullPath)];
        if (sets.Length > 1 || (sets.Length == 1 && DatasetPool.Parse(sets[0]).Name is not null))
            yield return $"data.sets={string.Join(',', sets)}";
        else if (sets.Length == 1) yield return $"data.path={sets[0]}";
        if (parse.GetValue(StartFrom) is string start) yield return $"training.start_from.path={Path.GetFullPath(start)}";
        if (parse.GetValue(Epochs) is int epochs)
        {
            yield return $"training.epochs={epochs}";
            yield return $"training.epochs_decay={epochs}";
        }
        if (parse.GetValue(Steps) is int steps) yield return $"training.steps={steps}";
        if (parse.GetValue(BatchSize) is int batch) yield return $"training.batch_size={batch}";
        if (parse.GetValue(Microbatch) is int microbatch) yield return $"training.microbatch={microbatch}";
        if (parse.GetValue(Patience) is int patience) yield return $"training.patience={patience}";
        if (parse.GetValue(CropSize) is int crop) yield return $"data.crop_size={crop}";
        if (parse.GetValue(LearningRate) is double rate) yield return string.Create(CultureInfo.InvariantCulture, $"model.lr={rate}");
        if (parse.GetValue(Encoders) is string encoders) yield return $"model.encoders.path={Path.GetFullPath(encoders)}";
        if (parse.GetValue(Comparator) is string comparator) yield return $"model.comparator.path={Path.GetFullPath(comparator)}";
        if (parse.GetValue(Seed) is ulong seed) yield return $"seed={seed}";
        if (parse.GetValue(Device) is string device) yield return $"training.device={device}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(Set) ?? []) yield return setting;
    }

    /// <summary>Trains with a progress display and prints the result.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="train">Trains.</param>
    /// <param name="command">Command that resumes the run.</param>
    /// <returns>0 for a finished run, 130 for one that was asked to stop.</returns>
    public static int Watch(string run, Func<ITrainingObserver, TrainingResult> train, string command = "train")
    {
        TrainingResult result = TrainingDisplay.Show(train);
        if (TrainingDisplay.IsSilent) return result.Finished ? 0 : Errors.Cancelled;
        if (!result.Finished)
        {
            Terminal.Note($"Stopped after step {result.Steps}; everything is saved. Resume with:");
            Terminal.Result($"tinctor {command} -o {(run.Contains(' ') ? $"'{run}'" : run)} --resume");
            return Errors.Cancelled;
        }
        if (result.Validation is string score) Terminal.Result($"validation: {score}");
        Terminal.Result($"model: {result.ModelFolder}");
        return 0;
    }
}
