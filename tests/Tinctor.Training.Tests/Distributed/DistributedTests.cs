using System.Globalization;
using Tinctor.Torch;

namespace Tinctor.Training.Tests.Distributed;

public sealed class DistributedTests
{
    [Fact]
    public void Operations_over_two_ranks_equal_those_of_one() => AssertEqual("engine", steps: 0, comparisons: 7);

    [Fact]
    public void Training_by_two_ranks_has_weights_and_losses_of_one() => AssertEqual("methods", steps: 2, comparisons: 20);

    [Fact]
    public void Barrier_that_a_rank_does_not_reach_ends_all_with_a_line_that_names_it()
    {
        if (!ProcessGroup.IsAvailable) Assert.Skip("this libtorch has no Gloo");
        Assert.All(RankProgram.StartStuck(), rank =>
        {
            Assert.Equal(1, rank.Code);
            Assert.Contains("because rank 1", rank.Error);
            Assert.Contains("the others waited for it longer than the time limit", rank.Error);
        });
    }

    private static void AssertEqual(string program, int steps, int comparisons)
    {
        if (!ProcessGroup.IsAvailable) Assert.Skip("this libtorch has no Gloo");
        Dictionary<string, double> differences = Differences(RankProgram.Start(program, ranks: 2, steps));
        Assert.Equal(comparisons, differences.Count);
        Assert.All(differences, each => Assert.True(each.Value < 1e-5, $"{each.Key}: {each.Value}"));
    }

    private static Dictionary<string, double> Differences(string[] lines) => lines.Select(line => line.Split(' '))
        .ToDictionary(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
}
