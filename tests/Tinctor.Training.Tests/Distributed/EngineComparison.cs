using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Distributed;

namespace Tinctor.Training.Tests.Distributed;

/// <summary>Compares collective operations and layers over ranks with their results in one process.</summary>
internal static class EngineComparison
{
    /// <summary>Runs all comparisons, on all ranks.</summary>
    public static IEnumerable<(string Name, double Difference)> Run(ProcessGroup ranks)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        yield return ("texts", Texts(ranks));
        yield return ("sum", SumAndGradient(ranks));
        yield return ("rows", Rows(ranks));
        yield return ("batch-norm", BatchNorm(ranks, affine: true));
        yield return ("batch-norm-plain", BatchNorm(ranks, affine: false));
        yield return ("dropout", Dropout(ranks));
        yield return ("unused", UnusedParameters(ranks));
    }

    private static double Texts(ProcessGroup ranks)
    {
        string[] all = ranks.Gather(new string('µ', ranks.Rank * 3) + ranks.Rank);
        return all.Index().Count(text => text.Item != new string('µ', text.Index * 3) + text.Index)
            + Math.Abs(ranks.Sum(2.5) - (2.5 * ranks.WorldSize));
    }

    // Each rank's loss is (rank + 1) times the square of the sum, so the gradient of a term is 2 sum (1 + 2 + ...).
    private static double SumAndGradient(ProcessGroup ranks)
    {
        Tensor own = torch.full([1], ranks.Rank + 1.0, ScalarType.Float64).requires_grad_(), sum = ranks.Sum(own);
        (sum.square() * (ranks.Rank + 1)).sum().backward();
        double total = ranks.WorldSize * (ranks.WorldSize + 1) / 2.0;
        return Math.Abs(sum.item() - total) + Math.Abs(own.grad!.item() - (2 * total * total));
    }

    private static double Rows(ProcessGroup ranks)
    {
        Tensor own = torch.full([2, 3], ranks.Rank, ScalarType.Float64).requires_grad_(), all = ranks.GatherRows(own);
        all.sum().backward();
        double order = Enumerable.Range(0, 2 * ranks.WorldSize).Sum(row => Math.Abs(all[row].mean().item() - (row / 2)));
        return order + (own.grad! - ranks.WorldSize).abs().max().item() + (ranks.OwnRows(all.detach()) - own.detach()).abs().max().item();
    }

    // Images of another mean on each rank, so that the statistics of one rank alone are far from those of all.
    private static double BatchNorm(ProcessGroup ranks, bool affine)
    {
        torch.manual_seed(3);
        long count = ranks.WorldSize * 2;
        Tensor images = torch.randn([count, 3, 5, 4], dtype: ScalarType.Float64) + torch.arange(count).view(-1, 1, 1, 1);
        Tensor weights = torch.randn([count, 3, 5, 4], dtype: ScalarType.Float64);
        using BatchNorm2d whole = new(3, affine: affine), parts = new(3, affine: affine);
        whole.to(ScalarType.Float64);
        parts.to(ScalarType.Float64);
        Tensor all = images.clone().requires_grad_(), own = ranks.OwnRows(images).clone().requires_grad_();
        Tensor expected = whole.forward(all), actual;
        (expected * weights).sum().backward();
        using (BatchAcrossRanks.Use(ranks))
        {
            actual = parts.forward(own);
            (actual * ranks.OwnRows(weights)).sum().backward();
        }
        double difference = Largest(ranks.OwnRows(expected), actual) + Largest(ranks.OwnRows(all.grad!), own.grad!)
            + Largest(whole.running_mean!, parts.running_mean!) + Largest(whole.running_var!, parts.running_var!);
        if (!affine) return difference;
        return difference + Largest(whole.weight!.grad!, ranks.Sum(parts.weight!.grad!))
            + Largest(whole.bias!.grad!, ranks.Sum(parts.bias!.grad!));
    }

    private static double Dropout(ProcessGroup ranks)
    {
        Tensor ones = torch.ones([ranks.WorldSize * 2, 3, 7, 5]);
        torch.manual_seed(9);
        Tensor expected = F.dropout(ones, 0.3);
        torch.manual_seed(9);
        using Guard spread = BatchAcrossRanks.Use(ranks);
        return Largest(ranks.OwnRows(expected), F.dropout(ranks.OwnRows(ones), 0.3));
    }

    // The first parameter has gradients on rank 0 alone, the second on no rank, the last on all.
    private static double UnusedParameters(ProcessGroup ranks)
    {
        Tensor[] parameters = [.. Enumerable.Range(0, 3).Select(_ => torch.ones([4]).requires_grad_())];
        using var optimizer = new Adam(parameters, 0.1);
        using var parallel = new DistributedDataParallel(ranks, [], [optimizer], bucketBytes: 16);
        double difference = 0;
        for (int step = 0; step < 3; step++)
        {
            optimizer.zero_grad();
            // Accumulated without a reduction, then completed.
            parameters[2].sum().backward();
            using (DistributedDataParallel.FinalBackward())
                (ranks.Rank == 0 ? parameters[0].sum() + parameters[2].sum() : parameters[2].sum()).backward();
            optimizer.step();
            difference += parameters[1].grad is null ? 0 : 1;
            difference += (parameters[0].grad! - 1).abs().max().item() + (parameters[2].grad! - (2 * ranks.WorldSize)).abs().max().item();
        }
        return difference + (parameters[1].detach() - 1).abs().max().item();
    }

    private static double Largest(Tensor first, Tensor second) => (first.detach() - second.detach()).abs().max().item();
}
