namespace Tinctor.Core.Tests;

public class ProblemListTests
{
    [Fact]
    public void ToLines_many_kinds_lists_twenty_and_counts_rest()
    {
        var problems = new ProblemList();
        for (int i = 0; i < 60; i++) problems.Add($"{i:00}.png", $"problem {i / 2} of pair {i}", kind: $"problem {i / 2}");
        string[] lines = problems.ToLines().Split('\n');
        Assert.Equal(60, problems.Count);
        Assert.Equal("2 files: problem 0 (00.png, 01.png); 00.png: problem 0 of pair 0", lines[0]);
        Assert.Equal("and 10 more", lines[^1]);
        Assert.Equal(21, lines.Length);
    }

    [Fact]
    public void ToLines_single_file_has_own_problem_and_remedy()
    {
        var problems = new ProblemList();
        problems.Add("a/b.png", "64 pixels wide", "Use a smaller crop", kind: "too small");
        Assert.Equal("a/b.png: 64 pixels wide. Use a smaller crop.", problems.ToLines());
    }

    [Theory]
    [InlineData(", ", "a, b and 1 more")]
    [InlineData("; ", "a; b; and 1 more")]
    public void Join_more_items_than_shown_counts_rest(string separator, string expected) =>
        Assert.Equal(expected, ProblemList.Join(["a", "b", "c"], 2, separator));
}
