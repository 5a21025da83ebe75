namespace Tinctor.Cli.Migration;

/// <summary>Equivalent of an official flag.</summary>
internal enum FlagEffect
{
    /// <summary>A setting of the method.</summary>
    Setting,

    /// <summary>An option or argument of the command.</summary>
    Option,

    /// <summary>None; the flag does not change the result.</summary>
    None,

    /// <summary>None, although the flag changes the result.</summary>
    Missing,
}

/// <summary>Values that a flag takes on the command line.</summary>
internal enum FlagValue
{
    /// <summary>One value.</summary>
    Required,

    /// <summary>None: the flag switches something on.</summary>
    Switch,

    /// <summary>True, False or none, which means True.</summary>
    Optional,
}

/// <summary>Flag of an official repository and its equivalent here.</summary>
/// <param name="Name">Name without hyphens.</param>
/// <param name="Effect">Kind of equivalent.</param>
/// <param name="Ours">Key of the setting, description of the option, or reason why there is no equivalent.</param>
/// <param name="Default">
/// Value in the official code without the flag; null if only a given flag counts. Switches are False or True.
/// </param>
internal sealed record OfficialFlag(string Name, FlagEffect Effect, string Ours, string? Default = null)
{
    /// <summary>Values on the command line.</summary>
    public FlagValue Value { get; init; }

    /// <summary>Names in older versions of the repository.</summary>
    public IReadOnlyList<string> OlderNames { get; init; } = [];

    /// <summary>Values of the setting by official value; null if they are equal. A value that is missing here is not available.</summary>
    public IReadOnlyDictionary<string, string>? Values { get; init; }

    /// <summary>Values that another flag must have, or else the official code ignores this one; null for none.</summary>
    public (string Flag, string[] Values)? OnlyWith { get; init; }

    /// <summary>Note for the user if the flag is not given; null for none.</summary>
    public string? NoteWithout { get; init; }

    /// <summary>Further settings by official value, as key=value.</summary>
    public IReadOnlyDictionary<string, string[]> Implied { get; init; } = new Dictionary<string, string[]>();

    /// <summary>Creates a flag that becomes a setting.</summary>
    /// <param name="name">Name without hyphens.</param>
    /// <param name="key">Key of the setting.</param>
    /// <param name="value">Value in the official code without the flag; null if only a given flag counts.</param>
    /// <param name="values">Official values and those of the setting, if they differ.</param>
    public static OfficialFlag Setting(string name, string key, string? value = null, params (string Official, string Ours)[] values) =>
        new(name, FlagEffect.Setting, key, value)
        {
            Values = values.Length == 0 ? null : values.ToDictionary(each => each.Official, each => each.Ours),
        };

    /// <summary>Creates a switch that becomes a setting.</summary>
    /// <param name="name">Name without hyphens.</param>
    /// <param name="key">Key of the setting.</param>
    /// <param name="on">Value of the setting with the flag.</param>
    /// <param name="off">Value without the flag.</param>
    public static OfficialFlag Switch(string name, string key, string on, string off) =>
        Setting(name, key, "False", ("True", on), ("False", off)) with { Value = FlagValue.Switch };

    /// <summary>Creates a flag that becomes an option or argument.</summary>
    public static OfficialFlag Option(string name, string description, string? value = null) =>
        new(name, FlagEffect.Option, description, value);

    /// <summary>Creates flags that do not change the result.</summary>
    public static IEnumerable<OfficialFlag> None(string reason, params string[] names) =>
        names.Select(name => Parsed(name, FlagEffect.None, reason));

    /// <summary>Creates flags that change the result and have no equivalent.</summary>
    public static IEnumerable<OfficialFlag> Missing(string reason, params string[] names) =>
        names.Select(name => Parsed(name, FlagEffect.Missing, reason));

    // A name that ends in ! is a switch.
    private static OfficialFlag Parsed(string name, FlagEffect effect, string reason) =>
        new(name.TrimEnd('!'), effect, reason) { Value = name.EndsWith('!') ? FlagValue.Switch : FlagValue.Required };
}
