using System.Collections.Concurrent;
using System.Collections.Frozen;
using Tinctor.Transforms;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Registrations;

/// <summary>
/// Transforms whose slides are in the catalogue: those of the slides' folders, which are only read, and those of the folder of results,
/// with reviews and landmarks.
/// </summary>
/// <param name="slides">Slides of the folders.</param>
/// <param name="folder">Folder of results: a subfolder for each registration that was begun or reviewed in the viewer.</param>
/// <param name="interval">Age from which on the folders are read again.</param>
internal sealed class RegistrationCatalogue(SlideCatalogue slides, string folder, TimeSpan interval)
{
    private const string OriginalFolder = "original", ManualFolder = "by-hand";
    private const long LargestFile = 1 << 20;
    private const int MostTransforms = 16;

    private readonly ConcurrentDictionary<(string Path, DateTime Time, long Length), (string, string)?> read = new();
    private readonly ConcurrentDictionary<string, RegistrationTransform> transforms = new(StringComparer.Ordinal);
    private Refreshed<FrozenDictionary<string, CatalogueRegistration>>? list;

    /// <summary>Held while files of registrations are read or written that belong together.</summary>
    public Lock Files { get; } = new();

    /// <summary>Registrations at present, by identifier.</summary>
    public FrozenDictionary<string, CatalogueRegistration> Current => Entries.Value;

    private Refreshed<FrozenDictionary<string, CatalogueRegistration>> Entries => list ??= new(_ => Read(), interval);

    /// <summary>Finds a registration; null if there is none.</summary>
    public CatalogueRegistration? Find(string id) => Current.GetValueOrDefault(id);

    /// <summary>Reads the present transform of a registration.</summary>
    /// <exception cref="TinctorException">The file is damaged, or its displacement is missing.</exception>
    public RegistrationTransform Transform(CatalogueRegistration registration)
    {
        if (transforms.TryGetValue(registration.Stamp, out RegistrationTransform? known)) return known;
        if (transforms.Count >= MostTransforms) transforms.Clear();
        lock (Files) return transforms[registration.Stamp] = TransformFile.Read(Allowed(registration.Path));
    }

    /// <summary>Reads the transform before any review; the reviewed one if no other is left.</summary>
    /// <exception cref="TinctorException">The file is damaged, or its displacement is missing.</exception>
    public RegistrationTransform Original(CatalogueRegistration registration) =>
        TransformFile.Read(Allowed(registration.Original ?? registration.Path)) with { Review = null };

    /// <summary>Adds a registration whose transform was estimated or begun by hand.</summary>
    public string Add(CatalogueSlide target, RegistrationTransform transform, string id, bool isManual)
    {
        string path = System.IO.Path.Combine(folder, id, isManual ? ManualFolder : OriginalFolder,
            Tinctor.Slides.Slide.NameOf(target.Path) + ".json");
        TransformFile.Write(path, transform);
        list = null;
        return path;
    }

    /// <summary>Saves a reviewed transform; the original file is kept.</summary>
    /// <returns>The file.</returns>
    /// <exception cref="TinctorException">The file cannot be written.</exception>
    public string Save(CatalogueRegistration registration, RegistrationTransform transform)
    {
        string own = PathOf(registration), path = System.IO.Path.Combine(own, registration.Name + ".json");
        // A displacement of its own for each version, so that a transform that is replaced stays complete until then.
        string displacement = $"{registration.Name}_{Guid.NewGuid():N}.safetensors";
        lock (Files)
        {
            TransformFile.Write(path, transform, displacement);
            foreach (string old in Directory.GetFiles(own, "*.safetensors").Where(file => System.IO.Path.GetFileName(file) != displacement))
                File.Delete(old);
        }
        list = null;
        return path;
    }

    /// <summary>Returns the file of the landmarks of a registration's source or target.</summary>
    public string LandmarksOf(CatalogueRegistration registration, bool source) =>
        System.IO.Path.Combine(PathOf(registration), source ? "source.csv" : "target.csv");

    private string PathOf(CatalogueRegistration registration) => System.IO.Path.Combine(folder, registration.Id);

    // Neither the transform nor its displacement leads out of the folders.
    private string Allowed(string path)
    {
        string? displacement = slides.Folders.Contains(path) ? TransformFile.DisplacementOf(path) : path;
        return displacement is null || !Path.Exists(displacement) || slides.Folders.Contains(displacement) ? path
            : throw new TinctorException(path, "leads out of the folders of slides", "Add the folder that holds the file.");
    }

    private FrozenDictionary<string, CatalogueRegistration> Read()
    {
        SlideList list = slides.Current;
        var found = new Dictionary<string, CatalogueRegistration>(StringComparer.Ordinal);
        string own = SafeFolders.RealPath(folder) ?? folder;
        foreach (string path in slides.Folders.Roots.Where(Directory.Exists).SelectMany(slides.Folders.Files))
        {
            if (!path.EndsWith(".json", StringComparison.Ordinal)
                || path.StartsWith(own + Path.DirectorySeparatorChar, StringComparison.Ordinal))
                continue;
            string id = SafeFolders.IdOf(path);
            if (Pair(list, path) is var (source, target))
                found[id] = new(id, source, target, path, Reviewed(id), IsManual: false);
        }
        foreach (string subfolder in Directory.Exists(folder) ? Directory.EnumerateDirectories(folder) : [])
        {
            string id = Path.GetFileName(subfolder);
            if (found.ContainsKey(id)) continue;
            string? original = Transforms(Path.Combine(subfolder, OriginalFolder));
            string? manual = Transforms(Path.Combine(subfolder, ManualFolder));
            string? reviewed = Reviewed(id), present = reviewed ?? original ?? manual;
            if (present is not null && Pair(list, present) is var (source, target))
                found[id] = new(id, source, target, original ?? manual, reviewed, original is null && manual is not null);
        }
        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private string? Reviewed(string id) => Transforms(Path.Combine(folder, id));

    private static string? Transforms(string folder) =>
        Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json").Where(file => !AtomicFile.IsLeftover(file))
            .Order(StringComparer.Ordinal).FirstOrDefault() : null;

    private (CatalogueSlide Source, CatalogueSlide Target)? Pair(SlideList list, string path)
    {
        var file = new FileInfo(path);
        if (file is not { Exists: true, Length: <= LargestFile } || !slides.Folders.Contains(path)) return null;
        (string Source, string Target)? paths = read.GetOrAdd((path, file.LastWriteTimeUtc, file.Length),
            key => TransformFile.IsTransform(key.Path) ? TransformFile.SlidesOf(key.Path) : null);
        return paths is { } pair && list.Find(pair.Source) is { } source && list.Find(pair.Target) is { } target ? (source, target) : null;
    }
}
