using System.CommandLine;

namespace Tinctor.Cli;

/// <summary>Former names of options. They work for one release, with a note that names the new one.</summary>
internal static class RenamedOptions
{
    /// <summary>Command (empty for all), former name and new name.</summary>
    public static IReadOnlyList<(string Command, string Old, string New)> Names { get; } =
    [
        ("", "--out", "--output"),
        ("", "--mpp", "--slide-mpp"),
        ("", "--tile", "--tile-size"),
        ("", "--crop", "--crop-size"),
        ("", "--lr", "--learning-rate"),
        ("", "--repeats", "--samples"),
        ("", "--evaluations", "--steps"),
        ("pair", "--slide", "--slide-pattern"),
        ("pair", "--force", "--overwrite"),
        ("phantom", "--mpp", "--output-mpp"),
        ("phantom", "--force", "--overwrite"),
        ("prepare", "--slide", "--slide-pattern"),
        ("prepare", "--mpp", "--output-mpp"),
        ("register", "--mpp", "--work-mpp"),
        ("register", "--flips", "--mirror"),
        ("register", "--force", "--accept-failed"),
        ("warp", "--force", "--accept-failed"),
        ("convert", "--mpp", "--output-mpp"),
        ("convert", "--source-mpp", "--slide-mpp"),
        ("tissue", "--resolution", "--work-mpp"),
        ("stain", "--model-mpp", "--work-mpp"),
        ("stain", "--whole", "--whole-slide"),
        ("stain", "--ramp", "--overlap"),
        ("stain", "--batch", "--batch-size"),
        ("stain", "--statistics", "--normalization"),
        ("train classifier", "--slides", "--slide-pattern"),
        ("train segmenter", "--slides", "--slide-pattern"),
        ("train ceff-encoder", "--slides", "--slide-pattern"),
        ("import pix2pix", "--statistics", "--norm-statistics"),
        ("import ceff", "--statistics", "--norm-statistics"),
    ];

    /// <summary>Replaces former names in a command line.</summary>
    /// <param name="root">All commands.</param>
    /// <param name="args">Arguments as the shell passes them.</param>
    /// <returns>The arguments with the present names.</returns>
    public static string[] Translate(RootCommand root, string[] args)
    {
        // A directive such as [suggest:5] has the command line in its arguments.
        if (args is [['[', ..], ..]) return args;
        Command command = root;
        int first = 0;
        while (first < args.Length && command.Subcommands.FirstOrDefault(inner => inner.Name == args[first]) is { } found)
            (command, first) = (found, first + 1);
        string path = string.Join(' ', args[..first]);
        var result = args.ToArray();
        var noted = new HashSet<string>();
        for (int i = first; i < args.Length && args[i] != "--"; i++)
        {
            string[] parts = args[i].Split('=', 2);
            if (Find(command, path, parts[0]) is not string name) continue;
            result[i] = string.Join('=', [name, .. parts[1..]]);
            if (noted.Add(name))
                Terminal.Note($"note: {parts[0]} is now called {name}; the former name will be removed in the next release.");
        }
        return result;
    }

    private static string? Find(Command command, string path, string old)
    {
        bool Has(string name) => command.Options.Any(option => option.Name == name || option.Aliases.Contains(name));
        if (Has(old)) return null;
        return Names.Where(name => name.Old == old && (name.Command == path || name.Command.Length == 0))
            .OrderByDescending(name => name.Command.Length).Select(name => name.New).FirstOrDefault(Has);
    }
}
