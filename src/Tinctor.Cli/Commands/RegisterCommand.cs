using System.CommandLine;
using System.Globalization;
using Tinctor.Evaluation.Report;
using Tinctor.Registration;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Slides;
using Tinctor.Slides;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor register</c>: registers slides to a source.</summary>
internal static class RegisterCommand
{
    private const string Description = """
        Register sections: find the tissue of SOURCE in TARGET, at any rotation. Several targets are consecutive sections: each is
        registered to the one before it, and mapped onto the source. Writes NAME.json (the transform), its displacement field, pictures
        and NAME.html (a page to check the registration). Other commands refuse transforms that failed the quality check.

        Examples:
          tinctor register he.svs her2.svs -o registered
          tinctor register he.svs her2.svs -o registered --warp             also writes her2 on the pixels of he, as OME-TIFF
          tinctor register s1.ndpi s2.ndpi s3.ndpi -o stack                 s2 and s3 onto s1
          tinctor register he.svs her2.svs -o registered --mirror           her2 may be mirrored
          tinctor register he.png af.tif -o registered --similarity mutual-information
          tinctor register he.svs her2.svs -o registered --landmarks he.csv her2.csv     measures the registration error
        """;

    private static readonly Argument<string> Source = new("source") { Description = "Fixed slide or image" };
    private static readonly Argument<string[]> Targets = new("target")
    {
        Description = "Slides that are mapped onto the source; several are consecutive sections",
        Arity = ArgumentArity.OneOrMore,
    };
    private static readonly Option<string> Output = CommonOptions.Output("Folder for transforms, pages and pictures");
    private static readonly Option<TransformModel> Model =
        Words.Option("--transform", "Transform model: fields of view use rigid or affine, whole slides nonrigid", TransformModel.Nonrigid);
    private static readonly Option<int> Size = new("--size")
    {
        Description = "Longer side of the images that are compared",
        HelpName = "PX",
        DefaultValueFactory = _ => new RegistrationOptions().Size,
    };
    private static readonly Option<double?> Mpp =
        CommonOptions.Above0("--work-mpp", "Pixel size of the images that are compared in micrometres, instead of --size");
    private static readonly Option<double?> SourceMpp =
        CommonOptions.Above0("--source-mpp", "Pixel size of the source in micrometres, if its metadata is missing or wrong");
    private static readonly Option<double?> TargetMpp =
        CommonOptions.Above0("--target-mpp", "Pixel size of the targets in micrometres, if their metadata is missing or wrong");
    private static readonly Option<bool> Mirror = new("--mirror") { Description = "Also try mirrored targets" };
    private static readonly Option<StructureChannel?> Channel =
        Words.Optional<StructureChannel>("--channel", "Image that is compared [default: by the kind of the slides]");
    private static readonly Option<SimilarityMetric?> Measure =
        Words.Optional<SimilarityMetric>("--similarity", "Similarity [default: local-ncc for brightfield, else gradient-fields]");
    private static readonly Option<double> Stiffness = new("--stiffness")
    {
        Description = "Weight of the smoothness of the displacement (nonrigid)",
        HelpName = "WEIGHT",
        DefaultValueFactory = _ => new RegistrationOptions().Stiffness,
    };
    private static readonly Option<string[]> Marks = new("--landmarks")
    {
        Description = "Landmarks of source and target, to measure the error: CSV or .pts with X and Y in level-0 pixels",
        HelpName = "SOURCE.csv TARGET.csv",
        Arity = new ArgumentArity(2, 2),
        AllowMultipleArgumentsPerToken = true,
    };
    private static readonly Option<bool> Write =
        new("--warp") { Description = "Write each target on the pixels of the source: NAME.ome.tif" };
    private static readonly Option<bool> AcceptFailed =
        new("--accept-failed") { Description = "With --warp: also warp if the registration failed its quality check" };
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();
    private static readonly Option<int> ThreadCount = Threads.Option();

    public static Command Create()
    {
        var command = new GroupedCommand("register", Description)
        {
            Source, Targets,
            { "Input", SourceMpp, TargetMpp, Marks },
            { "Output", Output, Write, AcceptFailed, CommonOptions.Viewer, Overwrite },
            { "Registration", Model, Channel, Measure, Mirror, Size, Mpp, Stiffness },
            { "Computation", ThreadCount },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        Threads.Use(parse.GetValue(ThreadCount));
        RegistrationOptions options = Options(parse);
        string folder = parse.GetRequiredValue(Output);
        string[] targets = parse.GetRequiredValue(Targets);
        RefuseSameNames(targets);
        if (parse.GetValue(Marks) is { Length: > 0 } && targets.Length > 1)
            throw new TinctorException(null, $"--landmarks are of one target, but {targets.Length} are given",
                "Register the targets one by one");
        LandmarkPair? landmarks = LandmarkPair.Read(parse.GetValue(Marks));
        using var source = Slide.Open(parse.GetRequiredValue(Source), parse.GetValue(SourceMpp));
        RegistrationTransform? before = null;
        int failed = 0;
        for (int i = 0; i < targets.Length; i++)
        {
            using var previous = i == 0 ? null : Slide.Open(targets[i - 1], parse.GetValue(TargetMpp));
            using var target = Slide.Open(targets[i], parse.GetValue(TargetMpp));
            string path = Path.Combine(folder, Slide.NameOf(targets[i]) + ".json");
            bool kept = ExistingResults.Keep(path, parse.GetValue(Overwrite));
            RegistrationTransform transform = kept ? Read(path, target) : Estimate(path, previous ?? source, target, before, options);
            LandmarkError? error = landmarks is null ? null : LandmarkError.Compute(transform, landmarks.Source, landmarks.Target);
            WritePictures(path, transform, source, target, error, kept, CommonOptions.ViewerOf(parse));
            Report(path, transform, options, error);
            if (!transform.IsUsable) failed++;
            if (parse.GetValue(Write) && (transform.IsUsable || parse.GetValue(AcceptFailed)))
                WriteWarped(Path.ChangeExtension(path, ".ome.tif"), transform, target, kept, cancel);
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
        if (targets.GroupBy(Slide.NameOf).FirstOrDefault(same => same.Count() > 1) is { } twice)
            throw new TinctorException(null, $"{string.Join(" and ", twice)} would both be written to {twice.Key}.json",
                "Register them into folders of their own");
    }

    private static RegistrationTransform Read(string path, Slide target)
    {
        RegistrationTransform transform = TransformFile.Read(path);
        return (transform.Target.Width, transform.Target.Height) == (target.Width, target.Height) ? transform
            : throw new TinctorException(path,
                $"the transform is for a target of {transform.Target.Width}x{transform.Target.Height} pixels, but "
                + $"{target.Path} has {target.Width}x{target.Height}", "Choose another folder, or replace it")
            { Option = nameof(Overwrite) };
    }

    private static RegistrationTransform Estimate(string path, Slide previous, Slide target, RegistrationTransform? before,
        RegistrationOptions options)
    {
        RegistrationTransform step = ProgressDisplay.Show($"registering {Path.GetFileName(target.Path)}",
            progress => SlideRegistration.Estimate(previous, target, options, progress));
        RegistrationTransform transform = before is null ? step : step.After(before);
        TransformFile.Write(path, transform);
        return transform;
    }

    // Those of a kept transform are completed, and its page gets the landmarks.
    private static void WritePictures(string path, RegistrationTransform transform, Slide source, Slide target, LandmarkError? error,
        bool kept, string? viewer)
    {
        string stem = Path.ChangeExtension(path, null), page = $"{stem}.html", board = $"{stem}_checkerboard.png",
            outlines = $"{stem}_outlines.png";
        if (kept && error is null && File.Exists(page) && File.Exists(board) && File.Exists(outlines)) return;
        RegistrationPictures pictures = RegistrationPictures.Draw(transform, source, target);
        pictures.Checkerboard.Write(board);
        pictures.Outlines.Write(outlines);
        AtomicFile.WriteText(page, RegistrationReport.Text(transform, pictures, error,
            ViewerLink.Create(viewer, source.Path, target.Path)));
    }

    private static void WriteWarped(string path, RegistrationTransform transform, Slide target, bool kept, CancellationToken cancel)
    {
        if (ExistingResults.Keep(path, overwrite: !kept)) return;
        ProgressDisplay.Show($"warping {Path.GetFileName(target.Path)}",
            progress => SlideWarp.Write(transform, target, path, progress: progress, cancel: cancel));
    }

    private static void Report(string path, RegistrationTransform transform, RegistrationOptions options, LandmarkError? error)
    {
        RegistrationQuality q = transform.Quality;
        Terminal.Result(string.Create(CultureInfo.InvariantCulture,
            $"{path}: {(transform.IsUsable ? "passed" : "FAILED")}; similarity {q.Similarity:0.000} ({q.AffineSimilarity:0.000} affine, "
            + $"{q.Distinctness:0} standard deviations above chance), overlap {q.Overlap:0%}, scale {q.Scale:0.000}, "
            + $"smallest Jacobian determinant {q.SmallestDeterminant:0.00}"));
        foreach (string reason in transform.Refusals) Terminal.Problem($"{path}: registration failed: {Errors.Sentence(reason)}");
        if (!transform.IsUsable && RegistrationAdvice.For(options) is string advice) Terminal.Note(advice);
        if (error is null) return;
        string unmatched = error.Unmatched > 0 ? $"; {error.Unmatched} landmarks without a partner are left out" : "";
        Terminal.Result(string.Create(CultureInfo.InvariantCulture,
            $"{error.Count} landmarks: median rTRE {error.MedianRtre:0.00%} ({error.MedianTre:0.0} px), 90th percentile "
            + $"{error.Percentile90Rtre:0.00%}, largest {error.MaxRtre:0.00%}, median before registration {error.InitialMedianRtre:0.00%}; "
            + $"the error of {error.Robustness:0%} decreased{unmatched}"));
    }

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
