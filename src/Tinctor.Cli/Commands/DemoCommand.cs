using System.CommandLine;
using System.Diagnostics;
using Spectre.Console;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor demo</c>: the main job from end to end on synthetic slides, each step a command that a user would type.</summary>
internal static class DemoCommand
{
    private const string Description = """
        Run the main job on synthetic slides: make them, register and cut them, train a small model, stain slides that it has not seen, evaluate.
        Takes some minutes on two cores. When it is cut short, the same command goes on where it was.

        Examples:
          tinctor demo
          tinctor demo -o my-demo --seed 7
          tinctor demo --steps 6000        a better model, in more time
        """;

    private static readonly Option<string> Out = new("--out", "-o") { Description = "Folder for everything", HelpName = "DIR", DefaultValueFactory = _ => "demo" };
    private static readonly Option<ulong> Seed = new("--seed") { Description = "Other slides and another start", HelpName = "N" };
    private static readonly Option<int> Steps = new("--steps") { Description = "Training steps", HelpName = "N", DefaultValueFactory = _ => 1000 };

    public static Command Create()
    {
        var command = new Command("demo", Description) { Out, Seed, Steps };
        command.SetAction((parse, cancel) => Run(parse, cancel));
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = parse.GetRequiredValue(Out);
        string slides = Path.Combine(folder, "slides"), pairs = Path.Combine(folder, "pairs"), run = Path.Combine(folder, "run");
        string stained = Path.Combine(folder, "stained"), report = Path.Combine(folder, "report"), manifest = Path.Combine(pairs, "manifest.csv");
        string seed = $"{parse.GetValue(Seed)}";
        var watch = Stopwatch.StartNew();

        var steps = new (string title, string[]? arguments)[]
        {
            ("Make slides: one tissue in H&E and HER2, the second one shifted, turned and stretched a little",
                ["phantom", "-o", slides, "--slides", "12", "--level", "3+", "--size", "768x768", "--misalign", "8", "--test", "0.25", "--val", "0.1", "--seed", seed]),
            // The manifest is written last: where it is, the tiles are there.
            ("Register the stains onto each other and cut them into tiles",
                File.Exists(manifest) ? null : ["pair", Path.Combine(slides, "manifest.csv"), "-o", pairs, "--transform", "affine", "--channel", "haematoxylin", "--stride", "240", "--force"]),
            ("Train a small pix2pix",
                File.Exists(Path.Combine(run, "config.yaml")) ? ["train", "--out", run, "--resume"]
                    : ["train", "pix2pix", "--data", manifest, "--out", run, "--steps", $"{parse.GetValue(Steps)}", "--seed", seed, .. SmallModel]),
            ("Stain the slides that were held out", ["stain", run, manifest, "--split", "test", "-o", stained]),
            ("Compare with the real stain, and with two trivial answers",
                ["evaluate", "--stained", stained, "--real", Path.Combine(pairs, "target"), "--source", Path.Combine(pairs, "source"), "--labels", manifest,
                    "--run", run, "--title", "Tinctor demo: H&E to HER2", "-o", report]),
        };
        int code = await CommandSteps.Run(parse, steps, cancel);
        if (code != 0) return code;
        Conclude(folder, run, stained, report, watch.Elapsed);
        return 0;
    }

    private static string[] SmallModel =>
    [
        "--set", "model.generator=unet_128", "--set", "model.ngf=24", "--set", "model.ndf=16", "--set", "model.gan_mode=lsgan",
        "--set", "model.dropout=false", "--set", "model.lr=0.001", "--set", "data.rotate=true", "--set", "data.crop_size=128", "--set", "training.batch_size=4",
        "--set", "training.checkpoint_every=250", "--set", "training.ema=0.99",
    ];

    private static void Conclude(string folder, string run, string stained, string report, TimeSpan time)
    {
        AnsiConsole.MarkupLineInterpolated($"\n[bold]Done in {time:m\\:ss} minutes.[/]");
        AnsiConsole.MarkupLineInterpolated($"  stained images   {Path.GetFullPath(stained)}");
        AnsiConsole.MarkupLineInterpolated($"  report           {Path.GetFullPath(Path.Combine(report, "report.html"))}");
        AnsiConsole.MarkupLineInterpolated($"  training         {Path.GetFullPath(run)} (metrics.csv, samples/, TensorBoard events)");
        AnsiConsole.MarkupLine("\nWith data of your own:");
        AnsiConsole.MarkupLine("  ./tinctor pair MY_HE_FOLDER MY_IHC_FOLDER -o pairs --transform affine --test 0.2 --slide \"^[[^_]]+\"");
        AnsiConsole.MarkupLine("  ./tinctor train pix2pix --data pairs/manifest.csv --out runs/first");
        AnsiConsole.MarkupLineInterpolated($"  ./tinctor stain {Path.Combine(folder, "run")} MY_IMAGES -o stained");
        AnsiConsole.MarkupLine("[dim]Research use only, not for diagnosis.[/]");
    }
}
