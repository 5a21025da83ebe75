using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Staining.Inference;
using Tinctor.Staining.Methods;
using Tinctor.Staining.Methods.Ceff;
using Tinctor.Staining.Methods.Pix2Pix;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor import</c>: checkpoints of the official repositories become model folders.</summary>
internal static class ImportCommand
{
    private const string Pix2PixDescription = """
        Turn a generator of the official pix2pix/CycleGAN repository into a model folder. The architecture is read off the weights.

        Examples:
          tinctor import pix2pix latest_net_G.pth -o my-model
          tinctor import pix2pix latest_net_G_A.pth -o my-model --statistics batch   as the official test script without --eval
        """;

    private const string CeffDescription = """
        Turn a generator of the official CEFF repository into a model folder. The widths are read off the weights.

        Examples:
          tinctor import ceff latest_net_G.pth -o my-model
          tinctor import ceff latest_net_G.pth -o my-model --statistics batch        as the official test script without --eval
        """;

    private static readonly Argument<string> Checkpoint = new("checkpoint") { Description = "A .pth file, such as latest_net_G.pth" };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "The model folder to write", HelpName = "MODEL", Required = true };

    private static readonly Option<string> Statistics = new("--statistics")
    {
        Description = "running: normalise with the statistics of training (test.py --eval); "
            + "batch: with those of each image (test.py's default)",
        DefaultValueFactory = _ => "running",
    };

    public static Command Create()
    {
        Statistics.AcceptOnlyFromAmong("running", "batch");
        return new Command("import", "Turn a checkpoint of an official repository into a model folder.")
        {
            Of("pix2pix", Pix2PixDescription, Pix2PixImport.Read), Of("ceff", CeffDescription, CeffImport.Read),
        };
    }

    private static Command Of(string method, string description, Func<string, string, ImportedModel> read)
    {
        var command = new Command(method, description) { Checkpoint, Out, Statistics };
        command.SetAction(parse =>
            Import(parse.GetRequiredValue(Checkpoint), parse.GetRequiredValue(Out), read, parse.GetRequiredValue(Statistics)));
        return command;
    }

    private static int Import(string checkpoint, string folder, Func<string, string, ImportedModel> read, string statistics)
    {
        ImportedModel import = read(checkpoint, statistics);
        string card = string.Create(CultureInfo.InvariantCulture, $"""
            # {import.Config.Method}: imported generator

            | | |
            |---|---|
            | Method | {import.Config.Method} |
            | Imported from | {Path.GetFileName(checkpoint)}, {DateTime.UtcNow:yyyy-MM-dd} |
            | Architecture | {import.Description} |
            | Training data | not stated in the checkpoint |
            | Licence of the weights | not stated in the checkpoint: add it before passing the model on |

            **Research use only, not for diagnosis.**

            """);
        ModelFolder.Write(folder, import.Config, import.Weights, card);
        foreach (string note in import.Notes) AnsiConsole.MarkupLineInterpolated($"[dim]{note}[/]");
        AnsiConsole.MarkupLineInterpolated($"{import.Description}");
        AnsiConsole.MarkupLineInterpolated($"model: {Path.GetFullPath(folder)}");
        return 0;
    }
}
