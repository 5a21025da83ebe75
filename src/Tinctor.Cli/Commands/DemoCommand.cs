using System.CommandLine;
using System.Diagnostics;

namespace Tinctor.Cli.Commands;

/// <summary>
/// <c>tinctor demo</c>: runs the whole path from slides to report on synthetic slides, each step as the command that a user would type.
/// </summary>
internal static class DemoCommand
{
    private const string Description = """
        Run the whole workflow on synthetic slides: make, register and tile them, train a small model, stain held-out slides, evaluate.
        Takes some minutes on two cores. If it is interrupted, the same command resumes.

        Examples:
          tinctor demo
          tinctor demo -o my-demo --seed 7
          tinctor demo --steps 6000              a better model, in more time
        """;

    private static readonly Option<string> Output =
        new("--output", "-o") { Description = "Output folder", HelpName = "DIR", DefaultValueFactory = _ => "demo" };
    private static readonly Option<ulong> Seed =
        new("--seed") { Description = "Random seed of the slides and of the training", HelpName = "N", DefaultValueFactory = _ => 0 };
    private static readonly Option<int> Steps =
        new("--steps") { Description = "Training steps", HelpName = "N", DefaultValueFactory = _ => 1000 };

    public static Command Create()
    {
        var command = new Command("demo", Description) { Output, Seed, Steps };
        command.SetAction((parse, cancel) => Run(parse, cancel));
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = parse.GetRequiredValue(Output);
        string slides = Path.Combine(folder, "slides"), pairs = Path.Combine(folder, "pairs"), run = Path.Combine(folder, "run");
        string stained = Path.Combine(folder, "stained"), report = Path.Combine(folder, "report"),
            manifest = Path.Combine(pairs, "manifest.csv");
        string seed = $"{parse.GetValue(Seed)}";
        var watch = Stopwatch.StartNew();

        var steps = new (string title, string[]? arguments)[]
        {
            ("Make slides: the same tissue in H&E and in HER2, which is displaced",
                ["phantom", "-o", slides, "--slides", "12", "--level", "3+", "--size", "768x768", "--misalign", "8", "--test", "0.25",
                    "--val", "0.1", "--seed", seed]),
            // The manifest is written last, as the mark of a complete data set.
            ("Register the stains and cut tiles",
                File.Exists(manifest) ? null : ["pair", Path.Combine(slides, "manifest.csv"), "-o", pairs, "--transform", "affine",
                    "--channel", "haematoxylin", "--stride", "240", "--overwrite"]),
            ("Train a small pix2pix",
                File.Exists(Path.Combine(run, "config.yaml")) ? ["train", "--output", run, "--resume"]
                    : ["train", "pix2pix", "--data", manifest, "--output", run, "--steps", $"{parse.GetValue(Steps)}", "--seed", seed,
                        .. SmallModel]),
            ("Stain the held-out slides", ["stain", run, manifest, "--split", "test", "-o", stained]),
            ("Compare with the real stain and with trivial baselines",
                ["evaluate", "--stained", stained, "--real", Path.Combine(pairs, "target"), "--source", Path.Combine(pairs, "source"),
                    "--labels", manifest,
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
        "--set", "model.dropout=false", "--set", "model.lr=0.001", "--set", "data.rotate=true", "--set", "data.crop_size=128", "--set",
            "training.batch_size=4",
        "--set", "training.checkpoint_every=250", "--set", "training.ema=0.99",
    ];

    private static void Conclude(string folder, string run, string stained, string report, TimeSpan time)
    {
        Terminal.Result();
        Terminal.Result($"Done in {ProgressDisplay.Format(time)}.");
        Terminal.Result($"  stained images   {Path.GetFullPath(stained)}");
        Terminal.Result($"  report           {Path.GetFullPath(Path.Combine(report, "report.html"))}");
        Terminal.Result($"  training         {Path.GetFullPath(run)} (metrics.csv, samples/, TensorBoard events)");
        Terminal.Result();
        Terminal.Result("With your own data:");
        Terminal.Result("  tinctor pair HE_FOLDER IHC_FOLDER -o pairs --transform affine --test 0.2 --slide-pattern \"^[^_]+\"");
        Terminal.Result("  tinctor train pix2pix --data pairs/manifest.csv -o runs/first");
        Terminal.Result($"  tinctor stain {Path.Combine(folder, "run")} IMAGES -o stained");
        Terminal.Result("Research use only, not for diagnosis.");
    }
}
