namespace Tinctor.Slides;

/// <summary>Identification of slides by their content, for links between places that know different paths.</summary>
internal static class SlideContent
{
    /// <summary>Number of hexadecimal digits of a fingerprint.</summary>
    public const int Digits = 16;

    private const int HashedEnd = 1 << 16;

    /// <summary>
    /// Computes the fingerprint of a slide: the start of the SHA-256 of the length and of the first and last 64 KB of each file. It does
    /// not depend on names and times.
    /// </summary>
    /// <param name="path">File, or folder of DICOM.</param>
    /// <exception cref="TinctorException">A file cannot be read.</exception>
    public static string Fingerprint(string path)
    {
        using var hash = new Fingerprint();
        foreach (string file in SlideFormats.FilesOf(path))
        {
            using FileStream stream = InputFile.Open(file);
            hash.Add("file", stream.Length);
            byte[] end = new byte[Math.Min(HashedEnd, stream.Length)];
            stream.ReadExactly(end);
            hash.Add("start", end);
            stream.Seek(-end.Length, SeekOrigin.End);
            stream.ReadExactly(end);
            hash.Add("end", end);
        }
        return hash.ToHex()[..Digits];
    }
}
