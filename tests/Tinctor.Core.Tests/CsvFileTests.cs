using System.Globalization;
using Tinctor.Tests;

namespace Tinctor.Core.Tests;

public sealed class CsvFileTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    private static CsvTable Parse(string text) => CsvFile.Parse(new StringReader(text), "t.csv");

    private static void AssertRefused(string text, string reason) =>
        Assert.StartsWith($"t.csv: {reason}", Assert.Throws<TinctorException>(() => Parse(text)).Message);

    [Fact]
    public void Write_then_Read_gives_same_cells()
    {
        string[][] rows =
        [
            ["plain", "a,b", "say \"five\""],
            ["two\nlines", "two\r\nlines", ",\"\n\""],
            [" outer spaces ", "größe 测试", "'"],
            ["", "last", ""],
        ];
        string path = folder.File("t.csv");
        CsvFile.Write(path, ["a", "b,c", "d \"e\""], rows);
        CsvTable table = CsvFile.Read(path);
        Assert.Equal(["a", "b,c", "d \"e\""], table.Header);
        Assert.Equal(rows, table.Rows.Select(row => row.Cells.ToArray()));
        Assert.Equal("a,b", table.Rows[0]["b,c"]);
        Assert.Equal(path, table.Path);
    }

    [Fact]
    public void ToText_numbers_are_invariant_and_exact()
    {
        CultureInfo before = CultureInfo.CurrentCulture;
        try
        {
            var german = (CultureInfo)CultureInfo.InvariantCulture.Clone();
            german.NumberFormat.NumberDecimalSeparator = ",";
            CultureInfo.CurrentCulture = german;
            object?[] values = [1.5, 0.1 + 0.2, 1e-300, -0f, 7, true, null, double.NaN];
            string text = CsvFile.ToText(values.Index().Select(value => $"c{value.Index}"), [values]);
            Assert.Equal("c0,c1,c2,c3,c4,c5,c6,c7\n1.5,0.30000000000000004,1E-300,-0,7,true,,NaN\n", text);
            Assert.Equal(0.1 + 0.2, Parse(text).Rows[0].Number("c1"));
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Parse_spreadsheet_export_trims_cells_and_empty_columns()
    {
        CsvTable table = Parse("\uFEFFname,value,,\r\n\r\n  a  , 1.5 ,,\r\nb\r\n".TrimStart('\uFEFF'));
        Assert.Equal(2, table.Rows.Count);
        Assert.Equal(("a", 1.5), (table.Rows[0]["name"], table.Rows[0].Number("value")));
        Assert.Null(table.Rows[1]["value"]);
        Assert.Equal(3, table.Rows[0].Line);
    }

    [Fact]
    public void Read_skips_byte_order_mark() =>
        Assert.Equal(["a", "b"], CsvFile.Read(folder.File("bom.csv", [0xEF, 0xBB, 0xBF, .. "a,b\n1,2\n"u8])).Header);

    [Fact]
    public void Parse_header_without_rows_gives_empty_table() => Assert.Empty(Parse("a,b\n").Rows);

    [Fact]
    public void Parse_malformed_table_is_refused()
    {
        AssertRefused("", "the file is empty");
        AssertRefused("\n\n", "the file is empty");
        AssertRefused("a,b,a\n1,2,3\n", "the column a appears 2 times");
        AssertRefused("a,b\n1,\"open\n", "line 3: a quotation mark is misplaced or not closed");
        AssertRefused("a,b\n1,5\" lens\n", "line 2: a quotation mark is misplaced or not closed");
        AssertRefused("a,b\n1,2,3\n", "line 2: 3 cells, but the header has 2 columns");
    }

    [Fact]
    public void Require_missing_column_lists_columns()
    {
        CsvTable table = Parse("a,b\n1,2\n");
        table.Require("a", "b");
        Assert.Equal("t.csv: the column c is missing; the columns are a, b. Add the column.",
            Assert.Throws<TinctorException>(() => table.Require("a", "c")).Message);
    }

    [Fact]
    public void Text_and_Number_of_cell_give_its_value()
    {
        CsvRow row = Parse("a,b,c,d,e\n1e3,-0.5,,x,1,\n").Rows[0];
        Assert.Equal((1000, -0.5, null), (row.Number("a"), row.Number("b"), row.Number("c")));
        Assert.Null(row.Number("missing"));
        Assert.Equal("x", row.Text("d"));
        Assert.Equal("t.csv: line 2: c is empty", Assert.Throws<TinctorException>(() => row.Text("c")).Message);
    }

    [Theory]
    [InlineData("x")]
    [InlineData("\"1,5\"")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("1e999")]
    public void Number_of_other_text_is_refused(string cell)
    {
        CsvRow row = Parse($"a,b\n,{cell}\n").Rows[0];
        Assert.StartsWith("t.csv: line 2: b is \"", Assert.Throws<TinctorException>(() => row.Number("b")).Message);
    }

    [Fact]
    public void Read_missing_file_is_refused() =>
        Assert.EndsWith("no such file. Check the path.",
            Assert.Throws<TinctorException>(() => CsvFile.Read(folder.File("no.csv"))).Message);
}
