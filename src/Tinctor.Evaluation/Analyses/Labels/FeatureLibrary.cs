using Tinctor.Torch;

namespace Tinctor.Evaluation.Analyses.Labels;

/// <summary>One image of a library of features.</summary>
/// <param name="Name">The image's name in the test set; null for other images.</param>
/// <param name="Label">Its label.</param>
/// <param name="SlideId">Its slide, where known.</param>
/// <param name="Features">Its features.</param>
internal sealed record LibraryImage(string? Name, string Label, string? SlideId, float[] Features);

/// <summary>
/// Features of labelled real images, in which the nearest to a query are looked up by cosine similarity. Equal similarities keep the
/// library's order.
/// </summary>
internal sealed class FeatureLibrary : IDisposable
{
    private readonly IReadOnlyList<LibraryImage> images;
    private readonly Tensor directions;

    /// <summary>Takes the images, one at least.</summary>
    public FeatureLibrary(IReadOnlyList<LibraryImage> images)
    {
        this.images = images;
        using DisposeScope scope = torch.NewDisposeScope();
        directions = torch.stack([.. images.Select(image => Direction(image.Features))]).DetachFromDisposeScope();
    }

    /// <summary>How many images it holds.</summary>
    public int Count => images.Count;

    /// <summary>The nearest images to a query, the nearest first; fewer than asked for where the library is small.</summary>
    /// <param name="features">The query's features.</param>
    /// <param name="count">How many.</param>
    /// <param name="without">Images that are left out.</param>
    public IReadOnlyList<Neighbour> Nearest(float[] features, int count, Func<LibraryImage, bool> without)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        float[] similarities = directions.matmul(Direction(features)).ToArray<float>();
        return
        [
            .. images.Zip(similarities).Where(entry => !without(entry.First))
                .Select(entry => new Neighbour(entry.First.Label, entry.Second))
                .OrderByDescending(neighbour => neighbour.Similarity).Take(count),
        ];
    }

    /// <summary>
    /// The label that most neighbours have; of several as frequent ones that with the greatest sum of similarities. Null without any.
    /// </summary>
    public static string? Vote(IEnumerable<Neighbour> neighbours) =>
        neighbours.GroupBy(neighbour => neighbour.Label)
            .OrderByDescending(group => group.Count()).ThenByDescending(group => group.Sum(neighbour => neighbour.Similarity))
            .FirstOrDefault()?.Key;

    /// <summary>Frees the features.</summary>
    public void Dispose() => directions.Dispose();

    private static Tensor Direction(float[] features)
    {
        Tensor vector = torch.tensor(features, features.Length);
        return vector / vector.norm().clamp(min: 1e-12);
    }
}

/// <summary>An image of the library, as seen from a query.</summary>
/// <param name="Label">Its label.</param>
/// <param name="Similarity">Cosine of the angle between the features, -1 to 1.</param>
internal readonly record struct Neighbour(string Label, double Similarity);
