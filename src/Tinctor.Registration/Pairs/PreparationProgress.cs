namespace Tinctor.Registration.Pairs;

/// <summary>Progress of the preparation of a data set.</summary>
/// <param name="Name">Name of the pair in work; empty if several are.</param>
/// <param name="Step">Current step, for users.</param>
/// <param name="Share">Completed share of the whole preparation, 0 to 1.</param>
public readonly record struct PreparationProgress(string Name, string Step, double Share);
