using Tinctor.Tests;

namespace Tinctor.Core.Tests;

public sealed class TinctorExceptionTests
{
    [Fact]
    public void Message_has_file_problem_and_remedy()
    {
        var error = new TinctorException("cells.png", "1 channel, but the model expects 3", "Convert it.");
        Assert.Equal("cells.png: 1 channel, but the model expects 3. Convert it.", error.Message);
        Assert.Equal(("cells.png", "1 channel, but the model expects 3", "Convert it."), (error.File, error.Problem, error.Remedy));
    }

    [Theory]
    [InlineData(null, "problem", null, "problem")]
    [InlineData("", "problem", null, "problem")]
    [InlineData("a", "problem", null, "a: problem")]
    [InlineData("a", "problem.", "Remedy.", "a: problem. Remedy.")]
    [InlineData(null, "problem", "Remedy.", "problem. Remedy.")]
    [InlineData(null, "problem", "", "problem")]
    public void Message_omits_missing_parts(string? file, string problem, string? remedy, string message) =>
        Assert.Equal(message, new TinctorException(file, problem, remedy).Message);

    [Theory]
    [InlineData("a\nb\r\nc\td")]
    [InlineData("a\u001b[31mb")]
    [InlineData("a\u2028b\u2029c\u0085d")]
    [InlineData("a\u202Eb\u2066c")]
    [InlineData("a\uFFFDb")]
    [InlineData("a\ud800b")]
    public void Message_is_one_printable_line(string text)
    {
        string message = new TinctorException(text, text.Replace('\n', ' '), text).Message;
        Assert.Contains("a?", message);
        Assert.DoesNotContain(message, character => char.IsControl(character) || char.IsSurrogate(character)
            || character is >= '\u2028' and <= '\u202E');
        Assert.Equal("größe 测试 \U0001F52C", new TinctorException("größe 测试 \U0001F52C").Message);
    }

    [Fact]
    public void Message_keeps_lines_of_problem_list() =>
        Assert.Equal("a?b: first\nsecond. Re?medy.", new TinctorException("a\nb", "first\nsecond", "Re\nmedy.").Message);

    [Theory]
    [InlineData("x")]
    [InlineData("\U0001F52C")]
    public void Message_shortens_long_parts(string character)
    {
        string message = new TinctorException("f", "start" + string.Concat(Enumerable.Repeat(character, 100_000)) + "end", "Remedy.")
            .Message;
        Assert.InRange(message.Length, 3900, 4100);
        Assert.StartsWith("f: start", message);
        Assert.EndsWith("end. Remedy.", message);
        Assert.Equal(message, new System.Text.UTF8Encoding().GetString(System.Text.Encoding.UTF8.GetBytes(message)));
    }

    [Fact]
    public void OptionException_names_property()
    {
        var error = new OptionException("TileSize", "is 3, at least 16 is expected", "Use 256.");
        Assert.Equal("TileSize", error.Option);
        Assert.Null(error.File);
        Assert.Equal("is 3, at least 16 is expected. Use 256.", error.Message);
    }

    [Fact]
    public void InputFile_missing_file_or_folder_is_refused()
    {
        using var folder = new TemporaryFolder();
        string missing = folder.File("no/such.png");
        Assert.Equal($"{missing}: no such file. Check the path.", Assert.Throws<TinctorException>(() => InputFile.Open(missing)).Message);
        Assert.Equal($"{folder.Path}: is a folder, but a file is expected. Name a file in it.",
            Assert.Throws<TinctorException>(() => InputFile.Open(folder.Path)).Message);
        using FileStream file = InputFile.Open(folder.File("a", [7]));
        Assert.Equal(7, file.ReadByte());
        Assert.Equal($"{missing}: no such file. Check the path.",
            Assert.Throws<TinctorException>(() => InputFile.ReadText(missing)).Message);
        Assert.Equal("°", InputFile.ReadText(folder.File("text", [0xC2, 0xB0])));
    }

    [Fact]
    public void InputFile_locked_file_is_refused()
    {
        using var folder = new TemporaryFolder();
        using var writer = new FileStream(folder.File("a"), FileMode.Create, FileAccess.Write, FileShare.None);
        Assert.Contains("another program is writing it", Assert.Throws<TinctorException>(() => InputFile.Open(writer.Name)).Message);
    }
}
