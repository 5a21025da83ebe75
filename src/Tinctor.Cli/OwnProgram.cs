namespace Tinctor.Cli;

/// <summary>This program as a command: an executable of its own, or a library that dotnet runs.</summary>
internal static class OwnProgram
{
    /// <summary>Gets the command that runs this program with other arguments, the executable first.</summary>
    public static string[] Command(params ReadOnlySpan<string> arguments)
    {
        string executable = Environment.ProcessPath!;
        string[] library = Path.GetFileNameWithoutExtension(executable) == "dotnet" ? [typeof(OwnProgram).Assembly.Location] : [];
        return [executable, .. library, .. arguments];
    }
}
