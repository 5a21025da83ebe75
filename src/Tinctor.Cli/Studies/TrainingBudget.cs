using System.Globalization;
using System.Text.RegularExpressions;

namespace Tinctor.Cli.Studies;

/// <summary>Length of each training of a study: a number of steps, or a time.</summary>
/// <param name="Steps">Number of steps; null for a time.</param>
/// <param name="Time">Processor time of all threads, or elapsed time on a GPU.</param>
internal sealed partial record TrainingBudget(int? Steps, TimeSpan Time)
{
    /// <summary>Reads "3000-steps", "90s", "20m" or "2h"; null for other text.</summary>
    public static TrainingBudget? Parse(string text)
    {
        Match match = Form().Match(text);
        if (!match.Success) return null;
        double number = double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);
        return number <= 0 ? null : match.Groups[2].Value switch
        {
            "s" => new(null, TimeSpan.FromSeconds(number)),
            "m" => new(null, TimeSpan.FromMinutes(number)),
            "h" => new(null, TimeSpan.FromHours(number)),
            _ => number % 1 == 0 && number <= int.MaxValue ? new((int)number, default) : null,
        };
    }

    /// <summary>Computes the number of steps.</summary>
    /// <param name="secondsPerStep">Measured cost of a step; unused for a number of steps.</param>
    public int StepsAt(double secondsPerStep) => Steps ?? (int)Math.Clamp(Time.TotalSeconds / secondsPerStep, 1, int.MaxValue);

    [GeneratedRegex(@"^([0-9]{1,9}(?:\.[0-9]{1,3})?)(s|m|h|-steps)$")]
    private static partial Regex Form();
}
