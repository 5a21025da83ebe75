using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Focal loss of predicted IHC levels, over the pairs of a batch whose level is known.</summary>
internal static class LevelLoss
{
    /// <summary>Counts the pairs whose level is known.</summary>
    /// <param name="labels">Levels of the pairs; null where unknown.</param>
    public static int Count(IReadOnlyList<string?>? labels) => labels?.Count(label => label is not null) ?? 0;

    /// <summary>Counts the pairs of all ranks whose level is known.</summary>
    public static int CountOfRanks(IReadOnlyList<string?>? labels) => (int)BatchAcrossRanks.Sum(Count(labels));

    /// <summary>Computes the mean over the pairs whose level is known; null if there are none.</summary>
    /// <param name="logits">Logits [N,levels or more]; further columns are ignored.</param>
    /// <param name="labels">Levels of the pairs; null where unknown.</param>
    /// <param name="levels">Levels in the order of the logits.</param>
    /// <param name="gamma">Focusing parameter; 0 gives cross entropy.</param>
    /// <param name="weights">Weights of the levels; empty for 1.</param>
    public static Tensor? Compute(Tensor logits, IReadOnlyList<string?>? labels, IList<string> levels, double gamma,
        IReadOnlyList<double> weights)
    {
        (int Index, string? Label)[] known = [.. (labels ?? []).Index().Where(label => label.Item is not null)];
        if (known.Length == 0) return null;
        Tensor rows = torch.tensor<long>([.. known.Select(label => (long)label.Index)]).to(logits.device);
        Tensor truth = torch.tensor<long>([.. known.Select(label => (long)levels.IndexOf(label.Label!))]).to(logits.device);
        return FocalLoss.Compute(logits.index_select(0, rows).narrow(1, 0, levels.Count), truth, gamma, weights.Count > 0 ? weights : null);
    }
}
