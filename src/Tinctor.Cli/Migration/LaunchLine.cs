namespace Tinctor.Cli.Migration;

/// <summary>Command line of an official train.py or test.py.</summary>
/// <param name="IsTest">Whether the script is test.py.</param>
/// <param name="Words">Words after the script.</param>
internal sealed record LaunchLine(bool IsTest, IReadOnlyList<string> Words)
{
    /// <summary>Finds the command lines in a text, such as a command, a shell script or a launcher of CUT's descendants.</summary>
    /// <exception cref="TinctorException">The text has no such command line.</exception>
    public static IReadOnlyList<LaunchLine> Find(string text)
    {
        if (LauncherFile.IsLauncher(text)) return LauncherFile.Read(text);
        IReadOnlyList<IReadOnlyList<string>> commands = ShellWords.Split(text);
        LaunchLine[] found = [.. commands.Select(FromWords).OfType<LaunchLine>()];
        if (found.Length > 0) return found;
        if (commands.Any(words => words.Contains("experiments")))
            throw new TinctorException("the options of 'python -m experiments' are in a file of the repository. "
                + "Name that file, such as experiments/mist_launcher.py");
        string first = commands.Count > 0 ? string.Join(' ', commands[0].Take(3)) : "nothing";
        throw new TinctorException($"the command is {first}, expected python train.py or python test.py. Quote the whole command line");
    }

    /// <summary>Assigns the words to flags.</summary>
    /// <param name="known">Flags of the repository.</param>
    public GivenFlags Parse(IReadOnlyList<OfficialFlag> known)
    {
        var (given, unknown) = (new Dictionary<string, string>(), new List<string>());
        for (int i = 0; i < Words.Count; i++)
        {
            string word = Words[i];
            if (!word.StartsWith("--", StringComparison.Ordinal)) continue;
            string[] parts = word.Split('=', 2);
            if (Match(known, parts[0][2..]) is not { } flag)
            {
                unknown.Add(parts[0]);
                continue;
            }
            bool follows = i + 1 < Words.Count && !Words[i + 1].StartsWith("--", StringComparison.Ordinal);
            if (parts.Length == 2) given[flag.Name] = Normalized(flag, parts[1]);
            else if (flag.Value == FlagValue.Switch || (flag.Value == FlagValue.Optional && !follows)) given[flag.Name] = "True";
            else if (!follows) throw new TinctorException($"{parts[0]} needs a value. Add it to the command line");
            else given[flag.Name] = Normalized(flag, Words[++i]);
        }
        return new(given, unknown);
    }

    private static LaunchLine? FromWords(IReadOnlyList<string> words)
    {
        for (int i = 0; i < words.Count; i++)
        {
            string script = words[i].Split('/', '\\')[^1];
            if (script is "train.py" or "test.py") return new(script == "test.py", [.. words.Skip(i + 1)]);
        }
        return null;
    }

    // Python's argparse accepts the beginning of a name.
    private static OfficialFlag? Match(IReadOnlyList<OfficialFlag> known, string name)
    {
        OfficialFlag? exact = known.FirstOrDefault(flag => flag.Name == name)
            ?? known.FirstOrDefault(flag => flag.OlderNames.Contains(name));
        if (exact is not null) return exact;
        OfficialFlag[] begun = [.. known.Where(flag => flag.OlderNames.Append(flag.Name)
            .Any(each => each.StartsWith(name, StringComparison.Ordinal))).DistinctBy(flag => flag.Name)];
        return name.Length > 0 && begun.Length == 1 ? begun[0] : null;
    }

    private static string Normalized(OfficialFlag flag, string value) => flag.Value == FlagValue.Required ? value
        : value.ToLowerInvariant() is "true" or "yes" or "t" or "y" or "1" ? "True" : "False";
}

/// <summary>Flags of a command line.</summary>
/// <param name="Values">Values by name of the flag; True for a switch.</param>
/// <param name="Unknown">Flags that the repository does not have.</param>
internal sealed record GivenFlags(IReadOnlyDictionary<string, string> Values, IReadOnlyList<string> Unknown);
