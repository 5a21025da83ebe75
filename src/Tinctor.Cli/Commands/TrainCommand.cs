using System.CommandLine;
using Spectre.Console;
using Tinctor.Training;
using Tinctor.Training.Configuration;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor train METHOD</c>: trains a model on pairs.</summary>
internal static class TrainCommand
{
    private const string Description = """
        Train a model on pairs. The run folder holds everything that is needed to look at the run, to go on with it, and to repeat it.

        Examples:
          tinctor train pix2pix --data pairs --out runs/first                        the paper's settings
          tinctor train pix2pix --data pairs --out runs/small --steps 2000 --set model.ngf=32 --set model.generator=resnet_6blocks
          tinctor train --out runs/first --resume                                    after Ctrl-C, a crash or a power cut
          tinctor train pix2pix --config my.yaml --data BCI --out runs/bci --amp     settings from a file
          tinctor train derestainer --data BCI --comparator runs/levels --out runs/her2
        """;

    private static readonly Argument<string?> Method = new("method")
    {
        Description = $"One of: {string.Join(", ", RunConfig.Methods.Keys)}; with --resume the run folder knows it",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<string?> Data =
        new("--data") { Description = "Folder or manifest of pairs; its layout is recognised", HelpName = "DIR" };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "The run folder", HelpName = "RUN" };
    private static readonly Option<string?> Config =
        new("--config") { Description = "YAML file of settings; what it leaves out keeps its default", HelpName = "FILE" };
    private static readonly Option<string[]> Set =
        new("--set") { Description = "Override one setting, as in model.ngf=32; may be given often", HelpName = "KEY=VALUE" };
    private static readonly Option<int?> Epochs = new("--epochs")
    {
        Description = "Epochs at the full learning rate; as many follow in which it falls to zero, unless training.epochs_decay is set",
        HelpName = "N",
    };
    private static readonly Option<int?> Steps =
        new("--steps") { Description = "Train for so many steps, whatever the epochs say", HelpName = "N" };
    private static readonly Option<string?> Comparator = new("--comparator")
    {
        Description = "Classifier whose features the training compares (derestainer); see 'tinctor train classifier'",
        HelpName = "DIR",
    };
    private static readonly Option<string?> Encoders = new("--encoders")
    {
        Description = "Encoders that guide the generator and weight the loss (ceff); see 'tinctor train ceff-encoder'",
        HelpName = "DIR",
    };
    private static readonly Option<ulong?> Seed = new("--seed") { Description = "Start of all random choices (default 0)", HelpName = "N" };
    private static readonly Option<string?> Device =
        new("--device") { Description = "cpu, cuda, cuda:N or auto (default)", HelpName = "DEVICE" };
    private static readonly Option<bool> Amp = new("--amp") { Description = "Compute in bfloat16 where it suits" };
    private static readonly Option<int> ThreadCount = Threads.Option();
    private static readonly Option<bool> Resume = new("--resume") { Description = "Go on with the run in --out; needs no other option" };
    private static readonly Option<bool> Print = new("--print-config") { Description = "Print the resolved settings and stop" };

    public static Command Create()
    {
        Method.AcceptOnlyFromAmong([.. RunConfig.Methods.Keys]);
        var command = new Command("train", Description)
        {
            Method, Data, Out, Config, Set, Epochs, Steps, Comparator, Encoders, Seed, Device, Amp, ThreadCount, Resume,
            Print, TrainClassifierCommand.Create(), TrainSegmenterCommand.Create(),
            TrainCeffEncoderCommand.Create(),
        };
        command.Validators.Add(result =>
        {
            if (result.GetValue(Method) is null && !result.GetValue(Resume))
                result.AddError($"Say which method to train: tinctor train {RunConfig.Methods.Keys.First()} ...");
            if (result.GetValue(Out) is null && !result.GetValue(Print)) result.AddError("Name the run folder: --out RUN");
            // Silently ignored settings would be worse.
            Option[] settings = [Data, Config, Set, Epochs, Steps, Comparator, Encoders, Seed, Device, Amp, Print];
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
        string? run = parse.GetValue(Out);
        if (parse.GetValue(Resume)) return Watch(run!, observer => Trainer.Resume(run!, observer, cancel));
        RunConfig config = ConfigFile.Load(parse.GetValue(Config), parse.GetValue(Method), Overrides(parse));
        if (parse.GetValue(Print))
        {
            Console.Write(ConfigFile.Write(config));
            return 0;
        }
        return Watch(run!, observer => Trainer.Start(config, run!, observer, cancel));
    }

    // Options are short names of settings; --set has the last word.
    private static IEnumerable<string> Overrides(ParseResult parse)
    {
        if (parse.GetValue(Data) is string data) yield return $"data.path={Path.GetFullPath(data)}";
        if (parse.GetValue(Epochs) is int epochs)
        {
            yield return $"training.epochs={epochs}";
            yield return $"training.epochs_decay={epochs}";
        }
        if (parse.GetValue(Steps) is int steps) yield return $"training.steps={steps}";
        if (parse.GetValue(Encoders) is string encoders) yield return $"model.encoders.path={Path.GetFullPath(encoders)}";
        if (parse.GetValue(Comparator) is string comparator) yield return $"model.comparator.path={Path.GetFullPath(comparator)}";
        if (parse.GetValue(Seed) is ulong seed) yield return $"seed={seed}";
        if (parse.GetValue(Device) is string device) yield return $"training.device={device}";
        if (parse.GetValue(Amp)) yield return "training.amp=true";
        foreach (string setting in parse.GetValue(Set) ?? []) yield return setting;
    }

    /// <summary>Trains with a progress display and says how it ended; what the command and the demo both do.</summary>
    /// <param name="run">The run folder.</param>
    /// <param name="train">Trains.</param>
    /// <param name="command">The command that goes on with the run.</param>
    /// <returns>0 for a finished run, 130 for one that was asked to stop.</returns>
    public static int Watch(string run, Func<ITrainingObserver, TrainingResult> train, string command = "train")
    {
        TrainingResult result = TrainingDisplay.Show(train);
        if (!result.Finished)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]stopped after step {result.Steps}; everything is saved.[/] Go on with:");
            Console.WriteLine($"tinctor {command} --out {(run.Contains(' ') ? $"'{run}'" : run)} --resume");
            return 130;
        }
        if (result.Validation is string score) AnsiConsole.MarkupLineInterpolated($"validation {score}");
        Console.WriteLine($"model: {result.ModelFolder}");
        return 0;
    }
}
