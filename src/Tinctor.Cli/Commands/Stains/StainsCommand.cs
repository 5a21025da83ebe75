using System.CommandLine;

namespace Tinctor.Cli.Commands.Stains;

/// <summary><c>tinctor stains</c>: the dyes of images: finds, separates and normalises them. Trains nothing.</summary>
internal static class StainsCommand
{
    private const string Description = """
        Find, separate and normalise the dyes of stained images, without any network.

        Examples:
          tinctor stains estimate slide.png -o reference.json
          tinctor stains separate ihc.png -o separated --stains hdab
          tinctor stains normalize slides/ --to reference.json -o normalized
        """;

    public static Command Create() =>
        new("stains", Description) { EstimateCommand.Create(), SeparateCommand.Create(), NormalizeCommand.Create() };

    /// <summary>Puts what is worked on before a message that names no file.</summary>
    public static T Naming<T>(string name, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (TinctorException e) when (!e.Message.StartsWith(name, StringComparison.Ordinal))
        {
            throw new TinctorException($"{name}: {e.Message}", e);
        }
    }
}
