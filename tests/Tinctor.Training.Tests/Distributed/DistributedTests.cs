using System.Globalization;
using Tinctor.Torch;

namespace Tinctor.Training.Tests.Distributed;

public sealed class DistributedTests
{
    [Fact]
    public void Operations_over_two_ranks_equal_those_of_one()
    {
        if (!ProcessGroup.IsAvailable) Assert.Skip("this libtorch has no Gloo");
        Dictionary<string, double> differences = Differences(RankProgram.Start("engine", ranks: 2, steps: 0));
        Assert.Equal(7, differences.Count);
        Assert.All(differences, each => Assert.True(each.Value < 1e-5, $"{each.Key}: {each.Value}"));
    }

    [Fact]
    public void Training_by_two_ranks_has_weights_and_losses_of_one()
    {
        if (!ProcessGroup.IsAvailable) Assert.Skip("this libtorch has no Gloo");
        Dictionary<string, double> differences = Differences(RankProgram.Start("methods", ranks: 2, steps: 2));
        Assert.Equal(20, differences.Count);
        Assert.All(differences, each => Assert.True(each.Value < 1e-5, $"{each.Key}: {each.Value}"));
    }

    private static Dictionary<string, double> Differences(string[] lines) => lines.Select(line => line.Split(' '))
        .ToDictionary(parts => parts[0], parts => double.Parse(parts[1], CultureInfo.InvariantCulture));
}
