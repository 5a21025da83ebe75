namespace Tinctor.Viewer.Security;

/// <summary>Messages for browsers, without the folders of the server.</summary>
internal static class PublicMessage
{
    /// <summary>Describes an error in one line: <c>NAME: problem. Remedy.</c></summary>
    public static string Of(TinctorException e)
    {
        string name = e.File is null ? "" : $"{Path.GetFileName(e.File)}: ", problem = e.Problem.TrimEnd('.');
        return e.Remedy is null ? $"{name}{problem}." : $"{name}{problem}. {e.Remedy}";
    }
}
