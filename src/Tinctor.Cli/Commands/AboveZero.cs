using System.CommandLine;

namespace Tinctor.Cli.Commands;

/// <summary>Options that take a number above 0, of micrometres per pixel mostly.</summary>
internal static class AboveZero
{
    private const double Absurd = 1e6;

    /// <summary>An option that refuses other numbers.</summary>
    public static Option<double?> Option(string name, string description, string unit = "UM")
    {
        var option = new Option<double?>(name) { Description = description, HelpName = unit };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<double?>() is not (null or > 0 and < Absurd)) result.AddError($"{name} must be above 0.");
        });
        return option;
    }
}
