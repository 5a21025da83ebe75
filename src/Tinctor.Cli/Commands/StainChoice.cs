using Tinctor.Staining.Models;

namespace Tinctor.Cli.Commands;

/// <summary>Stains to which images are stained. Each stain of a model of several has a folder of its own.</summary>
internal sealed class StainChoice
{
    private readonly IReadOnlyList<string> chosen;
    private readonly bool isOneOfSeveral;

    /// <summary>Chooses stains of a model.</summary>
    /// <param name="model">The model.</param>
    /// <param name="wanted">Names of stains; empty for all.</param>
    /// <exception cref="OptionException">The model has no such stain.</exception>
    public StainChoice(ModelDescription model, IReadOnlyList<string> wanted)
    {
        if (wanted.FirstOrDefault(stain => !model.Stains.Contains(stain)) is { } unknown)
        {
            throw model.Stains.Count == 0
                ? new OptionException("To", $"the stain is {unknown}, but the model has one stain, whose name is not stated",
                    "Leave it out")
                : new OptionException("To", $"the stain is {unknown}, but the stains of the model are {string.Join(", ", model.Stains)}",
                    "Choose some of these");
        }
        chosen = wanted.Count > 0 ? [.. wanted.Distinct()] : model.Stains;
        isOneOfSeveral = model.Stains.Count > 1;
    }

    /// <summary>
    /// Gets the stains of a job: those chosen, or that of its target in a data set. Null is the stain of a model of one stain.
    /// </summary>
    public IReadOnlyList<string?> Of(ImageJob job)
    {
        IReadOnlyList<string> stains = job.Stain is { } own ? [.. chosen.Where(stain => stain == own)] : chosen;
        if (isOneOfSeveral) return stains;
        bool hasStain = chosen.Count == 0 || stains.Count > 0;
        return hasStain ? new string?[] { null } : [];
    }

    /// <summary>Gets the path of a result below the output folder, without extension.</summary>
    public static string NameOf(ImageJob job, string? stain) => stain is null ? job.Name : Path.Combine(stain, job.Name);
}
