namespace Tinctor.Training.Segmentation;

/// <summary>Class of tissue in class masks.</summary>
/// <param name="Value">Value in grey masks, or colour such as #ff0000.</param>
/// <param name="Name">Name of the class; the value if the data names none.</param>
internal sealed record MaskClass(string Value, string Name);

/// <summary>Classes of class masks: the codes that occur, and their names in classes.csv beside the masks.</summary>
internal static class MaskClasses
{
    /// <summary>File with the columns value and name in a folder of masks.</summary>
    public const string FileName = "classes.csv";

    /// <summary>Maximum number of classes.</summary>
    public const int Most = 32;

    /// <summary>
    /// Gets the classes of masks, in ascending order of their codes; background is none of them. Null for more than <see cref="Most"/>.
    /// </summary>
    /// <param name="format">Format of the masks.</param>
    /// <param name="files">All masks.</param>
    /// <exception cref="TinctorException">classes.csv is invalid.</exception>
    public static IReadOnlyList<MaskClass>? Read(MaskFormat format, IReadOnlyList<string> files)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(files[0]))!;
        IReadOnlyDictionary<string, string> names = ReadNames(Path.Combine(folder, FileName));
        string[] values = [.. format.CodesOf(files).Order().Select(format.Name)];
        if (values.Length > Most) return null;
        MaskClass[] classes = [.. values.Select(value => new MaskClass(value, names.GetValueOrDefault(value, value)))];
        if (classes.GroupBy(each => each.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new TinctorException(Path.Combine(folder, FileName), $"the name {twice.Key} belongs to {twice.Count()} classes",
                "Give each class a name of its own");
        }
        return classes;
    }

    private static Dictionary<string, string> ReadNames(string path)
    {
        if (!File.Exists(path)) return [];
        CsvTable table = CsvFile.Read(path);
        table.Require("value", "name");
        return table.Rows.ToDictionary(row => row.Text("value").ToLowerInvariant(), row => row.Text("name"));
    }
}
