using System.CommandLine;

namespace Tinctor.Cli.Commands.Stains;

/// <summary><c>tinctor stains</c>: estimates, separates and normalises the stains of images without a network.</summary>
internal static class StainsCommand
{
    private const string Description = """
        Estimate, separate and normalize the stains of images, without a network.

        Examples:
          tinctor stains estimate slide.png -o reference.json
          tinctor stains separate ihc.png -o separated --stains hdab
          tinctor stains normalize slides/ --to reference.json -o normalized
        """;

    public static Command Create() =>
        new("stains", Description) { EstimateCommand.Create(), SeparateCommand.Create(), NormalizeCommand.Create() };

    /// <summary>Adds a file to exceptions that name none.</summary>
    public static T Naming<T>(string name, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (TinctorException e) when (e.File is null)
        {
            throw new TinctorException(name, e.Problem, e.Remedy, e) { Option = e.Option };
        }
    }
}
