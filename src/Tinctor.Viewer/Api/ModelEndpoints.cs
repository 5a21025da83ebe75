using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Api;

/// <summary>Score of a model card, such as the validation.</summary>
internal sealed record ScoreJson(string Name, string Text);

/// <summary>
/// Model. Source and target are the kinds of images, such as RGB or 4 channels; mpp is in micrometres per pixel, parameters is the
/// number of weights.
/// </summary>
internal record ModelJson
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    public required string Folder { get; init; }

    /// <summary>staining, classifier, segmenter or the kind of another network for evaluation.</summary>
    public required string Kind { get; init; }

    public required string? Method { get; init; }

    public required string? Source { get; init; }

    public required string? Target { get; init; }

    public required double? Mpp { get; init; }

    public required long? Parameters { get; init; }

    public required DateTime Created { get; init; }

    /// <summary>Heading of the model card, which names the stains; null if there is none.</summary>
    public required string? Heading { get; init; }

    /// <summary>Scores of the model card.</summary>
    public required IReadOnlyList<ScoreJson> Scores { get; init; }

    /// <summary>The model card in Markdown; null in lists, and if there is none.</summary>
    public string? Card { get; init; }
}

/// <summary>Models: lists and model cards.</summary>
internal sealed class ModelEndpoints
{
    private readonly SafeFolders folders;
    private readonly Refreshed<IReadOnlyDictionary<string, CatalogueModel>> models;

    /// <summary>Creates the addresses of the models of folders.</summary>
    /// <param name="folders">Model folders, or folders of them.</param>
    /// <param name="interval">Age from which on the folders are read again.</param>
    public ModelEndpoints(SafeFolders folders, TimeSpan interval)
    {
        this.folders = folders;
        models = new(old => CatalogueModel.Read(folders, old), interval);
    }

    /// <summary>Adds the addresses.</summary>
    public void Map(IEndpointRouteBuilder routes)
    {
        RouteGroupBuilder group = routes.MapGroup("/api/v1/models").WithTags("Models");
        group.MapGet("", () => models.Value.Values.OrderBy(model => model.Name, StringComparer.Ordinal).Select(Describe))
            .WithSummary("Lists models");
        group.MapGet("/{id}", Get).WithSummary("Gets a model with its card").Produces<ModelJson>().Produces(404);
    }

    /// <summary>Returns a model by its identifier; null if it is not in the folders.</summary>
    public CatalogueModel? Find(string id) => models.Value.GetValueOrDefault(id);

    /// <summary>Returns a model that stains slides by its identifier; null if there is none.</summary>
    public CatalogueModel? FindStaining(string id) => Find(id) is { IsStaining: true } model ? model : null;

    /// <summary>Classifiers of images, in the order of their names.</summary>
    public IReadOnlyList<CatalogueModel> Classifiers =>
        [.. models.Value.Values.Where(model => model.Kind == "classifier").OrderBy(model => model.Name, StringComparer.Ordinal)];

    /// <summary>Returns the name of a model by the SHA-256 of its weights and its stain; null if it is not in the folders.</summary>
    public string? NameOf(string sha256, string? stain) =>
        models.Value.Values.FirstOrDefault(model => model.Sha256 == sha256 && model.Stain == stain)?.Name;

    private IResult Get(string id) => models.Value.TryGetValue(id, out CatalogueModel? model)
        ? Results.Ok(Describe(model) with { Card = model.ReadCard(folders) })
        : Results.Problem("There is no such model.", statusCode: StatusCodes.Status404NotFound);

    private static string? KindOf(int? channels) => channels switch
    {
        null => null,
        1 => "grey",
        3 => "RGB",
        _ => FormattableString.Invariant($"{channels} channels"),
    };

    private ModelJson Describe(CatalogueModel model)
    {
        ModelCardFacts card = model.ReadCard(folders) is { } text ? ModelCardFacts.Parse(text) : ModelCardFacts.None;
        return Describe(model, card);
    }

    private static ModelJson Describe(CatalogueModel model, ModelCardFacts card) => new()
    {
        Id = model.Id,
        Name = model.Name,
        Folder = model.Folder,
        Kind = model.Kind,
        Method = model.Description?.Method,
        Source = KindOf(model.Description?.InputChannels),
        Target = KindOf(model.Description?.OutputChannels),
        Mpp = model.Description?.Mpp,
        Parameters = model.Parameters,
        Created = model.Created,
        Heading = card.Heading,
        Scores = [.. card.Scores.Select(score => new ScoreJson(score.Name, score.Text))],
    };
}
