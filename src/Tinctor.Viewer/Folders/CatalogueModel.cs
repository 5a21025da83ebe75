using System.Buffers.Binary;
using System.Text.Json;
using Tinctor.Measurement.Levels;
using Tinctor.Staining.Models;

namespace Tinctor.Viewer.Folders;

/// <summary>Model in the folders: a staining model, or a network for evaluation. A model of several stains appears once for each.</summary>
/// <param name="Path">The model folder.</param>
/// <param name="Id">Identifier in addresses.</param>
/// <param name="Name">Name of the folder, or of the run whose model it is, and the stain of a model of several.</param>
/// <param name="Folder">Folder as users know it.</param>
/// <param name="Created">Time of the description, in UTC.</param>
internal sealed record CatalogueModel(string Path, string Id, string Name, string Folder, DateTime Created)
{
    private const string DescriptionFile = "model.json", RunModel = "model", Staining = "staining";
    private const long LargestText = 1 << 20, LargestHeader = 1 << 26;

    private readonly Lazy<string> kind = new(() => Attempt(() => LevelClassifier.KindOf(Path)) ?? Staining);
    private readonly Lazy<string?> sha256 = new(() => Attempt(() => ModelFolder.Sha256(Path)));
    private readonly Lazy<ModelDescription?> description = new(() => Attempt(() => ModelFolder.Read(Path)));
    private readonly Lazy<long?> parameters =
        new(() => Attempt(() => CountParameters(System.IO.Path.Combine(Path, ModelFolder.WeightsFile))));

    /// <summary>Stain of a model of several; null for a model of one.</summary>
    public string? Stain { get; private init; }

    /// <summary>Name of the folder, or of the run whose model it is.</summary>
    public string FolderName { get; private init; } = Name;

    /// <summary>SHA-256 of the weights; null if they cannot be read.</summary>
    public string? Sha256 => sha256.Value;

    /// <summary>Kind of the model: staining, or that of a network for evaluation, such as classifier.</summary>
    public string Kind => kind.Value;

    /// <summary>Whether the model stains slides.</summary>
    public bool IsStaining => Kind == Staining;

    /// <summary>Description of the model; null if there is none, or it is damaged.</summary>
    public ModelDescription? Description => description.Value;

    /// <summary>Number of weights; null if unknown.</summary>
    public long? Parameters => parameters.Value;

    /// <summary>Lists the models of folders; models that have not changed stay the same objects.</summary>
    public static IReadOnlyDictionary<string, CatalogueModel> Read(SafeFolders folders, IReadOnlyDictionary<string, CatalogueModel>? old)
    {
        var models = new SortedDictionary<string, CatalogueModel>(StringComparer.Ordinal);
        ILookup<string, CatalogueModel>? known = old?.Values.ToLookup(model => model.Path);
        foreach (string folder in folders.Roots.Where(Directory.Exists).SelectMany(folders.Subfolders))
        {
            string[] files = [.. new[] { DescriptionFile, ModelFolder.WeightsFile, ModelFolder.OnnxFile, ModelFolder.ConfigFile }
                .Select(file => System.IO.Path.Combine(folder, file)).Where(File.Exists)];
            bool isModel = files.Any(file => !file.EndsWith(ModelFolder.ConfigFile, StringComparison.Ordinal)) && files.Length > 1;
            if (!isModel || !files.All(folders.Contains)) continue;
            string parent = System.IO.Path.GetDirectoryName(folder)!;
            bool isOfRun = System.IO.Path.GetFileName(folder) == RunModel
                && File.Exists(System.IO.Path.Combine(parent, ModelFolder.ConfigFile));
            string name = System.IO.Path.GetFileName(isOfRun ? parent : folder);
            var model = new CatalogueModel(folder, SafeFolders.IdOf(folder), name,
                folders.DisplayFolder(folder), files.Max(File.GetLastWriteTimeUtc));
            bool isKnown = known?[folder].FirstOrDefault()?.Created == model.Created;
            foreach (CatalogueModel each in isKnown ? known![folder] : model.ByStain()) models[each.Id] = each;
        }
        return models;
    }

    /// <summary>Gets the identifier of the model in a folder.</summary>
    /// <param name="path">The model folder.</param>
    /// <param name="stain">Stain of a model of several; null for a model of one.</param>
    public static string IdOf(string path, string? stain) =>
        SafeFolders.IdOf(stain is null ? path : System.IO.Path.Combine(path, stain));

    private IEnumerable<CatalogueModel> ByStain() => Description?.Stains is { Count: > 1 } stains
        ? stains.Select(stain => new CatalogueModel(Path, IdOf(Path, stain), $"{Name} {stain}", Folder, Created)
        {
            Stain = stain,
            FolderName = Name,
        })
        : [this];

    /// <summary>Reads the model card; null if there is none.</summary>
    /// <param name="folders">Folders that the card must be in.</param>
    public string? ReadCard(SafeFolders folders)
    {
        string card = System.IO.Path.Combine(Path, ModelFolder.CardFile);
        return new FileInfo(card) is { Exists: true, Length: > 0 and <= LargestText } && folders.Contains(card)
            ? Attempt(() => InputFile.ReadText(card)) : null;
    }

    // The header of a safetensors file is JSON: names with type, shape and place.
    private static long? CountParameters(string path)
    {
        if (!File.Exists(path)) return null;
        using FileStream file = InputFile.Open(path);
        Span<byte> start = stackalloc byte[sizeof(long)];
        file.ReadExactly(start);
        long length = BinaryPrimitives.ReadInt64LittleEndian(start);
        if (length is <= 0 or > LargestHeader || length > file.Length) return null;
        byte[] header = new byte[length];
        file.ReadExactly(header);
        using JsonDocument json = JsonDocument.Parse(header);
        return json.RootElement.EnumerateObject().Where(entry => entry.Value.TryGetProperty("shape", out _)).Sum(entry =>
            entry.Value.GetProperty("shape").EnumerateArray().Aggregate(1L, (product, side) => checked(product * side.GetInt64())));
    }

    private static T? Attempt<T>(Func<T?> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is TinctorException or JsonException or InvalidOperationException or FormatException
            or OverflowException || FileErrors.IsFileError(e))
        {
            return default;
        }
    }
}
