using Tinctor.Transforms;

namespace Tinctor.Registration.Pairs;

/// <summary>Transforms in a folder and its subfolders, found by the names of their slides.</summary>
internal sealed class TransformFolder
{
    private readonly ILookup<(string Source, string Target), (string Path, RegistrationTransform Transform)> transforms;

    /// <summary>Reads the transforms of a folder.</summary>
    /// <exception cref="TinctorException">The folder is missing, or a transform is damaged.</exception>
    public TransformFolder(string folder)
    {
        if (!Directory.Exists(folder))
            throw new TinctorException(folder, "no such folder", "Check the path") { Option = nameof(PreparationOptions.TransformFolder) };
        transforms = Directory.EnumerateFiles(folder, "*.json", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
            .Where(TransformFile.IsTransform).Select(path => (Path: path, Transform: TransformFile.Read(path)))
            .ToLookup(found => (Path.GetFileName(found.Transform.Source.Path), Path.GetFileName(found.Transform.Target.Path)));
    }

    /// <summary>
    /// Finds the transform of two slides; null if there is none. Reviewed transforms come before others, the latest review first.
    /// </summary>
    /// <exception cref="TinctorException">Several transforms without review belong to the slides.</exception>
    public string? Find(string source, string target)
    {
        (string Path, RegistrationTransform Transform)[] found =
            [.. transforms[(Path.GetFileName(source), Path.GetFileName(target))].OrderByDescending(one => one.Transform.Review?.Time)];
        return found.Length < 2 || found[0].Transform.Review is not null ? found.FirstOrDefault().Path
            : throw new TinctorException(found[1].Path, $"another transform of the same slides is {found[0].Path}", "Keep one of them");
    }
}
