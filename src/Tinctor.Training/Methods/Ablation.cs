namespace Tinctor.Training.Methods;

/// <summary>Variant of a method for an ablation study.</summary>
/// <param name="Key">Name in files, such as <c>without_dab</c>.</param>
/// <param name="Title">Name in the paper's table, such as <c>w/o L_DAB</c>.</param>
/// <param name="Settings">Settings that differ from the full method, as key=value.</param>
internal sealed record Ablation(string Key, string Title, IReadOnlyList<string> Settings)
{
    /// <summary>Whether the paper's table contains the variant; others are trained only on request.</summary>
    public bool Published { get; init; } = true;
}
