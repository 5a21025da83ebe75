
namespace Tinctor.Data.Tests;

public sealed class FoldsTests
{
    private static readonly string[] Labels = ["0", "1+", "2+", "3+"];

    [Fact]
    public void Split_holds_out_each_slide_in_one_fold()
    {
        Pair[] pairs = [.. Pairs(slides: 20, fields: 3)];
        var heldOnce = new List<Pair>();
        for (int fold = 0; fold < 5; fold++)
        {
            var (train, held) = Folds.Split(pairs, fold, 5);
            Assert.Equal(pairs.Length, train.Count + held.Count);
            Assert.Empty(train.Select(pair => pair.SlideId).Intersect(held.Select(pair => pair.SlideId)));
            Assert.Equal(Labels, held.Select(pair => pair.Label).Distinct().Order(StringComparer.Ordinal));
            heldOnce.AddRange(held);
        }
        Assert.Equal(pairs.OrderBy(pair => pair.Source), heldOnce.OrderBy(pair => pair.Source));
    }

    [Fact]
    public void Split_is_independent_of_order_of_pairs()
    {
        Pair[] pairs = [.. Pairs(slides: 12, fields: 2)];
        var (_, held) = Folds.Split(pairs, 1, 3);
        var (_, again) = Folds.Split([.. pairs.Reverse()], 1, 3);
        Assert.Equal(held.Select(pair => pair.SlideId).Order(), again.Select(pair => pair.SlideId).Order());
    }

    [Fact]
    public void Split_without_slides_distributes_images()
    {
        Pair[] pairs = [.. Pairs(slides: 5, fields: 2).Select(pair => pair with { SlideId = "" })];
        Assert.Equal(5, Folds.Split(pairs, 0, 2).Held.Count);
        Assert.Empty(Folds.Split(pairs, 0, 1).Held);
        Assert.Contains("11 folds", Assert.Throws<TinctorException>(() => Folds.Split(pairs, 0, 11)).Message);
        Assert.Contains("fold 2 of 2 folds does not exist", Assert.Throws<TinctorException>(() => Folds.Split(pairs, 2, 2)).Message);
    }

    private static IEnumerable<Pair> Pairs(int slides, int fields) =>
        from slide in Enumerable.Range(0, slides)
        from field in Enumerable.Range(0, fields)
        select new Pair($"s{slide:D2}_{field}.png", null, "train", Labels[slide % 4], $"s{slide:D2}", PairLayout.Single);
}
