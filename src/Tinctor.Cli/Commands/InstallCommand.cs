using System.CommandLine;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor install</c>: puts the launcher onto the PATH.</summary>
internal static class InstallCommand
{
    private const string Description = """
        Link the launcher into ~/.local/bin, so that 'tinctor' runs from any folder.

        Examples:
          ./tinctor install
          ./tinctor install --folder ~/bin
          tinctor install --uninstall                          removes the link
        """;

    private static readonly Option<string?> Folder =
        new("--folder") { Description = "Folder of the link [default: ~/.local/bin]", HelpName = "DIR" };
    private static readonly Option<bool> Uninstall = new("--uninstall") { Description = "Remove the link" };

    public static Command Create()
    {
        var command = new Command("install", Description) { Folder, Uninstall };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string folder = parse.GetValue(Folder)
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "bin");
        string link = Path.Combine(Path.GetFullPath(folder), "tinctor");
        string launcher = Environment.GetEnvironmentVariable("TINCTOR_LAUNCHER")
            ?? throw new TinctorException("the launcher is unknown. Run the launcher of this installation: ./tinctor install.");
        if (parse.GetValue(Uninstall)) Remove(link);
        else Link(link, launcher);
        return 0;
    }

    private static void Link(string link, string launcher)
    {
        var file = new FileInfo(link);
        if (file.Exists && file.LinkTarget is null)
            throw new TinctorException(link, "is a file, not a link to a launcher",
                "Remove it, or choose another folder")
            { Option = nameof(Folder) };
        if (file.LinkTarget == launcher)
        {
            Terminal.Result($"{link} is installed already.");
        }
        else
        {
            if (file.LinkTarget is not null) file.Delete();
            Directory.CreateDirectory(Path.GetDirectoryName(link)!);
            File.CreateSymbolicLink(link, launcher);
            Terminal.Result($"Installed {link}.");
        }
        string folder = Path.GetDirectoryName(link)!;
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Contains(folder))
            Terminal.Result($"{folder} is not on the PATH. Add this line to ~/.bashrc: export PATH=\"{folder}:$PATH\"");
    }

    private static void Remove(string link)
    {
        var file = new FileInfo(link);
        if (file.LinkTarget is null)
        {
            Terminal.Result($"{link} is not installed.");
            return;
        }
        file.Delete();
        Terminal.Result($"Removed {link}.");
    }
}
