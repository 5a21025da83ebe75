using System.CommandLine;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor install</c>: puts the program onto the PATH, with completion and a manual page.</summary>
internal static class InstallCommand
{
    private const string Description = """
        Link the program into ~/.local/bin, so that 'tinctor' runs from any folder, with completion for bash, zsh and fish
        and a manual page. On Windows, the link is tinctor.cmd; for completion, see 'tinctor completion --help'.

        Examples:
          ./tinctor install
          sudo ./tinctor install --prefix /usr/local            for all users
          tinctor install --uninstall                          removes all of it
        """;

    private static readonly Option<string?> Prefix =
        new("--prefix") { Description = "Folder that gets bin/ and share/ [default: ~/.local]", HelpName = "DIR" };
    private static readonly Option<bool> Uninstall = new("--uninstall") { Description = "Remove what was installed" };

    public static Command Create()
    {
        var command = new Command("install", Description) { Prefix, Uninstall };
        command.SetAction(Run);
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string prefix = Path.GetFullPath(parse.GetValue(Prefix)
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local"));
        string link = Path.Combine(prefix, "bin", OperatingSystem.IsWindows() ? "tinctor.cmd" : "tinctor");
        if (parse.GetValue(Uninstall))
        {
            Remove(prefix, link);
            return 0;
        }
        Link(link, Launcher());
        if (!OperatingSystem.IsWindows())
            foreach ((string file, string text) in Files(prefix, (RootCommand)parse.RootCommandResult.Command))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(file)!);
                AtomicFile.WriteText(file, text);
            }
        string folder = Path.GetDirectoryName(link)!;
        if (!(Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Contains(folder))
            Terminal.Result(OperatingSystem.IsWindows() ? $"{folder} is not on the PATH. Add it in the settings of Windows."
                : $"{folder} is not on the PATH. Add this line to ~/.bashrc: export PATH=\"{folder}:$PATH\"");
        return 0;
    }

    // The launcher of a clone, or the program of an archive.
    private static string Launcher() => Environment.GetEnvironmentVariable("TINCTOR_LAUNCHER")
        ?? (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "tinctor" ? Environment.ProcessPath! : throw new TinctorException(
            "the launcher is unknown. Run the launcher of this installation: ./tinctor install."));

    // Where the shells and man look for files of programs below a prefix.
    private static (string File, string Text)[] Files(string prefix, RootCommand? root) =>
    [
        (Path.Combine(prefix, "share", "bash-completion", "completions", "tinctor"), CompletionCommand.Scripts["bash"] + "\n"),
        (Path.Combine(prefix, "share", "zsh", "site-functions", "_tinctor"), CompletionCommand.Scripts["zsh"] + "\n"),
        (Path.Combine(prefix, "share", "fish", "vendor_completions.d", "tinctor.fish"), CompletionCommand.Scripts["fish"] + "\n"),
        (Path.Combine(prefix, "share", "man", "man1", "tinctor.1"), root is null ? "" : ManualPage.Create(root)),
    ];

    private static void Link(string link, string launcher)
    {
        RequireOwn(link);
        if (LauncherOf(link) == launcher)
        {
            Terminal.Result($"{link} is installed already.");
            return;
        }
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.Delete(link);
        // Symbolic links need special rights on Windows.
        if (OperatingSystem.IsWindows()) File.WriteAllText(link, $"@\"{launcher}\" %*\r\n");
        else File.CreateSymbolicLink(link, launcher);
        Terminal.Result($"Installed {link}.");
    }

    private static void RequireOwn(string link)
    {
        if (File.Exists(link) && LauncherOf(link) is null)
            throw new TinctorException(link, "is a file, not a link to a launcher", "Remove it, or choose another folder")
            { Option = nameof(Prefix) };
    }

    // Target of a link; null if there is none.
    private static string? LauncherOf(string link)
    {
        if (!OperatingSystem.IsWindows()) return new FileInfo(link).LinkTarget;
        string text = File.Exists(link) ? File.ReadAllText(link).Trim() : "";
        return text.StartsWith("@\"", StringComparison.Ordinal) && text.EndsWith("\" %*", StringComparison.Ordinal) ? text[2..^4] : null;
    }

    private static void Remove(string prefix, string link)
    {
        RequireOwn(link);
        bool wasInstalled = LauncherOf(link) is not null;
        if (wasInstalled) File.Delete(link);
        foreach ((string file, _) in Files(prefix, null).Where(file => File.Exists(file.File))) File.Delete(file);
        Terminal.Result(wasInstalled ? $"Removed {link}." : $"{link} is not installed.");
    }
}
