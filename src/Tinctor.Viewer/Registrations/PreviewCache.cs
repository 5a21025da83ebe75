using Tinctor.Transforms;

namespace Tinctor.Viewer.Registrations;

/// <summary>
/// Transforms that were fitted to landmarks and are not saved; the oldest are forgotten. Safe for use by several threads.
/// </summary>
internal sealed class PreviewCache
{
    private const int Most = 32;

    private readonly Lock access = new();
    private readonly LinkedList<(string Registration, string Id, RegistrationTransform Transform)> previews = [];

    /// <summary>Adds a transform, and returns its identifier.</summary>
    public string Add(string registration, RegistrationTransform transform)
    {
        string id = Guid.NewGuid().ToString("N");
        lock (access)
        {
            previews.AddFirst((registration, id, transform));
            if (previews.Count > Most) previews.RemoveLast();
        }
        return id;
    }

    /// <summary>Finds a transform of a registration; null if it is unknown or forgotten.</summary>
    public RegistrationTransform? Find(string registration, string id)
    {
        lock (access) return previews.FirstOrDefault(one => one.Registration == registration && one.Id == id).Transform;
    }
}
