using System.Text.Json;
using System.Text.Json.Nodes;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;

namespace Tinctor.Registration.Sections;

/// <summary>
/// Transforms on disk: NAME.json, which says all but the displacement, and NAME_displacement.safetensors beside it, whose tensor
/// "displacement" [2, h, w] has the shifts at the centres of h x w equal cells that cover the source.
/// </summary>
public static class SlideTransformFile
{
    private const string Format = "tinctor slide transform", Tensor = "displacement";
    private const int Version = 1;

    /// <summary>Writes a transform; the displacement first, so that a transform that is there is whole.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, SlideTransform transform)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        string? field = transform.Displacement is null ? null : $"{Path.GetFileNameWithoutExtension(path)}_displacement.safetensors";
        if (field is not null)
        {
            using Tensor shifts = transform.Displacement!.ToTensor();
            SafeTensors.Save(Path.Combine(folder, field), [new(Tensor, shifts)]);
        }
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
        AtomicFile.WriteText(path, json.ToJsonString(new() { WriteIndented = true }) + "\n");
    }

    /// <summary>Reads a transform.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="TinctorException">It, or the displacement beside it, is no transform or damaged.</exception>
    public static SlideTransform Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"{path}: there is no such transform; `tinctor register` makes one", path);
        try
        {
            JsonNode json = JsonNode.Parse(File.ReadAllText(path))!;
            if ((string?)json["format"] != Format) throw new TinctorException($"{path}: is no transform of `tinctor register`");
            if ((int)json["version"]! != Version)
                throw new TinctorException($"{path}: is of version {json["version"]}, this program reads {Version}; register again");
            string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
            SlideFrame source = Frame(json["source"]!, folder);
            double[][] rows = json["affine"].Deserialize<double[][]>()!;
            string? field = (string?)json["displacement"];
            return new(source, Frame(json["target"]!, folder), new(rows[0][0], rows[0][1], rows[0][2], rows[1][0], rows[1][1], rows[1][2]),
                field is null ? null : Displacement(Path.Combine(folder, field), source), Quality(json));
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or NullReferenceException or FormatException
            or IndexOutOfRangeException)
        {
            throw new TinctorException($"{path}: is no whole transform ({error.Message.Split('\n')[0]}); register again", error);
        }
    }

    private static DisplacementField Displacement(string path, SlideFrame source)
    {
        if (!File.Exists(path)) throw new TinctorException($"{path}: is missing; keep it beside the transform, or register again");
        using var scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> tensors = SafeTensors.Load(path);
        return tensors.TryGetValue(Tensor, out Tensor? shifts) && shifts.shape is [2, > 1, > 1]
            ? DisplacementField.Covering(source.Width, source.Height, shifts)
            : throw new TinctorException($"{path}: has no tensor {Tensor} [2, height, width]; register again");
    }

    // Paths are relative to the transform, so that a folder of slides and transforms can be moved.
    private static JsonObject Frame(SlideFrame frame, string folder) => new()
    {
        ["path"] = frame.Path.Length == 0 ? "" : Path.GetRelativePath(folder, Path.GetFullPath(frame.Path)),
        ["width"] = frame.Width,
        ["height"] = frame.Height,
        ["mpp"] = frame.Mpp,
    };

    private static SlideFrame Frame(JsonNode json, string folder)
    {
        string path = (string)json["path"]!;
        return new(path.Length == 0 ? "" : Path.GetFullPath(path, folder), (int)json["width"]!, (int)json["height"]!, (double?)json["mpp"]);
    }

    private static JsonObject Quality(TransformQuality q) => new()
    {
        ["measure"] = q.Measure.ToString(),
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

    private static TransformQuality Quality(JsonNode json)
    {
        double Of(string name) => (double)json["quality"]![name]!;
        return new()
        {
            Measure = Enum.Parse<Similarity>((string)json["quality"]!["measure"]!),
            Similarity = Of("similarity"),
            AffineSimilarity = Of("affine_similarity"),
            Chance = Of("chance"),
            Distinctness = Of("distinctness"),
            Overlap = Of("overlap"),
            Scale = Of("scale"),
            Stretch = Of("stretch"),
            SmallestDeterminant = Of("smallest_determinant"),
            Folded = Of("folded"),
            Reasons = json["reasons"].Deserialize<string[]>()!,
        };
    }
}
