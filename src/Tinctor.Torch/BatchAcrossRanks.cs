namespace Tinctor.Torch;

/// <summary>
/// Whether the batches that layers receive are parts of one batch, whose rows are spread over the ranks: batch norm then computes its
/// statistics over all ranks, and dropout draws for the rows of all ranks. A property of the process, as backward passes may run on other
/// threads.
/// </summary>
internal static class BatchAcrossRanks
{
    /// <summary>Ranks over which batches are spread; null if batches belong to this process alone.</summary>
    public static ProcessGroup? Ranks { get; private set; }

    /// <summary>Declares batches to be spread over ranks, until the disposal of the result.</summary>
    public static Guard Use(ProcessGroup ranks)
    {
        ProcessGroup? outer = Ranks;
        Ranks = ranks;
        return new Guard(() => Ranks = outer);
    }

    /// <summary>Computes the sum of a number over the ranks.</summary>
    public static double Sum(double value) => Ranks?.Sum(value) ?? value;

    /// <summary>Computes the sum of a tensor over the ranks, with gradients.</summary>
    public static Tensor Sum(Tensor value) => Ranks?.Sum(value) ?? value;

    /// <summary>Computes the mean of a tensor over the ranks, with gradients.</summary>
    public static Tensor Mean(Tensor value) => Ranks is { } ranks ? ranks.Sum(value) / ranks.WorldSize : value;

    /// <summary>Joins the rows of all ranks, with gradients; see <see cref="ProcessGroup.GatherRows"/>.</summary>
    public static Tensor GatherRows(Tensor rows) => Ranks?.GatherRows(rows) ?? rows;

    /// <summary>
    /// Draws random rows: for the rows of all ranks, so that the numbers do not depend on the number of ranks, of which this rank keeps its
    /// own. The generators of the ranks remain equal.
    /// </summary>
    /// <param name="count">Number of rows of this rank.</param>
    /// <param name="draw">Draws a number of rows.</param>
    public static Tensor Draw(long count, Func<long, Tensor> draw) => Ranks is { } ranks
        ? ranks.OwnRows(draw(count * ranks.WorldSize)) : draw(count);
}
