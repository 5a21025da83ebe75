using System.Text;

namespace Tinctor.Torch.Serialization;

/// <summary>Helpers of the readers: errors, and arithmetic that a hostile file cannot overflow.</summary>
internal static class Refusal
{
    private const int LongestMessage = 500;

    /// <summary>One printable line with the file and what is wrong, whatever characters come with <paramref name="what"/>.</summary>
    public static TinctorException Create(string path, string what)
    {
        var line = new StringBuilder();
        foreach (var rune in what.EnumerateRunes())
        {
            line.Append(Rune.IsControl(rune) || rune == Rune.ReplacementChar ? "?" : rune.ToString());
        }

        if (line.Length > LongestMessage)
        {
            line.Remove(LongestMessage / 2, line.Length - LongestMessage).Insert(LongestMessage / 2, " ... ");
        }

        return new TinctorException($"{path}: {line}");
    }

    /// <summary>Opens a file for reading; a folder gets a message that says so.</summary>
    public static FileStream OpenFile(string path)
    {
        if (Directory.Exists(path))
        {
            throw new IOException($"{path}: is a folder, a file is wanted");
        }

        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
    }

    /// <summary>Bytes of a contiguous tensor, or -1 where the sizes are negative or overflow, also when one of them is 0.</summary>
    public static long ByteCount(ReadOnlySpan<long> shape, ScalarType dtype)
    {
        Int128 product = dtype.Size();
        var empty = false;
        foreach (var size in shape)
        {
            product *= Math.Max(size, 1);
            empty |= size == 0;
            if (size < 0 || product > long.MaxValue)
            {
                return -1;
            }
        }

        return empty ? 0 : (long)product;
    }
}
