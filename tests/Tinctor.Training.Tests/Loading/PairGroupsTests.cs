using Tinctor.Data;
using Tinctor.Data.Tests;
using Tinctor.Training.Loading;
using Tinctor.Training.Validation;

namespace Tinctor.Training.Tests.Loading;

public class PairGroupsTests : DataFolder
{
    [Fact]
    public void Find_names_groups_by_stain_or_data_set()
    {
        Assert.Equal(["HER2", "Ki67"], Names(("a", "HER2"), ("b", "Ki67"), ("a", "HER2")));
        Assert.Equal(["a_HER2", "b_HER2"], Names(("/x/a", "HER2"), ("/x/b", "HER2")));
        Assert.Equal(["a", "b"], Names(("/x/a", null), ("/x/b", null)));

        static IEnumerable<string> Names(params (string Dataset, string? Stain)[] pairs) =>
            PairGroups.Find([.. pairs.Select((pair, i) => Of($"{i}", pair.Stain) with { Dataset = pair.Dataset })]).Select(g => g.Name);
    }

    [Fact]
    public void Order_balances_stains()
    {
        var loader = new PairLoader(Dataset("HER2", "HER2", "HER2", "HER2", "HER2", "HER2", "HER2", "Ki67"), shuffle: true, seed: 3)
        {
            Balance = true
        };
        for (int epoch = 0; epoch < 3; epoch++)
        {
            IReadOnlyList<int> order = loader.Order(epoch);
            Assert.Equal(8, order.Count);
            Assert.Equal([7, 15, 23, 31], order.Where(draw => draw % 8 == 7).Order());
            Assert.Equal(4, order.Where(draw => draw % 8 < 7).Distinct().Count());
            Assert.Equal(order, loader.Order(epoch));
        }
        Assert.Equal(7, Enumerable.Range(0, 10).SelectMany(loader.Order).Where(draw => draw < 7).Distinct().Count());
    }

    [Fact]
    public void Order_of_one_group_is_that_without_balance()
    {
        PairedDataset data = Dataset("HER2", "HER2", "HER2", "HER2", "HER2");
        for (int epoch = 0; epoch < 3; epoch++)
            Assert.Equal(new PairLoader(data, shuffle: true, seed: 3).Order(epoch),
                new PairLoader(data, shuffle: true, seed: 3) { Balance = true }.Order(epoch));
    }

    [Fact]
    public void Load_further_draw_of_a_pair_has_another_crop()
    {
        Write("0.png", 64, 64);
        var data = new PairedDataset([Of("0", "HER2", Root)], new PairTransform { Crop = 8, RandomCrop = true });
        Assert.Equal(4, Enumerable.Range(0, 4).Select(draw => string.Join(' ', data.Load(draw, 0).Source.Values)).Distinct().Count());
    }

    [Fact]
    public void GroupedScore_has_mean_of_stains_and_of_tiles()
    {
        GroupedScore score = GroupedScore.Create([Of("0", "HER2"), Of("1", "Ki67"), Of("2", "HER2"), Of("3", "HER2")], [1, 5, 2, 3]);
        Assert.Equal(3.5, score.Mean);
        Assert.Equal([("HER2", 2), ("Ki67", 5), ("tiles", 2.75)], score.Parts.Select(part => (part.Key, part.Value)));
        Assert.Empty(GroupedScore.Create([Of("0", "HER2"), Of("1", "HER2")], [1, 2]).Parts);
    }

    [Fact]
    public void Preview_Select_takes_equally_many_pairs_of_stains()
    {
        Pair[] pairs = [.. Enumerable.Range(0, 20).Select(i => Of($"{i}", i < 16 ? "HER2" : "Ki67"))];
        Assert.Equal(["0", "8", "16", "18"], Preview.Select(pairs, new PsnrScore(), 4).Select(pair => pair.Name));
        Assert.Equal(["0", "16"], Preview.Select(pairs, new PsnrScore(), 1).Select(pair => pair.Name));
    }

    private static PairedDataset Dataset(params string[] stains) => new([.. stains.Select((stain, i) => Of($"{i}", stain))]);

    private static Pair Of(string name, string? stain, string root = "") =>
        new(Path.Combine(root, $"{name}.png"), null, "train", null, "", PairLayout.Single) { Stain = stain };
}
