namespace Tinctor.Data;

/// <summary>Many problems in one message.</summary>
internal static class Problems
{
    private const int Shown = 20;

    /// <summary>Joins the first twenty problems and the number of the others.</summary>
    public static string List(IReadOnlyCollection<string> problems, string separator = "; ") =>
        string.Join(separator, problems.Take(Shown)) + (problems.Count > Shown ? $"{separator}and {problems.Count - Shown} more" : "");
}
