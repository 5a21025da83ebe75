using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tinctor.Slides;
using Tinctor.Transforms;
using Tinctor.Transforms.Landmarks;
using Tinctor.Viewer.Folders;
using Tinctor.Viewer.Pixels;
using Tinctor.Viewer.Registrations;
using Tinctor.Viewer.Security;

namespace Tinctor.Viewer.Api;

/// <summary>Registrations: list, landmarks, fits to landmarks, reviews, and tiles of the target on the pixels of the source.</summary>
/// <param name="registrations">Registrations of the folders.</param>
/// <param name="queue">Automatic registrations.</param>
/// <param name="catalogue">Slides of the folders.</param>
/// <param name="reader">Reads slides.</param>
/// <param name="reads">Bounds the fits that are computed at a time.</param>
internal sealed class RegistrationEndpoints(RegistrationCatalogue registrations, RegistrationQueue queue, SlideCatalogue catalogue,
    SlideReader reader, ReadQueue reads)
{
    private const int MostLandmarks = 300, MostPoints = 1000, LongestName = 100;
    private const double LargestPosition = 1e8; // pixels

    private readonly PreviewCache previews = new();

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/api/v1/registrations").WithTags("Registrations");
        group.MapGet("", ListAsync).WithSummary("Lists registrations; slide is the identifier of a source or target")
            .Produces<IReadOnlyList<RegistrationJson>>();
        group.MapGet("/automatic", () => new AutomaticJson(queue.IsAvailable))
            .WithSummary("Gets whether slides can be registered automatically");
        group.MapPost("", AddAsync).WithSummary("Begins a registration of two slides, automatically or from their pixel sizes")
            .Produces<RegistrationJson>(201).ProducesProblem(400).ProducesProblem(404).ProducesProblem(409).ProducesProblem(429);
        group.MapGet("/{id}", GetAsync).WithSummary("Gets a registration with its quality and review").Produces<RegistrationJson>()
            .ProducesProblem(404);
        MapLandmarks(group);
        group.MapPost("/{id}/refit", RefitAsync).WithSummary("Fits a transform to landmarks, without saving it").Produces<RefitJson>()
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(422).ProducesProblem(429);
        group.MapPost("/{id}/map", MapPoints).WithSummary("Maps positions from source to target, or back")
            .Produces<IReadOnlyList<IReadOnlyList<double>>>().ProducesProblem(400).ProducesProblem(404);
        group.MapPost("/{id}/accept", (string id, ReviewRequest review, CancellationToken cancel) =>
            ReviewAsync(id, ReviewState.Accepted, review.By, cancel)).WithSummary("Accepts the transform, whatever its quality check says")
            .Produces<RegistrationJson>().ProducesProblem(404);
        group.MapPost("/{id}/reject", (string id, ReviewRequest review, CancellationToken cancel) =>
            ReviewAsync(id, ReviewState.Rejected, review.By, cancel)).WithSummary("Rejects the transform: other programs refuse it")
            .Produces<RegistrationJson>().ProducesProblem(404);
        group.MapPost("/{id}/correct", CorrectAsync).WithSummary("Fits a transform to landmarks, and saves it")
            .Produces<RegistrationJson>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(422);
        MapTiles(group.MapGroup("/{id}"));
        MapTiles(group.MapGroup("/{id}/previews/{preview}"));
    }

    private void MapLandmarks(RouteGroupBuilder group)
    {
        group.MapGet("/{id}/landmarks", (string id) => Use(id, found => Results.Ok(Describe(found, Landmarks(found)))))
            .WithSummary("Gets the landmarks with their errors").Produces<LandmarksJson>().ProducesProblem(404);
        group.MapPut("/{id}/landmarks", PutLandmarks).WithSummary("Replaces the landmarks, and gets their errors")
            .Produces<LandmarksJson>().ProducesProblem(400).ProducesProblem(404);
        group.MapPost("/{id}/landmarks/import", ImportLandmarks).WithSummary("Replaces the landmarks by those of two CSV files")
            .Produces<LandmarksJson>().ProducesProblem(400).ProducesProblem(404).ProducesProblem(422);
        group.MapGet("/{id}/landmarks/{file}", ExportLandmarks)
            .WithSummary("Gets source.csv or target.csv: the landmarks of one slide with columns landmark, X and Y")
            .Produces(200, contentType: "text/csv").ProducesProblem(404);
    }

    private void MapTiles(RouteGroupBuilder group)
    {
        group.MapGet("/dzi/{file}", DescribePyramidAsync)
            .WithSummary("Gets the Deep Zoom description of the target on the source: LAYER.dzi")
            .Produces(200, contentType: "application/xml").ProducesProblem(404);
        group.MapGet("/dzi/{files}/{level:int}/{tile}", TileAsync)
            .WithSummary("Gets a Deep Zoom tile of the target on the source: LAYER_files/LEVEL/COLUMN_ROW.jpg")
            .Produces(200, contentType: "image/jpeg").ProducesProblem(404).ProducesProblem(429);
    }

    private async Task<IResult> ListAsync(CancellationToken cancel, string? slide = null)
    {
        var items = new List<RegistrationJson>();
        foreach (Estimate one in queue.Estimates.Where(one => IsOf(one.Source, one.Target)).OrderBy(one => one.Id, StringComparer.Ordinal))
            items.Add(await DescribeAsync(one, cancel));
        foreach (CatalogueRegistration one in registrations.Current.Values.Where(one => IsOf(one.Source, one.Target))
            .OrderBy(one => one.Source.Name, StringComparer.Ordinal).ThenBy(one => one.Path, StringComparer.Ordinal))
            items.Add(await DescribeAsync(one, cancel));
        return Results.Ok(items);

        bool IsOf(CatalogueSlide source, CatalogueSlide target) => slide is null || source.Id == slide || target.Id == slide;
    }

    private async Task<IResult> AddAsync(RegistrationRequest request, CancellationToken cancel)
    {
        SlideList list = catalogue.Current;
        if (list.All.GetValueOrDefault(request.Source) is not { } source || list.All.GetValueOrDefault(request.Target) is not { } target)
            return Results.Problem("There is no such slide.", statusCode: 404);
        if (source == target) return Results.Problem("A slide is not registered to itself. Choose two slides.", statusCode: 400);
        if (request.Automatic)
        {
            if (!queue.IsAvailable)
                return Results.Problem("Automatic registration needs the installation with libtorch. Begin by hand.", statusCode: 409);
            Estimate added = queue.Add(source, target);
            return Results.Created($"/api/v1/registrations/{added.Id}", await DescribeAsync(added, cancel));
        }
        string id = Guid.CreateVersion7().ToString("N");
        registrations.Add(target, RegistrationTransform.FromPixelSizes(await FrameAsync(source, cancel), await FrameAsync(target, cancel)),
            id, isManual: true);
        return registrations.Find(id) is { } begun ? Results.Created($"/api/v1/registrations/{id}", await DescribeAsync(begun, cancel))
            : NotFound();
    }

    private async Task<IResult> GetAsync(string id, CancellationToken cancel) =>
        queue.Find(id) is { } running ? Results.Ok(await DescribeAsync(running, cancel))
        : registrations.Find(id) is { } found ? Results.Ok(await DescribeAsync(found, cancel)) : NotFound();

    private IResult PutLandmarks(string id, LandmarksJson landmarks) => Use(id, found =>
    {
        if (Pairs(landmarks.Pairs, out string? problem) is not { } pairs) return Results.Problem(problem, statusCode: 400);
        Save(found, pairs);
        return Results.Ok(Describe(found, pairs));
    });

    private IResult ImportLandmarks(string id, LandmarkImport files) => Use(id, found =>
    {
        LandmarkPair[] pairs = Matched(LandmarkFile.Parse(files.Source, "source.csv"), LandmarkFile.Parse(files.Target, "target.csv"));
        if (Problem(pairs) is { } problem) return Results.Problem(problem, statusCode: 400);
        Save(found, pairs);
        return Results.Ok(Describe(found, pairs));
    });

    private IResult ExportLandmarks(string id, string file) => Use(id, found =>
    {
        if (file is not ("source.csv" or "target.csv")) return NotFound();
        string path = registrations.LandmarksOf(found, file == "source.csv");
        return File.Exists(path) ? Results.Text(InputFile.ReadText(path), "text/csv")
            : Results.Problem("The registration has no landmarks.", statusCode: 404);
    });

    private async Task<IResult> RefitAsync(string id, RefitRequest request, CancellationToken cancel)
    {
        if (registrations.Find(id) is not { } found) return NotFound();
        (LandmarkFit? fit, _, IResult? problem) = await reads.RunAsync(() => Fit(found, request), cancel);
        if (fit is null) return problem!;
        string preview = previews.Add(found.Id, fit.Transform);
        return Results.Ok(new RefitJson(preview, fit.Residuals, SampleStatistics.Median(fit.Residuals), fit.LeaveOneOut,
            Median(fit.LeaveOneOut), Describe(fit.Transform.Quality), fit.Transform.Quality.Passed, fit.Transform.Quality.Reasons));
    }

    private async Task<IResult> CorrectAsync(string id, RefitRequest request, CancellationToken cancel)
    {
        if (registrations.Find(id) is not { } found) return NotFound();
        if (request.By is { Length: > LongestName }) return LongName();
        (LandmarkFit? fit, IReadOnlyList<LandmarkPair> pairs, IResult? problem) = await reads.RunAsync(() => Fit(found, request), cancel);
        if (fit is null) return problem!;
        Save(found, pairs);
        registrations.Save(found, fit.Transform with
        {
            Review = new(ReviewState.Corrected, DateTime.UtcNow, request.By, pairs.Count, SampleStatistics.Median(fit.Residuals),
                Median(fit.LeaveOneOut)),
        });
        return await GetAsync(id, cancel);
    }

    private async Task<IResult> ReviewAsync(string id, ReviewState state, string? by, CancellationToken cancel)
    {
        if (registrations.Find(id) is not { } found) return NotFound();
        if (by is { Length: > LongestName }) return LongName();
        RegistrationTransform transform = registrations.Original(found);
        LandmarkPair[] pairs = Landmarks(found);
        double? median = pairs.Length == 0 ? null : SampleStatistics.Median(pairs.Select(pair => pair.Error(transform)));
        registrations.Save(found, transform with { Review = new(state, DateTime.UtcNow, by, pairs.Length, median) });
        return await GetAsync(id, cancel);
    }

    private IResult MapPoints(string id, MapRequest request) => Use(id, found =>
    {
        if (request.Points.Count > MostPoints || !request.Points.All(IsPosition))
            return Results.Problem($"Up to {MostPoints} positions of two numbers are expected.", statusCode: 400);
        if (Transform(found, request.Preview) is not { } transform) return NotFound();
        Func<double, double, (double X, double Y)> map = request.Inverse ? transform.Invert : transform.Apply;
        return Results.Ok(request.Points.Select(point => map(point[0], point[1])).Select(place => (double[])[place.X, place.Y]));
    });

    private async Task<IResult> DescribePyramidAsync(string id, string file, CancellationToken cancel, string? preview = null)
    {
        if (DeepZoom.LayerOf(file) is not { } layer || await FindAsync(id, preview, layer, cancel) is not { } found) return NotFound();
        return Results.Text(new DeepZoom(found.Transform.Source.Width, found.Transform.Source.Height).ToXml(), "application/xml");
    }

    private async Task<IResult> TileAsync(HttpContext context, string id, string files, int level, string tile, string? preview = null)
    {
        if (DeepZoom.LayerOfTiles(files) is not { } layer || SlideEndpoints.Place(tile) is not (int column, int row)
            || await FindAsync(id, preview, layer, context.RequestAborted) is not { } found
            || new DeepZoom(found.Transform.Source.Width, found.Transform.Source.Height).Tile(level, column, row) is not { } region)
            return NotFound();
        return await SlideEndpoints.ImageAsync(context,
            SlideEndpoints.Tag(found.Registration.Target, "registered", preview ?? found.Registration.Stamp, layer, $"{level}",
                $"{column}_{row}"), "image/jpeg",
            async () => await reader.RegisteredAsync(found.Registration.Target, found.Transform, layer, region, context.RequestAborted),
            "private, no-cache");
    }

    private async Task<(CatalogueRegistration Registration, RegistrationTransform Transform)?> FindAsync(string id, string? preview,
        string layer, CancellationToken cancel)
    {
        if (registrations.Find(id) is not { } found || Transform(found, preview) is not { } transform) return null;
        SlideSummary target = await reader.SummaryAsync(found.Target, cancel), source = await reader.SummaryAsync(found.Source, cancel);
        foreach ((CatalogueSlide slide, SlideSummary summary, ImageFrame frame) in
            new[] { (found.Source, source, transform.Source), (found.Target, target, transform.Target) })
        {
            if (summary.Error is { } error) throw new TinctorException(slide.Name, error);
            RegisteredRegion.RequireSize(frame, slide.Path, summary.Width, summary.Height);
        }
        return target.Layers.Contains(layer) ? (found, transform) : null;
    }

    private RegistrationTransform? Transform(CatalogueRegistration found, string? preview) =>
        preview is null ? registrations.Transform(found) : previews.Find(found.Id, preview);

    // A fit to the landmarks of a request, or the problem.
    private (LandmarkFit? Fit, IReadOnlyList<LandmarkPair> Pairs, IResult? Problem) Fit(CatalogueRegistration found, RefitRequest request)
    {
        if (!Enum.TryParse(request.Model, ignoreCase: true, out LandmarkModel model) || !Enum.IsDefined(model)
            || int.TryParse(request.Model, out _))
            return (null, [], Results.Problem("The model must be rigid, similarity, affine, nonrigid or correction.", statusCode: 400));
        string? text = null;
        if ((request.Landmarks is null ? Landmarks(found) : Pairs(request.Landmarks, out text)) is not { } pairs)
            return (null, [], Results.Problem(text, statusCode: 400));
        try
        {
            return (LandmarkFit.Create(registrations.Original(found), pairs, model), pairs, null);
        }
        catch (TinctorException e) when (e.File is null)
        {
            return (null, pairs, Results.Problem($"{char.ToUpperInvariant(e.Problem[0])}{e.Problem[1..]}. {e.Remedy}.", statusCode: 422,
                title: "The landmarks do not determine the transform"));
        }
    }

    private LandmarkPair[] Landmarks(CatalogueRegistration found)
    {
        string source = registrations.LandmarksOf(found, source: true), target = registrations.LandmarksOf(found, source: false);
        lock (registrations.Files)
        {
            return !File.Exists(source) || !File.Exists(target) ? [] : Matched(LandmarkFile.Read(source), LandmarkFile.Read(target));
        }
    }

    private static LandmarkPair[] Matched(IReadOnlyList<Landmark> source, IReadOnlyList<Landmark> target) =>
        [.. LandmarkError.Match(source, target).Select(pair =>
            new LandmarkPair(pair.Source.X, pair.Source.Y, pair.Target.X, pair.Target.Y))];

    private void Save(CatalogueRegistration found, IReadOnlyList<LandmarkPair> pairs)
    {
        lock (registrations.Files)
        {
            Save(registrations.LandmarksOf(found, source: true), pairs.Select(pair => (pair.SourceX, pair.SourceY)));
            Save(registrations.LandmarksOf(found, source: false), pairs.Select(pair => (pair.TargetX, pair.TargetY)));
        }
    }

    private static void Save(string path, IEnumerable<(double X, double Y)> places)
    {
        Landmark[] marks = [.. places.Select((place, i) => new Landmark(FormattableString.Invariant($"{i + 1}"), place.X, place.Y))];
        if (marks.Length > 0) AtomicFile.WriteText(path, LandmarkFile.ToText(marks));
        else if (File.Exists(path)) File.Delete(path);
    }

    private static LandmarkPair[]? Pairs(IReadOnlyList<LandmarkPairJson> given, out string? problem)
    {
        problem = given.All(pair => pair is { Source: { } source, Target: { } target } && IsPosition(source) && IsPosition(target)) ? null
            : "A pair of landmarks has not two numbers for source and target each.";
        if (problem is not null) return null;
        LandmarkPair[] pairs = [.. given.Select(pair => new LandmarkPair(pair.Source[0], pair.Source[1], pair.Target[0], pair.Target[1]))];
        problem = Problem(pairs);
        return problem is null ? pairs : null;
    }

    private static string? Problem(LandmarkPair[] pairs) => pairs.Length <= MostLandmarks ? null
        : $"There are {pairs.Length} pairs of landmarks, but at most {MostLandmarks} are expected.";

    private static bool IsPosition(IReadOnlyList<double>? point) =>
        point is { Count: 2 } && point.All(value => Math.Abs(value) <= LargestPosition);

    private IResult Use(string id, Func<CatalogueRegistration, IResult> answer) =>
        registrations.Find(id) is { } found ? answer(found) : NotFound();

    private LandmarksJson Describe(CatalogueRegistration found, IReadOnlyList<LandmarkPair> pairs)
    {
        RegistrationTransform transform = registrations.Transform(found);
        double[] errors = [.. pairs.Select(pair => pair.Error(transform))];
        return new([.. pairs.Select(pair => new LandmarkPairJson([pair.SourceX, pair.SourceY], [pair.TargetX, pair.TargetY]))], errors,
            Median(errors));
    }

    private async Task<RegistrationJson> DescribeAsync(Estimate one, CancellationToken cancel) => new()
    {
        Id = one.Id,
        Name = Slide.NameOf(one.Target.Path),
        Source = await DescribeAsync(one.Source, cancel),
        Target = await DescribeAsync(one.Target, cancel),
        State = $"{one.State}".ToLowerInvariant(),
        Done = one.Done,
        Error = one.Error,
    };

    private async Task<RegistrationJson> DescribeAsync(CatalogueRegistration one, CancellationToken cancel)
    {
        var described = new RegistrationJson
        {
            Id = one.Id,
            Name = one.Name,
            Source = await DescribeAsync(one.Source, cancel),
            Target = await DescribeAsync(one.Target, cancel),
            State = one.IsManual ? "manual" : "automatic",
            Layers = (await reader.SummaryAsync(one.Target, cancel)).Layers,
            File = one.Path,
            SourceFile = one.Source.Path,
            TargetFile = one.Target.Path,
        };
        try
        {
            RegistrationTransform transform = registrations.Transform(one);
            return described with
            {
                State = transform.Review is { } review ? $"{review.State}".ToLowerInvariant() : described.State,
                Usable = transform.IsUsable,
                Passed = transform.Quality.Passed,
                Reasons = transform.Quality.Reasons,
                Quality = Describe(transform.Quality),
                Nonrigid = transform.Displacement is not null,
                ReviewedBy = transform.Review?.By,
                ReviewedAt = transform.Review?.Time,
                Landmarks = transform.Review?.Landmarks ?? 0,
                MedianTre = transform.Review?.MedianTre,
                MedianLeaveOneOut = transform.Review?.MedianLeaveOneOut,
            };
        }
        catch (TinctorException e)
        {
            return described with { State = "failed", Error = PublicMessage.Of(e) };
        }
    }

    private async Task<RegisteredSlideJson> DescribeAsync(CatalogueSlide slide, CancellationToken cancel)
    {
        SlideSummary summary = await reader.SummaryAsync(slide, cancel);
        return new(slide.Id, slide.Name, summary.Width, summary.Height, summary.Mpp);
    }

    private async Task<ImageFrame> FrameAsync(CatalogueSlide slide, CancellationToken cancel)
    {
        SlideSummary summary = await reader.SummaryAsync(slide, cancel);
        return summary.Error is { } error ? throw new TinctorException(slide.Name, error)
            : new(slide.Path, summary.Width, summary.Height, summary.Mpp);
    }

    // A file writes 0 for numbers that were not measured.
    private static RegistrationQualityJson Describe(RegistrationQuality q) => new(Measured(q.Similarity), Measured(q.Distinctness),
        Finite(q.Overlap), Finite(q.Scale), Finite(q.Stretch), Finite(q.SmallestDeterminant), Finite(q.Folded));

    private static double? Measured(double value) => value == 0 ? null : Finite(value);

    private static double? Finite(double value) => double.IsFinite(value) ? value : null;

    private static double? Median(IReadOnlyList<double>? values) => values is { Count: > 0 } ? SampleStatistics.Median(values) : null;

    private static IResult LongName() => Results.Problem($"The name has more than {LongestName} characters.", statusCode: 400);

    private static IResult NotFound() => Results.Problem("There is no such registration, layer or tile.", statusCode: 404);
}
