using System.Numerics.Tensors;

namespace Tinctor.Evaluation.Analyses.Labels;

/// <summary>Image of a <see cref="FeatureLibrary"/>.</summary>
/// <param name="Name">The image's name in the test set; null for other images.</param>
/// <param name="Label">Label of the image.</param>
/// <param name="SlideId">Slide of the image; null if unknown.</param>
/// <param name="Features">Feature vector.</param>
internal sealed record LibraryImage(string? Name, string Label, string? SlideId, float[] Features);

/// <summary>
/// Feature vectors of labelled real images, searched for the nearest ones by cosine similarity. Equal similarities keep the order of the
/// library.
/// </summary>
internal sealed class FeatureLibrary
{
    private readonly IReadOnlyList<LibraryImage> images;
    private readonly float[][] directions;

    /// <summary>Creates a library of at least one image.</summary>
    public FeatureLibrary(IReadOnlyList<LibraryImage> images)
    {
        this.images = images;
        directions = [.. images.Select(image => Direction(image.Features))];
    }

    /// <summary>Number of images.</summary>
    public int Count => images.Count;

    /// <summary>The nearest images to a query, the nearest first; fewer than asked for where the library is small.</summary>
    /// <param name="features">The query's features.</param>
    /// <param name="count">Number of images to return.</param>
    /// <param name="without">Images that are left out.</param>
    public IReadOnlyList<Neighbour> Nearest(float[] features, int count, Func<LibraryImage, bool> without)
    {
        float[] query = Direction(features);
        IEnumerable<float> similarities = directions.Select(direction => TensorPrimitives.Dot<float>(direction, query));
        return
        [
            .. images.Zip(similarities).Where(entry => !without(entry.First))
                .Select(entry => new Neighbour(entry.First.Label, entry.Second))
                .OrderByDescending(neighbour => neighbour.Similarity).Take(count),
        ];
    }

    /// <summary>
    /// Returns the most frequent label of the neighbours, and of equally frequent ones that with the largest sum of similarities. Null
    /// without neighbours.
    /// </summary>
    public static string? Vote(IEnumerable<Neighbour> neighbours) =>
        neighbours.GroupBy(neighbour => neighbour.Label)
            .OrderByDescending(group => group.Count()).ThenByDescending(group => group.Sum(neighbour => neighbour.Similarity))
            .FirstOrDefault()?.Key;

    private static float[] Direction(float[] features)
    {
        var direction = new float[features.Length];
        TensorPrimitives.Divide(features, Math.Max(TensorPrimitives.Norm<float>(features), 1e-12f), direction);
        return direction;
    }
}

/// <summary>An image of the library, as seen from a query.</summary>
/// <param name="Label">Label of the image.</param>
/// <param name="Similarity">Cosine of the angle between the features, -1 to 1.</param>
internal readonly record struct Neighbour(string Label, double Similarity);
