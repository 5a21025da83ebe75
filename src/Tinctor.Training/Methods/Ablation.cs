namespace Tinctor.Training.Methods;

/// <summary>A variant of a method in which something is left out or done in another way, to see what it is worth.</summary>
/// <param name="Key">Its name in files: <c>without_dab</c>.</param>
/// <param name="Title">Its name in the paper's table: <c>w/o L_DAB</c>.</param>
/// <param name="Settings">What differs from the full method, as key=value.</param>
public sealed record Ablation(string Key, string Title, IReadOnlyList<string> Settings)
{
    /// <summary>Whether it is one of the paper's table; others are trained when they are asked for.</summary>
    public bool Published { get; init; } = true;
}
