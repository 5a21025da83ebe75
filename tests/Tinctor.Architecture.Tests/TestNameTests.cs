using System.Text.RegularExpressions;

namespace Tinctor.Architecture.Tests;

/// <summary>The rule of test names, Method_condition_expected, checked in the sources of all tests.</summary>
public sealed partial class TestNameTests
{
    [Fact]
    public void Tests_have_names_of_method_condition_and_expectation()
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !File.Exists(Path.Combine(root.FullName, "Tinctor.slnx"))) root = root.Parent;
        Assert.SkipWhen(root is null, "needs the repository around the tests");
        var wrong = new List<string>();
        foreach (string project in Directory.GetDirectories(Path.Combine(root!.FullName, "tests"), "Tinctor.*.Tests"))
        {
            (string File, string Name)[] tests = [.. Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories)
                .SelectMany(file => TestNames(File.ReadAllText(file)).Select(name => (Path.GetFileName(file), name)))];
            Assert.True(tests.Length > 0, $"{project} has no tests");
            wrong.AddRange(tests.Where(test => !IsName(test.Name)).Select(test => $"{test.File}: {test.Name}"));
        }
        Assert.True(wrong.Count == 0, string.Join("\n", wrong));
    }

    [Theory]
    [InlineData("Read_missing_file_throws", true)]
    [InlineData("Adam_equals_PyTorch", true)]
    [InlineData("Detect_whatsoever", true)]
    [InlineData("ReadMissingFile", false)]
    [InlineData("read_missing_file", false)]
    [InlineData("Read__file", false)]
    [InlineData("What_is_missing_is_named", false)]
    [InlineData("Read_whatever_the_size", false)]
    [InlineData("Info_tells_size", false)]
    [InlineData("Reader_is_told_size", false)]
    public void IsName_accepts_names_by_rule_only(string name, bool expected) => Assert.Equal(expected, IsName(name));

    [Fact]
    public void TestNames_source_gives_facts_and_theories()
    {
        string source = """
                [Fact(Skip = "(1)")]
                public async Task First_test_passes() { }

                [Theory, InlineData(1)]
                [InlineData(2)]
                public unsafe void Second_test_passes(int x) { }

                public void Helper() { }
            """;
        Assert.Equal(["First_test_passes", "Second_test_passes"], TestNames(source));
    }

    private static bool IsName(string name) => Parts().IsMatch(name) && !Riddles().IsMatch(name);

    private static IEnumerable<string> TestNames(string source) => Declarations().Matches(source).Select(match => match.Groups[1].Value);

    [GeneratedRegex("^[A-Z][A-Za-z0-9]*(_[A-Za-z0-9]+)+$")]
    private static partial Regex Parts();

    [GeneratedRegex("(^|_)(what|whatever|told|tells)(_|$)", RegexOptions.IgnoreCase)]
    private static partial Regex Riddles();

    // The attribute, and the first public method after it.
    [GeneratedRegex(@"^[ \t]*\[(?:Fact|Theory)\b.*?^[ \t]*public [^(\r\n]*?\b(\w+)\(", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Declarations();
}
