using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tinctor.Transforms;

/// <summary>
/// Files of transforms: NAME.json and, for nonrigid transforms, NAME_displacement.safetensors with the tensor "displacement" [2, h, w]: the
/// displacements at the centres of h x w equal cells that cover the source.
/// </summary>
public static class TransformFile
{
    private const string Format = "tinctor slide transform";
    private const int Version = 1;
    private const long LargestFile = 1 << 20;
    private const double SmallestDeterminant = 1e-9, LargestDeterminant = 1e9;

    /// <summary>Writes a transform, the displacement first, so that an existing transform is complete.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, RegistrationTransform transform) =>
        Write(path, transform, $"{Path.GetFileNameWithoutExtension(path)}_displacement.safetensors");

    /// <summary>Writes a transform with its displacement in a file of this name beside it.</summary>
    internal static void Write(string path, RegistrationTransform transform, string displacement)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        string? field = transform.Displacement is null ? null : displacement;
        if (field is not null) DisplacementFile.Write(Path.Combine(folder, field), transform.Displacement!);
        AffineTransform t = transform.Affine;
        var json = new JsonObject
        {
            ["format"] = Format,
            ["version"] = Version,
            ["source"] = Frame(transform.Source, folder),
            ["target"] = Frame(transform.Target, folder),
            ["affine"] = new JsonArray(new JsonArray(t.Xx, t.Xy, t.X0), new JsonArray(t.Yx, t.Yy, t.Y0)),
            ["displacement"] = field,
            ["passed"] = transform.Quality.Passed,
            ["reasons"] = new JsonArray([.. transform.Quality.Reasons.Select(reason => (JsonNode)reason)]),
            ["quality"] = Quality(transform.Quality),
        };
        if (transform.Review is { } review) json["review"] = Review(review);
        AtomicFile.WriteText(path, json.ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    /// <summary>Whether a file is a transform, of any version. False if it cannot be read.</summary>
    internal static bool IsTransform(string path)
    {
        if (new FileInfo(path) is not { Exists: true, Length: > 0 and <= LargestFile }) return false;
        try
        {
            return Parse(path) is JsonObject json && json["format"] is JsonValue format
                && format.TryGetValue(out string? name) && name == Format;
        }
        catch (Exception error) when (error is JsonException or TinctorException)
        {
            return false;
        }
    }

    /// <summary>Reads a transform.</summary>
    /// <exception cref="TinctorException">The file or its displacement is missing, damaged or not a transform.</exception>
    public static RegistrationTransform Read(string path)
    {
        if (!File.Exists(path)) throw new TinctorException(path, "no such transform", "Register the slides first");
        try
        {
            JsonNode json = Parse(path)!;
            if ((string?)json["format"] != Format)
                throw new TinctorException(path, "not a transform",
                    "Give the NAME.json of a registration");
            if ((int)json["version"]! != Version)
                throw new TinctorException(path, $"the format has version {json["version"]}, but this program reads version {Version}",
                    "Register again");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            ImageFrame source = Frame(json["source"]!, folder);
            double[][] rows = json["affine"].Deserialize<double[][]>()!;
            if (Math.Abs((rows[0][0] * rows[1][1]) - (rows[0][1] * rows[1][0])) is not (> SmallestDeterminant and < LargestDeterminant))
                throw new TinctorException(path, "the affine part of the transform cannot be inverted", "Register again");
            string? field = (string?)json["displacement"];
            return new(source, Frame(json["target"]!, folder), new(rows[0][0], rows[0][1], rows[0][2], rows[1][0], rows[1][1], rows[1][2]),
                field is null ? null : DisplacementFile.Read(DisplacementPath(path, field), source.Width, source.Height), Quality(json))
            {
                Review = json["review"] is { } review ? Review(review) : null,
            };
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or FormatException
            or IndexOutOfRangeException or ArgumentException)
        {
            throw new TinctorException(path, "not a transform, or damaged", "Register again", error);
        }
    }

    /// <summary>Reads the paths of the slides of a transform; null if the file is damaged.</summary>
    internal static (string Source, string Target)? SlidesOf(string path)
    {
        try
        {
            JsonNode json = Parse(path)!;
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            return (Frame(json["source"]!, folder).Path, Frame(json["target"]!, folder).Path);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or FormatException
            or ArgumentException or TinctorException)
        {
            return null;
        }
    }

    /// <summary>Reads the path of the displacement of a transform; null if it has none.</summary>
    /// <exception cref="TinctorException">The file is damaged, or its displacement is not beside it.</exception>
    internal static string? DisplacementOf(string path)
    {
        try
        {
            return (string?)Parse(path)?["displacement"] is { } field ? DisplacementPath(path, field) : null;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or FormatException)
        {
            throw new TinctorException(path, "not a transform, or damaged", "Register again", error);
        }
    }

    private static string DisplacementPath(string path, string field) => field == Path.GetFileName(field)
        ? Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, field)
        : throw new TinctorException(path, $"the displacement is {field}, but a file beside the transform is expected",
            "Move it there, and write its name only");

    private static JsonObject Review(RegistrationReview review) => new()
    {
        ["state"] = $"{review.State}".ToLowerInvariant(),
        ["time"] = review.Time.ToString("O", CultureInfo.InvariantCulture),
        ["by"] = review.By,
        ["landmarks"] = review.Landmarks,
        ["median_tre"] = review.MedianTre,
        ["median_leave_one_out_tre"] = review.MedianLeaveOneOut,
    };

    private static RegistrationReview Review(JsonNode json) => new(Enum.Parse<ReviewState>((string)json["state"]!, ignoreCase: true),
        DateTime.Parse((string)json["time"]!, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind), (string?)json["by"],
        (int)json["landmarks"]!, (double?)json["median_tre"], (double?)json["median_leave_one_out_tre"]);

    // Paths are relative to the transform, so that a folder with slides and transforms can be moved.
    private static JsonObject Frame(ImageFrame frame, string folder) => new()
    {
        ["path"] = frame.Path.Length == 0 ? "" : Path.GetRelativePath(folder, Path.GetFullPath(frame.Path)),
        ["width"] = frame.Width,
        ["height"] = frame.Height,
        ["mpp"] = frame.Mpp,
    };

    private static ImageFrame Frame(JsonNode json, string folder)
    {
        string path = (string)json["path"]!;
        if ((int)json["width"]! < 1 || (int)json["height"]! < 1) throw new FormatException("a slide has no pixels");
        return new(path.Length == 0 ? "" : Path.GetFullPath(path, folder), (int)json["width"]!, (int)json["height"]!, (double?)json["mpp"]);
    }

    private static JsonObject Quality(RegistrationQuality q) => new()
    {
        ["measure"] = q.Metric.ToString(),
        ["similarity"] = Rounded(q.Similarity),
        ["affine_similarity"] = Rounded(q.AffineSimilarity),
        ["chance"] = Rounded(q.Chance),
        ["distinctness"] = Rounded(q.Distinctness),
        ["overlap"] = Rounded(q.Overlap),
        ["scale"] = Rounded(q.Scale),
        ["stretch"] = Rounded(q.Stretch),
        ["smallest_determinant"] = Rounded(q.SmallestDeterminant),
        ["folded"] = Rounded(q.Folded),
    };

    private static double Rounded(double value) => double.IsFinite(value) ? Math.Round(value, 5) : 0;

    private static RegistrationQuality Quality(JsonNode json)
    {
        double Number(string name) => (double)json["quality"]![name]!;
        return new()
        {
            Metric = Enum.Parse<SimilarityMetric>((string)json["quality"]!["measure"]!),
            Similarity = Number("similarity"),
            AffineSimilarity = Number("affine_similarity"),
            Chance = Number("chance"),
            Distinctness = Number("distinctness"),
            Overlap = Number("overlap"),
            Scale = Number("scale"),
            Stretch = Number("stretch"),
            SmallestDeterminant = Number("smallest_determinant"),
            Folded = Number("folded"),
            Reasons = json["reasons"].Deserialize<string[]>()!,
        };
    }

    private static JsonNode? Parse(string path) => JsonNode.Parse(InputFile.ReadText(path), documentOptions: StrictJson.Options);
}
