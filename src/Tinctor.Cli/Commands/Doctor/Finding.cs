namespace Tinctor.Cli.Commands.Doctor;

/// <summary>Line of the report of <c>tinctor doctor</c>.</summary>
/// <param name="Name">Name of the part.</param>
/// <param name="Value">Version, path or measured speed.</param>
/// <param name="Remedy">What to do about a problem; null if there is none.</param>
internal sealed record Finding(string Name, string Value, string? Remedy = null);
