using System.CommandLine;
using Tinctor.Registration.Pairs;

namespace Tinctor.Cli.Commands;

/// <summary>Pairs that <c>tinctor pair</c> and <c>tinctor prepare</c> leave out: an option, their messages and the exit code.</summary>
internal static class PairFailures
{
    /// <summary>Creates --allow-failures.</summary>
    public static Option<bool> Option() => new("--allow-failures") { Description = "Exit with 0 even if pairs are left out" };

    /// <summary>Reports each pair that is left out with its reason, and checks that there are tiles.</summary>
    /// <param name="dataset">Prepared data set.</param>
    /// <param name="options">Options of the preparation.</param>
    /// <param name="allowed">Whether failures are warnings.</param>
    /// <returns>Exit code.</returns>
    /// <exception cref="TinctorException">No tile was kept.</exception>
    public static int Report(PreparedDataset dataset, PreparationOptions options, bool allowed)
    {
        PreparedPair[] failed = [.. dataset.Pairs.Where(pair => pair.Failure is not null)];
        foreach (PreparedPair pair in failed)
        {
            string text = Errors.Text(new TinctorException(pair.Name, $"left out: {pair.Failure}") { Option = pair.FailureOption });
            if (allowed) Terminal.Warning(text);
            else Terminal.Problem(text);
        }
        dataset.RequireTiles(options);
        return failed.Length == 0 || allowed ? 0 : 1;
    }
}
