using System.Text.Json;
using Tinctor.Slides.Annotations;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>
/// Nuclei as other tools write them besides label images: GeoJSON (QuPath, StarDist), the JSON of HoVer-Net, and label arrays of NumPy.
/// </summary>
internal static class ObjectFiles
{
    /// <summary>Extensions of the files.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".geojson", ".json", ".npy"];

    // Cellpose names its label images so.
    private static readonly string[] Suffixes = ["_cp_masks", ".cells", ".nuclei"];

    /// <summary>Lists the files of a folder.</summary>
    public static IReadOnlyList<string> Files(string folder) => !Directory.Exists(folder) ? [] :
        [.. Directory.EnumerateFiles(folder).Where(file => Extensions.Contains(Path.GetExtension(file).ToLowerInvariant()))
            .Where(file => !Path.GetFileName(file).StartsWith('.')).Order(StringComparer.Ordinal)];

    /// <summary>Name of the image that a file of masks or nuclei belongs to.</summary>
    public static string ImageName(string file)
    {
        string name = Path.GetFileNameWithoutExtension(file);
        return Suffixes.FirstOrDefault(suffix => name.EndsWith(suffix, StringComparison.Ordinal)) is string suffix
            ? name[..^suffix.Length] : name;
    }

    /// <summary>Reads the nuclei of an image. Pixels of several nuclei belong to the last one.</summary>
    /// <param name="path">The file.</param>
    /// <param name="width">Width of the image in pixels.</param>
    /// <param name="height">Height of the image in pixels.</param>
    /// <exception cref="TinctorException">The file is missing, damaged or of another form.</exception>
    public static LabelMap Read(string path, int width, int height)
    {
        if (Path.GetExtension(path).Equals(".npy", StringComparison.OrdinalIgnoreCase)) return NumpyLabels.Read(path);
        var labels = new int[width * height];
        bool isHoverNet = IsHoverNet(path);
        IReadOnlyList<Polygon> polygons = isHoverNet ? HoverNet(path) : GeoJsonFile.ReadObjects(path);
        foreach ((int i, Polygon polygon) in polygons.Index())
        {
            Fill(polygon, i + 1, labels, width, height);
            // Corners are centres of pixels that belong to the nucleus.
            if (isHoverNet) Trace(polygon.Rings[0], i + 1, labels, width, height);
        }
        return LabelMap.Create(width, height, labels);
    }

    private static bool IsHoverNet(string path) => Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase)
        && Parse(path, json => json.ValueKind == JsonValueKind.Object && json.TryGetProperty("nuc", out _));

    // {"nuc": {"1": {"contour": [[x, y], ...], ...}, ...}}
    private static IReadOnlyList<Polygon> HoverNet(string path) => Parse(path, json => json.GetProperty("nuc").EnumerateObject()
        .Select(nucleus => nucleus.Value.GetProperty("contour").EnumerateArray()
            .Select(corner => (corner[0].GetDouble() + 0.5, corner[1].GetDouble() + 0.5)).ToArray())
        .Where(contour => contour.Length > 2).Select(contour => new Polygon([contour])).ToArray());

    private static void Fill(Polygon polygon, int label, int[] labels, int width, int height)
    {
        (double X, double Y)[] outline = polygon.Rings[0];
        (int left, int top) = ((int)Math.Floor(outline.Min(corner => corner.X)), (int)Math.Floor(outline.Min(corner => corner.Y)));
        int columns = (int)Math.Ceiling(outline.Max(corner => corner.X)) - left;
        int rows = (int)Math.Ceiling(outline.Max(corner => corner.Y)) - top;
        if (columns < 1 || rows < 1) return;
        var mask = new bool[columns * rows];
        polygon.Fill(mask, columns, rows, left: left, top: top);
        for (int i = 0; i < mask.Length; i++)
        {
            (int x, int y) = (left + (i % columns), top + (i / columns));
            if (mask[i] && (uint)x < (uint)width && (uint)y < (uint)height) labels[(y * width) + x] = label;
        }
    }

    // Sets the pixels along the outline.
    private static void Trace((double X, double Y)[] ring, int label, int[] labels, int width, int height)
    {
        foreach ((int i, (double X, double Y) from) in ring.Index())
        {
            (double X, double Y) to = ring[(i + 1) % ring.Length];
            int steps = (int)Math.Max(1, Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)));
            for (int step = 0; step <= steps; step++)
            {
                double share = (double)step / steps;
                (int x, int y) = ((int)Math.Floor(double.Lerp(from.X, to.X, share)), (int)Math.Floor(double.Lerp(from.Y, to.Y, share)));
                if ((uint)x < (uint)width && (uint)y < (uint)height) labels[(y * width) + x] = label;
            }
        }
    }

    private static T Parse<T>(string path, Func<JsonElement, T> read)
    {
        try
        {
            using var json = JsonDocument.Parse(InputFile.ReadText(path));
            return read(json.RootElement);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IndexOutOfRangeException)
        {
            throw new TinctorException(path, $"not the nuclei of HoVer-Net or GeoJSON ({e.Message.Split('\n')[0]})", "Export it again", e);
        }
    }
}
