namespace Tinctor.Torch.Serialization;

/// <summary>Errors of untrusted files.</summary>
internal static class FileProblem
{
    /// <summary>Creates a one-line error whose problem may contain text of the file; control characters are replaced.</summary>
    public static TinctorException Create(string path, string problem, string? remedy = null) =>
        new(path, string.Concat(problem.Select(character => char.IsControl(character) ? '?' : character)), remedy);
}
