using System.CommandLine;
using Tinctor.Slides;
using Tinctor.Torch;

namespace Tinctor.Cli.Commands;

/// <summary>One image of a command that converts many.</summary>
/// <param name="Input">File of the image, named in messages.</param>
/// <param name="Read">Reads the image.</param>
/// <param name="Name">Path of the result below the output folder, without extension.</param>
internal sealed record ImageJob(string Input, Func<Image> Read, string Name)
{
    /// <summary>Whether the image is processed tile by tile.</summary>
    public bool IsSlide { get; init; }

    /// <summary>Whether the image is converted to 8-bit RGB.</summary>
    public bool AsRgb { get; private init; }

    /// <summary>Whether the image is a part of its file, beside the target.</summary>
    public bool IsPart { get; init; }

    /// <summary>Stain of the image's target in a data set; null if unknown.</summary>
    public string? Stain { get; init; }

    /// <summary>Returns the job with an image that is converted to 8-bit RGB.</summary>
    public ImageJob ToRgb() => this with { AsRgb = true, Read = () => ToRgb(Read()) };

    /// <summary>Opens the image as a slide.</summary>
    /// <param name="mpp">Micrometres per pixel, if the metadata is missing or wrong.</param>
    public Slide Open(double? mpp = null)
    {
        Slide slide = Slide.Open(Input, mpp);
        return AsRgb ? slide.AsRgb8() : slide;
    }

    private static Image ToRgb(Image image) => image.Channels is 1 or 3 || image.HasAlpha ? image.ToRgb8()
        : throw new TinctorException($"{image.Channels} channels are neither grey nor RGB");

    /// <summary>Gets the path of the result.</summary>
    public string Output(string folder, string extension) => Path.Combine(folder, $"{Name}.{extension}");
}

/// <summary>Jobs of commands that convert images to images: inputs, existing results, progress, and failures at the end.</summary>
internal static class ImageJobs
{
    private const int MostNamed = 5;

    public static Argument<string[]> Inputs(string description = "Images, or folders of images (searched through)") =>
        new("input") { Description = description, Arity = ArgumentArity.OneOrMore };

    public static Option<string> Format()
    {
        var format = new Option<string>("--format") { Description = "Output format", DefaultValueFactory = _ => "png" };
        format.Among("png", "jpg", "tif");
        return format;
    }

    public static Option<int> Quality() => new Option<int>("--quality")
    { Description = "JPEG quality, 1 to 100", HelpName = "N", DefaultValueFactory = _ => 90 }.Between(1, 100);

    /// <summary>
    /// Finds the images of files and folders; a folder with one slide in DICOM counts as an image. Results keep the inner structure of
    /// folders. An output folder inside the input is left out.
    /// </summary>
    /// <param name="input">A file or folder.</param>
    /// <param name="outputFolder">Folder of the results.</param>
    /// <param name="slides">
    /// Whether slides are included; the input may then also be a pattern (slides/*.svs) or a .txt file of paths.
    /// </param>
    /// <exception cref="TinctorException">There is no such file or folder.</exception>
    public static IEnumerable<ImageJob> Find(string input, string? outputFolder = null, bool slides = false)
    {
        if (slides && Path.GetExtension(input) == ".txt" && File.Exists(input)) return OfList(input, outputFolder);
        if (File.Exists(input)) return [Job(input, Path.GetFileName(input))];
        if (slides && SlideFormats.IsSlideFolder(input)) return [Job(input, Slide.NameOf(input))];
        if (slides && Path.GetFileName(input).AsSpan().ContainsAny('*', '?')) return OfPattern(input);
        if (!Directory.Exists(input)) throw new TinctorException(input, "there is no such file or folder", "Check the path");
        bool isInside = outputFolder is not null && IsInside(input, outputFolder);
        SlideFolder found = SlideFormats.List(input);
        NoteSkipped([.. found.Skipped.Select(file => file.Path).Where(IsInput)]);
        return found.Files.Where(file => IsInput(file) && (slides || IsImage(file)))
            .Select(file => Job(file, Path.GetRelativePath(input, file)));

        bool IsImage(string file) => SlideFormats.FromExtension(file) is not { IsOfScanners: true }
            || SlideFormats.ImageExtensions.Contains(Path.GetExtension(file).ToLowerInvariant());
        bool IsInput(string file) => !(isInside && IsInside(outputFolder!, file));

        ImageJob Job(string file, string name) =>
            new(file, () => Image.Read(file), Directory.Exists(file) ? name : Slide.Stem(name))
            {
                IsSlide = slides && SlideFormats.IsSlide(file),
            };
    }

    private static void NoteSkipped(IReadOnlyList<string> files)
    {
        if (files.Count == 0) return;
        string names = string.Join(", ", files.Take(MostNamed).Select(Path.GetFileName));
        string more = files.Count > MostNamed ? $" and {files.Count - MostNamed} more" : "";
        Terminal.Note($"skipped: {files.Count} file{(files.Count == 1 ? "" : "s")} of formats that are not supported ({names}{more})");
    }

    // Paths of a list are relative to it.
    private static IEnumerable<ImageJob> OfList(string list, string? outputFolder) => File.ReadAllLines(list)
        .Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#')
        .SelectMany(line => Find(Path.Combine(Path.GetDirectoryName(list) ?? "", line), outputFolder, slides: true));

    private static IEnumerable<ImageJob> OfPattern(string pattern)
    {
        string folder = Path.GetDirectoryName(pattern) is { Length: > 0 } named ? named : ".";
        if (!Directory.Exists(folder)) throw new TinctorException(folder, "there is no such folder", "Check the path");
        return Directory.EnumerateFiles(folder, Path.GetFileName(pattern)).Order(StringComparer.Ordinal)
            .SelectMany(file => Find(file, slides: true));
    }

    /// <summary>Refuses an empty list.</summary>
    public static void RefuseNone(IReadOnlyCollection<ImageJob> jobs, IEnumerable<string> inputs, bool slides = false)
    {
        if (jobs.Count == 0)
            throw new TinctorException($"{string.Join(", ", inputs)}: no images found "
                + $"(looked for {string.Join(" ", slides ? SlideFormats.Extensions : SlideFormats.ImageExtensions)})");
    }

    /// <summary>Refuses results that would replace an input or each other.</summary>
    /// <param name="jobs">All jobs.</param>
    /// <param name="outputs">Paths of a job's results.</param>
    public static void RefuseConflicts(List<ImageJob> jobs, Func<ImageJob, IEnumerable<string>> outputs)
    {
        if (jobs.Find(job => outputs(job).Any(output => Path.GetFullPath(job.Input) == Path.GetFullPath(output))) is { Input: string own })
            throw new TinctorException(own, "the result would replace this input", "Choose another folder") { Option = "Output" };
        foreach (var same in jobs.GroupBy(job => outputs(job).First()).Where(group => group.Count() > 1))
            throw new TinctorException(same.Key, $"would be the result of {string.Join(" and of ", same.Select(job => job.Input))}",
                "Use a folder for each");
    }

    /// <summary>Selects the jobs without a result, or all. Refuses results that would replace an input or each other.</summary>
    /// <param name="jobs">All jobs.</param>
    /// <param name="outputs">Paths of a job's results.</param>
    /// <param name="overwrite">Whether existing results are replaced.</param>
    /// <param name="isWhole">Further condition for a finished job.</param>
    public static List<ImageJob> Open(List<ImageJob> jobs, Func<ImageJob, IEnumerable<string>> outputs, bool overwrite,
        Func<ImageJob, bool>? isWhole = null)
    {
        RefuseConflicts(jobs, outputs);
        return Unfinished(jobs, outputs, overwrite, isWhole);
    }

    /// <summary>Selects the jobs without a result, or all; see <see cref="Open"/>.</summary>
    public static List<ImageJob> Unfinished(List<ImageJob> jobs, Func<ImageJob, IEnumerable<string>> outputs, bool overwrite,
        Func<ImageJob, bool>? isWhole)
    {
        List<ImageJob> open = overwrite ? jobs : [.. jobs.Where(job => !outputs(job).All(File.Exists) || isWhole?.Invoke(job) == false)];
        if (open.Count < jobs.Count)
            ExistingResults.Note($"{jobs.Count - open.Count} of {jobs.Count}");
        return open;
    }

    /// <summary>Formats a number of images, as in "1 image".</summary>
    public static string Count(int images) => $"{images} {(images == 1 ? "image" : "images")}";

    /// <summary>Joins remarks about one image, such as <see cref="Image.Notes"/>; null if there are none.</summary>
    public static string? Remarks(IReadOnlyList<string> remarks) => remarks.Count == 0 ? null : string.Join("; ", remarks);

    /// <summary>Runs the jobs with a progress bar and lists problems at the end.</summary>
    /// <param name="open">The jobs.</param>
    /// <param name="doing">Title of the progress, such as "staining".</param>
    /// <param name="done">Formats the result from the number of images, such as "Stained 1 image into DIR."</param>
    /// <param name="one">Runs one job and returns a warning, or null. Problems with its files are caught.</param>
    /// <param name="threads">Number of concurrent jobs.</param>
    /// <param name="cancel">Cancels after the current images.</param>
    /// <returns>The exit code.</returns>
    public static int Run(List<ImageJob> open, string doing, Func<string, string> done, Func<ImageJob, string?> one, int threads,
        CancellationToken cancel) => Run(open, doing, done, (job, _) => one(job), threads, cancel);

    /// <summary>Runs jobs that report their completed share and current step.</summary>
    public static int Run(List<ImageJob> open, string doing, Func<string, string> done, Func<ImageJob, Action<double, string>, string?> one,
        int threads,
        CancellationToken cancel)
    {
        var results = new (string? Remark, string? Failure, bool IsSkipped)[open.Count];
        ProgressDisplay.Show(doing, progress =>
        {
            int finished = 0;
            void Do(int i)
            {
                if (cancel.IsCancellationRequested) return;
                results[i] = Try(open[i], job => one(job, (share, at) => progress.Report((i + share) / open.Count, at)));
                progress.Report((double)Interlocked.Increment(ref finished) / open.Count);
            }
            // libtorch's settings belong to a thread, so sequential jobs stay on the calling thread.
            if (threads > 1) Parallel.For(0, open.Count, new ParallelOptions { MaxDegreeOfParallelism = threads }, Do);
            else for (int i = 0; i < open.Count; i++) Do(i);
        });
        string[] failures = [.. results.Select(result => result.Failure).OfType<string>()];
        if (!cancel.IsCancellationRequested)
            Terminal.Result(done(Count(open.Count - failures.Length - results.Count(result => result.IsSkipped))));
        foreach ((int i, (string? remark, _, _)) in results.Index())
            if (remark is not null) Terminal.Warning($"{open[i].Input}: {Errors.Sentence(remark)}");
        foreach (string failure in failures) Terminal.Problem(failure);
        if (cancel.IsCancellationRequested) Terminal.Note("Stopped. The same command resumes.");
        return cancel.IsCancellationRequested ? Errors.Cancelled : failures.Length == 0 ? 0 : 1;
    }

    // Runs a job; returns its warning and its problem, one line each.
    private static (string? Remark, string? Failure, bool IsSkipped) Try(ImageJob job, Func<ImageJob, string?> one)
    {
        try
        {
            return (one(job), null, false);
        }
        catch (Exception e) when (Errors.IsCancellation(e))
        {
            return (null, null, false);
        }
        catch (JobSkippedException e)
        {
            Terminal.Note(e.Message);
            return (null, null, true);
        }
        catch (Exception e) when (IsProblem(e))
        {
            string text = Errors.Text(e);
            return (null, e is TinctorException { File: not null } ? text : $"{job.Input}: {text}", false);
        }
    }

    /// <summary>Whether an exception is a problem of one job, after which the others go on.</summary>
    public static bool IsProblem(Exception e) => e is TinctorException or IOException or UnauthorizedAccessException or TorchException;

    private static bool IsInside(string folder, string path) =>
        Path.GetRelativePath(folder, path) is var relative && relative != "." && relative.Split(Path.DirectorySeparatorChar)[0] != "..";
}

/// <summary>A job that is left to another process; the message says why.</summary>
internal sealed class JobSkippedException(string message) : Exception(message);
