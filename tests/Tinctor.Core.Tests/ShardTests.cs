namespace Tinctor.Core.Tests;

public sealed class ShardTests
{
    [Theory]
    [InlineData("1/1", 1, 1)]
    [InlineData("2/8", 2, 8)]
    [InlineData("auto", 3, 4, "SLURM_ARRAY_TASK_ID=12", "SLURM_ARRAY_TASK_MIN=10", "SLURM_ARRAY_TASK_MAX=13", "SLURM_ARRAY_TASK_COUNT=4")]
    [InlineData("auto", 3, 3, "SLURM_ARRAY_TASK_ID=9", "SLURM_ARRAY_TASK_MIN=1", "SLURM_ARRAY_TASK_MAX=9", "SLURM_ARRAY_TASK_COUNT=3",
        "SLURM_ARRAY_TASK_STEP=4")]
    [InlineData("auto/8", 1, 8, "JOB_COMPLETION_INDEX=0")]
    [InlineData("auto/8", 8, 8, "JOB_COMPLETION_INDEX=7")]
    [InlineData("auto/8", 6, 8, "SLURM_ARRAY_TASK_ID=5", "SLURM_ARRAY_TASK_MIN=3", "SLURM_ARRAY_TASK_COUNT=2")]
    public void Parse_reads_text_and_environment(string text, int number, int count, params string[] variables) =>
        Assert.Equal(new Shard(number, count), Parse(text, variables));

    [Theory]
    [InlineData("0/4", "part 0 of 4 does not exist")]
    [InlineData("5/4", "part 5 of 4 does not exist")]
    [InlineData("1/0", "part 1 of 0 does not exist")]
    [InlineData("", "is no part")]
    [InlineData("3", "is no part")]
    [InlineData("-1/4", "is no part")]
    [InlineData("1/4/2", "is no part")]
    [InlineData("auto/x", "is no part", "JOB_COMPLETION_INDEX=0")]
    [InlineData("99999999999/4", "is no part")]
    [InlineData("auto", "neither SLURM_ARRAY_TASK_ID (Slurm arrays) nor JOB_COMPLETION_INDEX")]
    [InlineData("auto", "the number of processes is not known", "JOB_COMPLETION_INDEX=0")]
    [InlineData("auto/4", "JOB_COMPLETION_INDEX is 4", "JOB_COMPLETION_INDEX=4")]
    [InlineData("auto", "not evenly spaced", "SLURM_ARRAY_TASK_ID=3", "SLURM_ARRAY_TASK_MIN=1", "SLURM_ARRAY_TASK_MAX=7",
        "SLURM_ARRAY_TASK_COUNT=3")]
    public void Parse_wrong_text_or_environment_states_problem(string text, string problem, params string[] variables)
    {
        OptionException error = Assert.Throws<OptionException>(() => Parse(text, variables));
        Assert.Contains(problem, error.Message);
        Assert.Equal("Shard", error.Option);
        Assert.NotNull(error.Remedy);
    }

    [Theory]
    [InlineData(0, 3)]
    [InlineData(2, 5)]
    [InlineData(100, 7)]
    public void Select_gives_each_item_to_one_part_with_even_sums(int items, int count)
    {
        var random = new Random(items);
        long[] sizes = [.. Enumerable.Range(0, items).Select(_ => random.NextInt64(1, 1000))];
        string[] names = [.. Enumerable.Range(0, items).Select(item => $"{item}.svs")];
        bool[][] parts = [.. Enumerable.Range(1, count).Select(number => new Shard(number, count).Select(sizes, names))];
        for (int item = 0; item < items; item++) Assert.Equal(1, parts.Count(part => part[item]));
        long[] sums = [.. parts.Select(part => sizes.Where((_, item) => part[item]).Sum())];
        // The part with the largest sum got its last item when it had the smallest one.
        Assert.True(sums.Max() - sums.Min() <= sizes.Append(0).Max());
    }

    [Fact]
    public void Select_does_not_depend_on_order()
    {
        long[] sizes = [5, 5, 5, 9, 1, 0, 0];
        string[] names = ["c", "a", "b", "d", "e", "g", "f"];
        int[] order = [6, 2, 0, 4, 3, 1, 5];
        for (int number = 1; number <= 3; number++)
        {
            bool[] part = new Shard(number, 3).Select(sizes, names);
            bool[] shuffled = new Shard(number, 3).Select([.. order.Select(i => sizes[i])], [.. order.Select(i => names[i])]);
            Assert.Equal(names.Where((_, i) => part[i]).Order(), order.Where((_, i) => shuffled[i]).Select(i => names[i]).Order());
        }
    }

    [Theory]
    [InlineData(4, 3, 3, 3, 3)]
    [InlineData(2, 1, 9, 1, 9, 1, 0, 4)]
    [InlineData(3, 5)]
    [InlineData(3, 0, 0, 0, 0)]
    [InlineData(5, 100, 1, 1, 1, 100)]
    public void Cut_covers_groups_once_in_order(int count, params int[] groups)
    {
        int next = 0;
        for (int number = 1; number <= count; number++)
        {
            (int first, int end) = new Shard(number, count).Cut(groups);
            Assert.Equal(next, first);
            Assert.True(end >= first);
            next = end;
        }
        Assert.Equal(groups.Length, next);
    }

    [Fact]
    public void Cut_of_many_rows_is_even()
    {
        int[] rows = [.. Enumerable.Repeat(10, 80)];
        for (int number = 1; number <= 8; number++)
        {
            (int first, int end) = new Shard(number, 8).Cut(rows);
            Assert.Equal(10, end - first);
        }
    }

    private static Shard Parse(string text, string[] variables) => Shard.Parse(text, "Shard",
        name => variables.Select(variable => variable.Split('=')).Where(pair => pair[0] == name).Select(pair => pair[1]).FirstOrDefault());
}
