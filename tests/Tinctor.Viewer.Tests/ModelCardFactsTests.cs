using Tinctor.Tests;
using Tinctor.Viewer.Folders;

namespace Tinctor.Viewer.Tests;

/// <summary>Facts of model cards for the list of models.</summary>
public sealed class ModelCardFactsTests
{
    [Fact]
    public void Parse_sample_card_has_heading_and_scores()
    {
        var facts = ModelCardFacts.Parse(File.ReadAllText(RepositoryFiles.Path("samples/model/README.md")));
        Assert.Equal("Sample model: H&E to HER2 on synthetic tissue", facts.Heading);
        Assert.Equal(["Validation", "Test"], facts.Scores.Select(score => score.Name));
        Assert.StartsWith("PSNR 28.59 dB on the val split", facts.Scores[0].Text);
    }

    [Theory]
    [InlineData("")]
    [InlineData("no table\n## Second\n| Other | 1 |\n| Validation |\n|Test||\n|")]
    public void Parse_card_without_facts_has_none(string card)
    {
        var facts = ModelCardFacts.Parse(card);
        Assert.Null(facts.Heading);
        Assert.Empty(facts.Scores);
    }

    [Fact]
    public void Parse_long_text_is_cut()
    {
        var facts = ModelCardFacts.Parse($"# {new string('a', 1000)}\n| Test | {new string('b', 1000)} |");
        Assert.Equal((301, 301), (facts.Heading!.Length, facts.Scores[0].Text.Length));
    }
}
