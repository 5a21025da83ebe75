using System.CommandLine;
using Tinctor.Data;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;
using Tinctor.Training;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor stain</c>: stains images with a trained model.</summary>
internal static class StainCommand
{
    private const string Description = """
        Stain images and whole slides with a model. Results keep the names of their sources; existing results are kept; problems are
        listed at the end. Slides (SVS, NDPI, DICOM, OME-TIFF, pyramids, very large images) are stained tile by tile at the model's pixel
        size, into OME-TIFF by default; an interrupted slide is resumed. Models that predict an IHC level (derestainer, bcistainer)
        write levels.csv.
        Diffusion bridges (bbdm, i2sb) are stochastic: --seed repeats a result, --samples measures its variation.
        Many processes, on one computer or several, share the slides of a folder with --shard, and one slide with --band.

        Examples:
          tinctor stain runs/first/model field.png -o stained
          tinctor stain runs/first slides/ more/*.tif -o stained --format tif
          tinctor stain my-model images/ -o stained --device cuda --amp
          tinctor stain my-model slide.svs -o stained
          tinctor stain my-model "slides/*.ndpi" -o stained --uncertainty       also an uncertainty map of each slide
          tinctor stain my-model slides.txt -o stained --tissue annotations/    a list of paths; tissue from QuPath
          tinctor stain runs/first pairs/manifest.csv --split test -o stained   the sources of a data set's test split
          tinctor stain runs/first field.png -o stained --best                  the checkpoint with the best validation score
          tinctor stain runs/both slide.svs -o stained --to HER2,Ki67           stained/HER2/slide.ome.tif, stained/Ki67/slide.ome.tif
          tinctor stain runs/bridge field.png -o stained --steps 10 --solver extrapolated --spacing angular --samples 5
          tinctor stain runs/bridge field.png -o stained --solver posterior --spacing even   less grain of a bridge after short training
          tinctor stain runs/bridge field.png -o stained --trajectory           the states between source and result
          tinctor stain my-model slides/ -o stained --shard 2/8                 the second of eight processes
          tinctor stain my-model slide.svs -o stained --band auto               a task of a Slurm array stains a band of the slide
          tinctor stain --status stained                                        which slides are done, running, failed or missing
        """;

    private static readonly Argument<string> Model = new("model") { Description = "Model folder, or the run folder of a finished run" };
    private static readonly Option<bool> Best = new("--best")
    {
        Description = "Use the run's best checkpoint (training.best) in place of the last weights; made once, in RUN/best",
    };
    private static readonly Argument<string[]> Inputs =
        ImageJobs.Inputs("Images and slides, folders of them, patterns, or a .txt file of paths");
    private static readonly Option<string?> Split =
        new("--split") { Description = "Stain the sources of this split; the inputs are data sets" };
    private static readonly Option<string> Channels = new("--channels")
    {
        Description = "Channels as they are, or rgb: convert grey and 16 bits to 8-bit RGB",
        HelpName = "same|rgb",
        DefaultValueFactory = _ => "same",
    };
    private static readonly Option<string> Output = CommonOptions.Output("Output folder");
    private static readonly Option<string[]> To = CommonOptions.Names("--to",
        "Stains of a model of several, as in HER2,Ki67; results are in a folder for each [default: all]", "STAIN");

    private static readonly Option<string?> Format =
        new("--format") { Description = "Output format; dzi for slides only [default: png for images, ome.tif for slides]" };
    private static readonly Option<int> Quality = ImageJobs.Quality();
    private static readonly Option<bool> Overwrite = CommonOptions.Overwrite();
    private static readonly StainerLoader Loader = new();

    public static Command Create()
    {
        Split.Among([.. PairManifest.Splits]);
        Channels.Among("same", "rgb");
        Format.Among("png", "jpg", "tif", "ome.tif", "dzi");
        var command = new GroupedCommand("stain", Description)
        {
            Model, Inputs,
            { "Input", [Best, Split, Channels, .. SlideOptions.Input] },
            { "Output", [Output, To, Format, Quality, .. SlideOptions.Output, CommonOptions.Viewer, Overwrite] },
            { "Tiling", SlideOptions.Tiling },
            { "Diffusion bridges", BridgeOptions.All },
            { "Many processes", FleetOptions.All },
            { "Computation", [SlideOptions.Orientations, .. Loader.Options] },
        };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel)));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = parse.GetRequiredValue(Output), model = parse.GetRequiredValue(Model);
        FleetOptions.RefuseJson(parse);
        if (parse.GetValue(Best)) model = Trainer.ExportBest(model, new NotesOnly(), cancel);
        ModelDescription description = TrainedModel.ReadDescription(model);
        var choice = new StainChoice(description, parse.GetRequiredValue(To));
        List<ImageJob> all = [.. Jobs(parse, folder, description).Where(job => choice.Of(job).Count > 0)];
        ImageJobs.RefuseNone(all, parse.GetRequiredValue(Inputs), slides: true);
        bool overwrite = parse.GetValue(Overwrite);
        (Shard? shard, Shard? band) = (FleetOptions.ShardOf(parse), FleetOptions.BandOf(parse));
        if (band is not null) RefuseBands(all, overwrite);
        IEnumerable<string> ResultsOf(ImageJob job) => choice.Of(job).SelectMany(stain => Outputs(parse, job, stain));
        ImageJobs.RefuseConflicts(all, ResultsOf);
        List<ImageJob> jobs = FleetOptions.Select(all, shard, band);
        IhcLevelTable? levels = description.IhcLevels is { Count: > 0 } labels ? new IhcLevelTable(folder, labels) : null;
        List<ImageJob> open = ImageJobs.Unfinished(jobs, ResultsOf, overwrite,
            job => choice.Of(job).All(stain => IsDone(job, stain)));
        var made = new StainedTable(folder, shard);
        RefuseOtherModel([.. overwrite ? [] : jobs.SelectMany(job => choice.Of(job).Where(stain => IsDone(job, stain))
            .Select(stain => OutputOf(parse, job, stain)))], made, model);
        StainJobs.Add(folder, [.. all.SelectMany(job => choice.Of(job).Select(stain => AsRecord(parse, job, stain)))]);
        if (jobs.Count == 0) Terminal.Note($"Part {shard ?? band} has no inputs: there are {all.Count}.");
        if (open.Count == 0) return 0;
        if (description.IsStochastic && parse.GetValue(SlideOptions.Orientations)) throw Stainer.NoOrientations();
        using Stainer stainer = Loader.Load(parse, model, open);
        BridgeSampling? sampling = BridgeOptions.Read(parse, stainer.Model.Bridge?.Sampling, model);
        var slides = new SlideStaining(parse, sampling, levels, parse.GetValue(Quality), cancel);
        try
        {
            string what = band is null ? "" : $"band {band} of ";
            return ImageJobs.Run(open, "staining", count => $"Stained {what}{count} into {folder}.", Stain, threads: 1, cancel);
        }
        finally
        {
            levels?.Save();
            made.Save();
        }

        bool HasLevel(ImageJob job, string? stain) => levels is null || levels.Contains(StainChoice.NameOf(job, stain));

        bool IsDone(ImageJob job, string? stain) => Outputs(parse, job, stain).All(File.Exists) && HasLevel(job, stain)
            && !SlideTiles.IsIncomplete(OutputOf(parse, job, stain));

        StainTarget[] Missing(ImageJob job) => [.. choice.Of(job).Where(stain => overwrite || !IsDone(job, stain))
            .Select(stain => new StainTarget(stain is null ? stainer : stainer.ForStain(stain), StainChoice.NameOf(job, stain),
                OutputOf(parse, job, stain)))];

        string? Stain(ImageJob job, Action<double, string> report)
        {
            StainTarget[] targets = Missing(job);
            if (targets.Length == 0) throw new JobSkippedException($"{job.Input}: another process has stained it.");
            try
            {
                string? remark = job.IsSlide ? StainSlide(job, targets, report) : StainImages(targets, levels, sampling, job, parse);
                if (!job.IsSlide) foreach (StainTarget target in targets) Record(job, target);
                return remark;
            }
            catch (Exception e) when (ImageJobs.IsProblem(e) && e is not TinctorException { IsInUse: true })
            {
                foreach (StainTarget target in targets) StainFailure.Write(target.Output, job.Input, Errors.Text(e));
                throw;
            }
        }

        void Record(ImageJob job, StainTarget target)
        {
            made.Set(target.Output, job.Input, model, stainer.ModelId);
            StainFailure.Delete(target.Output);
        }

        string? StainSlide(ImageJob job, StainTarget[] targets, Action<double, string> report)
        {
            try
            {
                return slides.Stain(job, targets, band, () => !overwrite && Missing(job).Length == 0, report, target =>
                {
                    Record(job, target);
                    levels?.Save();
                    made.Save();
                });
            }
            catch (TinctorException e) when (e.IsInUse && (shard is not null || band is not null))
            {
                throw new JobSkippedException($"{e.Message} Skipped.");
            }
        }
    }

    private static StainJob AsRecord(ParseResult parse, ImageJob job, string? stain)
    {
        string[] files = [.. Outputs(parse, job, stain).Select(path =>
            Path.GetRelativePath(parse.GetRequiredValue(Output), path).Replace('\\', '/'))];
        return new(files[0], files.ElementAtOrDefault(1), Path.GetFullPath(job.Input));
    }

    private static void RefuseBands(List<ImageJob> jobs, bool overwrite)
    {
        if (!jobs.Exists(job => job.IsSlide))
            throw new OptionException("Band", "the inputs are images, which are stained in one piece", "Use --shard");
        if (overwrite)
        {
            throw new OptionException("Band", "bands of one slide are stained by several processes, and each would start over",
                "Remove the results, and leave out --overwrite");
        }
    }

    // Results of two models must not be mixed in a folder without notice.
    private static void RefuseOtherModel(string[] kept, StainedTable made, string model)
    {
        if (!kept.Any(file => made.ModelOf(file) is not null)) return;
        string id = ModelFolder.Sha256(model);
        string[] others = [.. kept.Where(file => made.ModelOf(file) is { } maker && maker.Sha256 != id)];
        if (others.Length == 0) return;
        (string other, string sha256) = made.ModelOf(others[0])!.Value;
        string more = others.Length == 1 ? "" : $", as were {others.Length - 1} more";
        throw new TinctorException(others[0], $"was made by another model, {other} (SHA-256 {sha256[..Math.Min(12, sha256.Length)]}){more}",
            "Choose another output folder, or replace the results")
        { Option = "Overwrite" };
    }

    private static string OutputOf(ParseResult parse, ImageJob job, string? stain) => (job with { Name = StainChoice.NameOf(job, stain) })
        .Output(parse.GetRequiredValue(Output), parse.GetValue(Format) ?? (job.IsSlide ? "ome.tif" : "png"));

    private static IEnumerable<string> Outputs(ParseResult parse, ImageJob job, string? stain)
    {
        string output = OutputOf(parse, job, stain);
        return job.IsSlide && parse.GetValue(SlideOptions.Uncertainty) ? [output, SlideStainer.UncertaintyPath(output)] : [output];
    }

    // Reads an image once and stains it to each target.
    private static string? StainImages(StainTarget[] targets, IhcLevelTable? levels, BridgeSampling? sampling, ImageJob job,
        ParseResult parse)
    {
        Image source = job.Read();
        string? skipped = null;
        foreach (StainTarget target in targets)
        {
            skipped = sampling is null ? StainImage(target, levels, source, parse) : StainStochastically(target, sampling, source, parse);
        }
        return Remarks(source, skipped);
    }

    private static string? StainImage(StainTarget target, IhcLevelTable? levels, Image source, ParseResult parse)
    {
        StainedImage stained = target.Stainer.Stain(source, averageOrientations: parse.GetValue(SlideOptions.Orientations));
        stained.Image.Write(target.Output, parse.GetValue(Quality));
        if (stained.IhcLevel is not null) levels?.Set(target.Name, stained.IhcLevel);
        return stained.NormalizationSkippedReason;
    }

    // The stained image is written last, as the mark of a complete result.
    private static string? StainStochastically(StainTarget target, BridgeSampling sampling, Image source, ParseResult parse)
    {
        string folder = parse.GetRequiredValue(Output);
        int repeats = parse.GetValue(BridgeOptions.Samples);
        Trajectory? trajectory = parse.GetValue(BridgeOptions.Trajectory) ? new() : null;
        var origin = new NoiseOrigin(Path.GetFileName(target.Name), parse.GetValue(BridgeOptions.Seed));
        StainedImages stained = target.Stainer.StainRepeatedly(source,
            new(sampling, [origin]) { Observe = trajectory is null ? null : trajectory.Add }, repeats);
        stained.Variation?.Write(Beside("variation", "png"));
        if (trajectory is not null)
        {
            trajectory.CreateStrip().Write(Beside("trajectory", "png"));
            Animation.Write(trajectory.Frames, Beside("trajectory", "webp"));
        }
        stained.Mean.Write(target.Output, parse.GetValue(Quality));
        return stained.NormalizationSkippedReason;

        string Beside(string kind, string extension)
        {
            string path = Path.Combine(folder, kind, $"{target.Name}.{extension}");
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return path;
        }
    }

    // Notes on the source, such as transparency; null for none.
    private static string? Remarks(Image source, string? skipped)
    {
        IEnumerable<string> remarks = skipped is null ? source.Notes : [.. source.Notes, $"stain normalisation was skipped: {skipped}"];
        return remarks.Any() ? string.Join("; ", remarks) : null;
    }

    private static List<ImageJob> Jobs(ParseResult parse, string folder, ModelDescription model)
    {
        string[] inputs = parse.GetRequiredValue(Inputs);
        List<ImageJob> jobs = [.. inputs.SelectMany(input =>
            parse.GetValue(Split) is string split ? InSplit(input, split, model.Direction)
            : Path.GetExtension(input) is ".csv" or ".yaml" or ".yml"
                ? throw new TinctorException(input, "is a manifest, but no split is named",
                    "Name one of its splits: --split train, val or test")
            : ImageJobs.Find(input, folder, slides: true))];
        ImageJobs.RefuseNone(jobs, inputs, slides: true);
        if (parse.GetValue(Channels) == "rgb") jobs = [.. jobs.Select(job => job.ToRgb())];
        // Options of staining by tiles, formats of slides, and networks of a single tile size turn images into slides.
        if (model.TileSize is null && !SlideOptions.AnyGiven(parse) && parse.GetValue(Format) is not ("ome.tif" or "dzi")) return jobs;
        return jobs.Find(job => job.IsPart) is { } part
            ? throw new TinctorException(part.Input, "has source and target side by side, and is not stained by tiles",
                "Name files of sources alone, or leave out the options of whole slides")
            : [.. jobs.Select(job => job with { IsSlide = true })];
    }

    // Sources are on the side on which they were in training.
    private static IEnumerable<ImageJob> InSplit(string dataset, string split, string direction) =>
        PairManifest.Read(dataset, unpaired: true).InDirection(direction).InSplit(split).Where(pair => pair.HasSource)
            .Select(pair => new ImageJob(pair.Source, pair.ReadSource, pair.Name)
            { Stain = pair.Stain, IsPart = pair.Layout is PairLayout.SourceLeft or PairLayout.SourceRight });
}

/// <summary>Result of staining an image to one stain.</summary>
/// <param name="Stainer">The model for this stain.</param>
/// <param name="Name">Path of the result below the output folder, without extension.</param>
/// <param name="Output">Path of the result.</param>
internal sealed record StainTarget(Stainer Stainer, string Name, string Output);
