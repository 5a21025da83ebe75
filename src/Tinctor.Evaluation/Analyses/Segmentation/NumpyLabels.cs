using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Tinctor.Slides.Masks;

namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Label array in a file of NumPy (.npy, versions 1 to 3): integers [height, width], 0 for the background.</summary>
internal static partial class NumpyLabels
{
    private const string Remedy = "Save the labels as a PNG or TIFF, or with numpy.save as a two-dimensional array of integers";

    /// <summary>Reads the labels.</summary>
    /// <exception cref="TinctorException">The file is missing or damaged, or holds no label array.</exception>
    public static LabelMap Read(string path)
    {
        byte[] bytes;
        using (FileStream stream = InputFile.Open(path))
        {
            bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
        }
        if (bytes.Length < 12 || bytes[0] != 0x93 || !bytes.AsSpan(1, 5).SequenceEqual("NUMPY"u8))
            throw new TinctorException(path, "not a file of NumPy", Remedy);
        bool old = bytes[6] == 1;
        int length = old ? BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(8))
            : BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(8));
        int start = (old ? 10 : 12) + length;
        if (length < 0 || start > bytes.Length) throw new TinctorException(path, "the file ends within its header", "Save it again");
        string header = Encoding.Latin1.GetString(bytes, start - length, length);
        Match type = Type().Match(header), shape = Shape().Match(header);
        if (!type.Success || !shape.Success || header.Contains("'fortran_order': True", StringComparison.Ordinal))
        {
            throw new TinctorException(path,
                $"an array {header.Trim()}, but integers of the shape (height, width) in C order are expected", Remedy);
        }
        int height = int.Parse(shape.Groups[1].Value, CultureInfo.InvariantCulture);
        int width = int.Parse(shape.Groups[2].Value, CultureInfo.InvariantCulture), size = type.Groups[2].Value[0] - '0';
        if ((long)height * width * size != bytes.Length - start)
            throw new TinctorException(path, $"{bytes.Length - start} bytes, but {width}x{height} labels are expected", "Save it again");
        var labels = new int[width * height];
        for (int i = 0; i < labels.Length; i++) labels[i] = Label(bytes.AsSpan(start + (i * size), size), path);
        return LabelMap.Create(width, height, labels);
    }

    private static int Label(ReadOnlySpan<byte> bytes, string path) => bytes.Length switch
    {
        1 => bytes[0],
        2 => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        4 => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        _ => BinaryPrimitives.ReadInt64LittleEndian(bytes) is >= 0 and <= int.MaxValue and var label ? (int)label
            : throw new TinctorException(path, "labels above 2,147,483,647", Remedy),
    };

    [GeneratedRegex(@"'descr': '[<|]([uib])([1248])'")]
    private static partial Regex Type();

    [GeneratedRegex(@"'shape': \((\d+), (\d+)\)")]
    private static partial Regex Shape();
}
