using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using Tinctor.Registration;
using Tinctor.Registration.Annotations;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Pairs;
using Tinctor.Registration.Slides;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor register</c>: finds where the tissue of one slide is in others.</summary>
internal static class RegisterCommand
{
    private const string Description = """
        Register sections: find where the tissue of SOURCE is in TARGET, from any rotation. Of more than two slides each is registered to
        the one before it, and brought onto the first. Writes NAME.json (the transform), its displacement, and pictures to look at; says
        whether it passed. What failed is not used by other commands.

        Examples:
          tinctor register he.svs her2.svs -o registered
          tinctor register he.svs her2.svs -o registered --warp             also the whole of her2, on he's pixels, as OME-TIFF
          tinctor register s1.ndpi s2.ndpi s3.ndpi -o stack                 s2 and s3 onto s1
          tinctor register he.svs her2.svs -o registered --mirror           her2 may lie face down
          tinctor register he.png af.tif -o registered --similarity MutualInformation
          tinctor register he.svs her2.svs -o registered --landmarks he.csv her2.csv     how far marked places are apart
        """;

    private static readonly Argument<string> Source = new("source") { Description = "The slide or image that stays" };
    private static readonly Argument<string[]> Targets =
        new("target") { Description = "What is brought onto it; several are consecutive sections", Arity = ArgumentArity.OneOrMore };
    private static readonly Option<string> Out =
        new("--out", "-o") { Description = "Folder for transforms and pictures", HelpName = "DIR", Required = true };
    private static readonly Option<TransformModel> Model = new("--transform")
    {
        Description = "What may differ: rigid, affine or nonrigid",
        DefaultValueFactory = _ => TransformModel.Nonrigid,
    };
    private static readonly Option<int> Size = new("--size")
    {
        Description = "Longer side in pixels at which slides are compared",
        HelpName = "PX",
        DefaultValueFactory = _ => new RegistrationOptions().Size,
    };
    private static readonly Option<double?> Mpp =
        AboveZero.Option("--mpp", "Micrometres per pixel at which they are compared, instead of --size");
    private static readonly Option<double?> SourceMpp =
        AboveZero.Option("--source-mpp", "Micrometres per pixel of the source, where its file is silent or wrong");
    private static readonly Option<double?> TargetMpp =
        AboveZero.Option("--target-mpp", "The same of the targets");
    private static readonly Option<bool> Mirror = new("--mirror", "--flips") { Description = "A target may lie face down" };
    private static readonly Option<StructureChannel?> Channel = new("--channel")
    {
        Description = "What is compared: grey (optical density), haematoxylin, or edges. Default: by what the slides are",
    };
    private static readonly Option<SimilarityMetric?> Measure = new("--similarity")
    {
        Description = "LocalNcc, GlobalNcc, GradientFields or MutualInformation. Default: LocalNcc of brightfield, "
            + "GradientFields of other pairs",
    };
    private static readonly Option<double> Stiffness = new("--stiffness")
    {
        Description = "How much a rough displacement counts against similarity (nonrigid)",
        DefaultValueFactory = _ => new RegistrationOptions().Stiffness,
    };
    private static readonly Option<string[]> Marks = new("--landmarks")
    {
        Description = "CSV files with X and Y in level-0 pixels of the source and of the target; for scoring alone",
        HelpName = "SOURCE.csv TARGET.csv",
        Arity = new ArgumentArity(2, 2),
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<bool> Write = new("--warp") { Description = "Write each target on the source's pixels: NAME.ome.tif" };
    private static readonly Option<bool> Force = new("--force") { Description = "With --warp: also where the registration failed" };
    private static readonly Option<bool> Overwrite = new("--overwrite") { Description = "Register again what is there already" };
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        var command = new Command("register", Description)
        {
            Source, Targets, Out, Model, Size, Mpp, SourceMpp, TargetMpp, Mirror, Channel, Measure, Stiffness, Marks, Write, Force,
            Overwrite, ThreadCount,
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        RegistrationOptions options = Options(parse);
        string folder = parse.GetRequiredValue(Out);
        string[] targets = parse.GetRequiredValue(Targets);
        RefuseSameNames(targets);
        if (parse.GetValue(Marks) is { Length: > 0 } && targets.Length > 1)
            throw new TinctorException("--landmarks: are of one target; register the targets one by one");
        LandmarkPair? landmarks = LandmarkPair.Read(parse.GetValue(Marks));
        string sourcePath = parse.GetRequiredValue(Source);
        using var source = Slide.Open(sourcePath, parse.GetValue(SourceMpp));
        RegistrationTransform? before = null;
        int failed = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            using var previous = i == 0 ? null : Slide.Open(targets[i - 1], parse.GetValue(TargetMpp));
            using var target = Slide.Open(targets[i], parse.GetValue(TargetMpp));
            string path = Path.Combine(folder, SlideMatching.NameOf(targets[i]) + ".json");
            RegistrationTransform transform = Estimated(path, previous ?? source, target, before, options, parse.GetValue(Overwrite));
            WritePictures(path, transform, source, target, parse.GetValue(Overwrite));
            Report(path, transform, options, landmarks);
            if (!transform.Quality.Passed) failed++;
            if (parse.GetValue(Write) && (transform.Quality.Passed || parse.GetValue(Force)))
                WriteWarped(Path.ChangeExtension(path, ".ome.tif"), transform, target, parse.GetValue(Overwrite), cancel);
            cancel.ThrowIfCancellationRequested();
            before = transform;
        }
        return failed == 0 ? 0 : 1;
    }

    private static RegistrationOptions Options(ParseResult parse)
    {
        var options = new RegistrationOptions
        {
            Transform = parse.GetValue(Model),
            Size = parse.GetValue(Size),
            Mpp = parse.GetValue(Mpp),
            Mirror = parse.GetValue(Mirror),
            Channel = parse.GetValue(Channel),
            Similarity = parse.GetValue(Measure),
            Stiffness = parse.GetValue(Stiffness),
        };
        options.Validate();
        return options;
    }

    private static void RefuseSameNames(string[] targets)
    {
        if (targets.GroupBy(SlideMatching.NameOf).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new TinctorException(
                $"{string.Join(" and ", twice)} would both be written to {twice.Key}.json; register them into folders of their own");
    }

    // What is there already is read.
    private static RegistrationTransform Estimated(string path, Slide previous, Slide target, RegistrationTransform? before, RegistrationOptions options,
        bool overwrite)
    {
        if (File.Exists(path) && !overwrite)
        {
            AnsiConsole.MarkupLineInterpolated($"[dim]{path} is there already; --overwrite registers again[/]");
            RegistrationTransform made = TransformFile.Read(path);
            return (made.Target.Width, made.Target.Height) == (target.Width, target.Height) ? made
                : throw new TinctorException($"{path}: is of another slide of that name; choose another folder, or --overwrite");
        }
        RegistrationTransform step = Progress($"registering {Path.GetFileName(target.Path)}",
            progress => SlideRegistration.Estimate(previous, target, options, progress));
        RegistrationTransform transform = before is null ? step : step.After(before);
        TransformFile.Write(path, transform);
        return transform;
    }

    private static void WritePictures(string path, RegistrationTransform transform, Slide source, Slide target, bool overwrite)
    {
        string stem = Path.ChangeExtension(path, null), board = $"{stem}_checkerboard.png", outlines = $"{stem}_outlines.png";
        if (File.Exists(board) && File.Exists(outlines) && !overwrite) return;
        (Image checkerboard, Image lines) = RegistrationPictures.Draw(transform, source, target);
        checkerboard.Write(board);
        lines.Write(outlines);
    }

    private static void WriteWarped(string path, RegistrationTransform transform, Slide target, bool overwrite, CancellationToken cancel)
    {
        if (File.Exists(path) && !overwrite) return;
        Progress($"warping {Path.GetFileName(target.Path)}", progress =>
        {
            SlideWarp.Write(transform, target, path, progress: progress, cancel: cancel);
            return path;
        });
    }

    private static void Report(string path, RegistrationTransform transform, RegistrationOptions options, LandmarkPair? landmarks)
    {
        RegistrationQuality q = transform.Quality;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{path}: {(q.Passed ? "passed" : "FAILED")}; similarity {q.Similarity:0.000} ({q.AffineSimilarity:0.000} affine, "
            + $"{q.Distinctness:0} standard deviations above chance), overlap {q.Overlap:0%}, scale {q.Scale:0.000}, "
            + $"smallest Jacobian determinant {q.SmallestDeterminant:0.00}"));
        foreach (string reason in q.Reasons) Console.Error.WriteLine($"failed: {path}: {reason}");
        if (!q.Passed && RegistrationAdvice.For(options) is string advice) Console.Error.WriteLine(advice);
        if (landmarks is null) return;
        LandmarkError error = LandmarkError.Compute(transform, landmarks.Source, landmarks.Target);
        string unmatched = error.Unmatched > 0 ? $"; {error.Unmatched} landmarks without a partner are left out" : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{error.Count} landmarks: median rTRE {error.MedianRtre:0.00%} ({error.MedianTre:0.0} px), 90th percentile "
            + $"{error.Percentile90Rtre:0.00%}, largest {error.MaxRtre:0.00%}, median before registration {error.InitialMedianRtre:0.00%}; "
            + $"the error of {error.Robustness:0%} decreased{unmatched}"));
    }

    private static T Progress<T>(string doing, Func<IProgress<double>, T> work) => AnsiConsole.Progress()
        .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
        .Start(context => work(new TaskProgress(context.AddTask(Markup.Escape(doing), maxValue: 1))));

    /// <summary>Landmarks of source and target, read before the registration so that problems show at once.</summary>
    private sealed record LandmarkPair(IReadOnlyList<Landmark> Source, IReadOnlyList<Landmark> Target)
    {
        public static LandmarkPair? Read(string[]? paths)
        {
            if (paths is not [string source, string target]) return null;
            var pair = new LandmarkPair(LandmarkFile.Read(source), LandmarkFile.Read(target));
            LandmarkError.Match(pair.Source, pair.Target);
            return pair;
        }
    }
}
