using System.Text.Json.Nodes;
using Tinctor.Slides;
using Tinctor.Slides.Colour;

namespace Tinctor.Evaluation.Report;

/// <summary>
/// Images in the report: all if they are few, otherwise the worst and best of each model in some metrics and the median of each label.
/// JPEGs whose size is chosen so that all fit into a budget.
/// </summary>
internal static class Gallery
{
    /// <summary>Bytes of all JPEGs; as base64 a third more, so that the report can still be mailed.</summary>
    public const int ByteBudget = 12_000_000;

    private const int AllUpTo = 24;
    private const int AnEnd = 10;
    private static readonly int[] Sides = [1024, 768, 512, 384, 256, 192, 128];

    /// <summary>Chooses and encodes the images.</summary>
    /// <param name="result">Result of the evaluation.</param>
    /// <param name="viewer">Address of the viewer that the images link to; null for no links.</param>
    public static JsonObject Of(EvaluationResult result, string? viewer = null)
    {
        Ranking[] rankings = [.. from model in result.Models from metric in RankedBy(result) select Rank(result, model.Key, metric)];
        var chosen = Choose(result, rankings);
        int side = ChooseSide(result, chosen);
        var dab = StainMatrix.HaematoxylinDab.Inverse;
        return new()
        {
            ["complete"] = chosen.Length == result.Images.Count,
            ["budget"] = ByteBudget,
            ["max_side"] = side,
            ["dab"] = new JsonArray(dab[1], dab[4], dab[7]),
            ["sets"] = new JsonArray([.. rankings.Select(r => new JsonObject
            {
                ["model"] = r.Model,
                ["metric"] = r.Metric,
                ["worst"] = Names(r.Worst),
                ["best"] = Names(r.Best),
            })]),
            ["images"] = new JsonArray([.. chosen.AsParallel().AsOrdered().Select(image => Encode(result, image, side, viewer))]),
        };
    }

    /// <summary>PSNR and SSIM, then the first metric of DAB and of perception where there are any.</summary>
    private static IEnumerable<int> RankedBy(EvaluationResult result)
    {
        var metrics = result.Metrics.Index().ToArray();
        var keys = metrics.Where(m => m.Item.Key is "psnr" or "ssim");
        string[] groups = result.TargetHasDab ? ["dab", "perceptual"] : ["perceptual"];
        return keys.Concat(groups.SelectMany(g => metrics.Where(m => m.Item.Group == g).Take(1))).Select(m => m.Index);
    }

    private static Ranking Rank(EvaluationResult result, string model, int metric)
    {
        bool higher = result.Metrics[metric].HigherIsBetter;
        ImageResult[] ranked =
        [
            .. result.Images.Where(i => !double.IsNaN(i.Scores[model][metric]))
                .OrderBy(i => higher ? i.Scores[model][metric] : -i.Scores[model][metric]),
        ];
        int count = Math.Clamp(ranked.Length / 2, Math.Min(1, ranked.Length), AnEnd);
        return new(model, result.Metrics[metric].Key, ranked, ranked[..count], [.. ranked.Reverse().Take(count)]);
    }

    private static ImageResult[] Choose(EvaluationResult result, Ranking[] rankings)
    {
        if (result.Images.Count <= AllUpTo)
            return [.. result.Images];
        var chosen = rankings.SelectMany(r => r.Worst.Concat(r.Best)).ToHashSet();
        foreach (var ranking in rankings.Where(r => r.Metric == "ssim"))
            foreach (var label in ranking.Ranked.Where(i => i.Pair.Label is not null).GroupBy(i => i.Pair.Label))
                chosen.Add(label.ElementAt(label.Count() / 2));
        return [.. result.Images.Where(chosen.Contains)];
    }

    /// <summary>The largest side with which a sample of the images, scaled up to all of them, stays a tenth below the budget.</summary>
    private static int ChooseSide(EvaluationResult result, ImageResult[] chosen)
    {
        const int Sampled = 6;
        int sampled = Math.Min(Sampled, chosen.Length);
        ImageResult[] sample = [.. Enumerable.Range(0, sampled).Select(k => chosen[k * chosen.Length / sampled])];
        var images = sample.SelectMany(i => Files(result, i).Select(f => (Image: i.Pair.ReadRgb(f.Path), i.Width, i.Height))).ToArray();
        int largest = chosen.Max(i => Math.Max(i.Width, i.Height));
        return Sides.SkipWhile(side => side / 2 >= largest).FirstOrDefault(side =>
            images.AsParallel().Sum(i => (long)Jpeg.Encode(i.Image, i.Width, i.Height, side).Length) * chosen.Length / sample.Length
                < ByteBudget * 0.9, Sides[^1]);
    }

    private static JsonObject Encode(EvaluationResult result, ImageResult image, int side, string? viewer)
    {
        var entry = new JsonObject { ["name"] = image.Pair.Name };
        var stained = new JsonObject();
        foreach (var (model, role, path) in Files(result, image))
        {
            string uri = Jpeg.DataUri(image.Pair.ReadRgb(path), image.Width, image.Height, side);
            if (model is null)
                entry[role] = uri;
            else
                stained[model] = uri;
        }
        entry["stained"] = stained;
        if (viewer is not null)
        {
            entry["links"] = new JsonObject(result.Models.Select(model => KeyValuePair.Create(model.Key,
                (JsonNode?)ViewerLink.Create(viewer, image.Pair.PathOf(model.Key), image.Pair.Real)[0].Address)));
        }
        return entry;
    }

    private static IEnumerable<(string? Model, string Role, string Path)> Files(EvaluationResult result, ImageResult image)
    {
        if (image.Pair.Source is { } source)
            yield return (null, "source", source);
        foreach (var model in result.Models)
            yield return (model.Key, "stained", image.Pair.PathOf(model.Key));
        yield return (null, "real", image.Pair.Real);
    }

    private static JsonArray Names(IEnumerable<ImageResult> images) => new([.. images.Select(i => JsonValue.Create(i.Pair.Name))]);

    /// <summary>A model's images from worst to best by one metric, and both ends; best starts with the very best.</summary>
    private sealed record Ranking(string Model, string Metric, ImageResult[] Ranked, ImageResult[] Worst, ImageResult[] Best);
}

/// <summary>JPEGs for the report.</summary>
internal static class Jpeg
{
    private const int Quality = 88;

    /// <summary>
    /// Encodes an image in the shape of the target (a source may be smaller), with a longest side of at most <paramref name="side"/>.
    /// </summary>
    public static byte[] Encode(Image image, int width, int height, int side)
    {
        double scale = Math.Min(1, side / (double)Math.Max(width, height));
        int w = Math.Max(1, (int)Math.Round(width * scale)), h = Math.Max(1, (int)Math.Round(height * scale));
        if ((image.Width, image.Height) != (w, h))
            image = image.Resize(w, h, ResizeKernel.Lanczos3);
        return ImageWriter.EncodeJpeg(image, Quality);
    }

    /// <summary>Encodes an image as a data URI; see <see cref="Encode"/>.</summary>
    public static string DataUri(Image image, int width, int height, int side) =>
        "data:image/jpeg;base64," + Convert.ToBase64String(Encode(image, width, height, side));
}
