using System.Text.Json.Nodes;
using Tinctor.Evaluation.Data;
using Tinctor.Slides;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// The images that the report carries. All of them where they are few; else the worst, median and best by SSIM and one of each label,
/// as JPEGs that together stay within a budget.
/// </summary>
internal static class Gallery
{
    private const int MaxImages = 24;
    private const int ByteBudget = 1_300_000;
    private static readonly int[] Sides = [1024, 768, 512, 384, 256, 192];

    public static JsonObject Of(EvaluationResult result)
    {
        var chosen = Choose(result);
        foreach (int side in Sides)
        {
            var entries = Encode(chosen, result.Models.First().Key, side, side == Sides[^1] ? long.MaxValue : ByteBudget);
            if (entries is not null)
                return new()
                {
                    ["complete"] = chosen.Count == result.Images.Count,
                    ["max_side"] = side,
                    ["quality"] = Jpeg.Quality,
                    ["images"] = entries,
                };
        }
        throw new InvalidOperationException("unreachable: the last side has no budget");
    }

    /// <summary>Images with the reason why each is shown, worst first.</summary>
    private static List<(ImageResult Image, string Why)> Choose(EvaluationResult result)
    {
        int ssim = result.Metrics.Index().First(m => m.Item.Key == "ssim").Index;
        string model = result.Models.First().Key;
        ImageResult[] ranked = [.. result.Images.OrderBy(i => i.Scores[model][ssim])];
        var why = new Dictionary<ImageResult, string>();
        void Take(IEnumerable<ImageResult> images, string reason)
        {
            foreach (var image in images)
                if (why.Count < MaxImages)
                    why.TryAdd(image, reason);
        }
        int few = ranked.Length >= 9 ? 3 : 1;
        Take(ranked.Take(few), "worst");
        Take(ranked.Reverse().Take(few), "best");
        Take(ranked.Skip((ranked.Length - few) / 2).Take(few), "median");
        foreach (var label in ranked.Where(i => i.Pair.Label is not null).GroupBy(i => i.Pair.Label!))
            Take(label.Skip(label.Count() / 2).Take(1), $"median of {label.Key}");
        if (ranked.Length <= MaxImages)
            Take(ranked, "");
        return [.. ranked.Where(why.ContainsKey).Select(i => (i, why[i]))];
    }

    private static JsonArray? Encode(List<(ImageResult Image, string Why)> chosen, string model, int side, long budget)
    {
        var entries = new JsonArray();
        long bytes = 0;
        foreach (var (image, why) in chosen)
        {
            var entry = new JsonObject { ["name"] = image.Pair.Name, ["why"] = why };
            (string, string?)[] versions = [("source", image.Pair.Source), ("stained", image.Pair.PathOf(model)), ("real", image.Pair.Real)];
            foreach (var (role, path) in versions)
            {
                if (path is null)
                    continue;
                byte[] jpeg = Jpeg.Encode(RgbReader.Read(path), image.Width, image.Height, side);
                bytes += jpeg.Length;
                if (bytes > budget)
                    return null;
                entry[role] = "data:image/jpeg;base64," + Convert.ToBase64String(jpeg);
            }
            entries.Add(entry);
        }
        return entries;
    }
}

/// <summary>JPEGs for the report.</summary>
internal static class Jpeg
{
    public const int Quality = 88;

    /// <summary>Brings an image to the target's shape (a source may be smaller), at most side pixels long.</summary>
    public static byte[] Encode(Image image, int width, int height, int side)
    {
        double scale = Math.Min(1, side / (double)Math.Max(width, height));
        int w = Math.Max(1, (int)Math.Round(width * scale)), h = Math.Max(1, (int)Math.Round(height * scale));
        if ((image.Width, image.Height) != (w, h))
            image = image.Resize(w, h, ResizeKernel.Lanczos3);
        string file = Path.Combine(Path.GetTempPath(), $"tinctor-{Guid.NewGuid():N}.jpg");
        try
        {
            image.Write(file, Quality);
            return File.ReadAllBytes(file);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
