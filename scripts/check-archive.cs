#:project ../src/Tinctor.Core/Tinctor.Core.csproj
#:property PublishAot=false
// Checks archives of scripts/release: file names that every system accepts, native libraries of the archive's platform, and the files that
// belong into each. Usage: dotnet run scripts/check-archive.cs -- ARCHIVE...
using System.Formats.Tar;
using System.IO.Compression;

string[] expected = ["LICENSE", "README.md", "CHANGELOG.md", "THIRD-PARTY.md", "docs/install.md", "samples/model/model.onnx",
    "samples/data/README.md"];
var problems = new List<string>();
foreach (string archive in args)
{
    string name = Path.GetFileName(archive);
    Platform platform = Platforms.Of(name);
    var files = Files(archive).ToList();
    // All files lie in one folder with the name of the archive.
    string folder = files[0].Name.Split('/')[0] + "/";
    problems.AddRange(files.Where(f => !f.Name.StartsWith(folder, StringComparison.Ordinal))
        .Select(f => $"{name}: {f.Name} is not in {folder}"));
    problems.AddRange(files.Where(f => !IsPortable(f.Name)).Select(f => $"{name}: {f.Name} is no file name on Windows"));
    problems.AddRange(files.GroupBy(f => f.Name, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1)
        .Select(g => $"{name}: {g.Key} and another name differ in upper and lower case only"));
    var natives = files.Select(f => (f.Name, Platform: Platforms.OfFile(f.Start))).Where(f => f.Platform is not null).ToList();
    problems.AddRange(natives.Where(f => f.Platform != platform).Select(f => $"{name}: {f.Name} is for {f.Platform}"));
    string program = platform == Platform.Windows ? "tinctor.exe" : "tinctor";
    foreach (string library in (string[])["onnxruntime", "vips"])
        if (!natives.Any(f => Path.GetFileName(f.Name).Contains(library, StringComparison.Ordinal)))
            problems.Add($"{name}: the library {library} is missing");
    foreach (string file in expected.Append(program))
        if (files.All(f => f.Name != folder + file)) problems.Add($"{name}: {file} is missing");
    if (platform != Platform.Windows && files.Any(f => f.Name == folder + program && !f.IsExecutable))
        problems.Add($"{name}: {program} is not executable");
    Console.WriteLine($"{name}: {files.Count} files, {natives.Count} native files of {platform}");
}
foreach (string problem in problems) Console.Error.WriteLine(problem);
return problems.Count == 0 ? 0 : 1;

static bool IsPortable(string path) => path.Split('/').All(part => part.Length > 0
    && !part.Any(c => c < ' ' || "<>:\"\\|?*".Contains(c)) && !part.EndsWith('.') && !part.EndsWith(' ')
    && part.Split('.')[0].ToUpperInvariant() is not ("CON" or "PRN" or "AUX" or "NUL" or "COM1" or "LPT1"));

static IEnumerable<(string Name, byte[] Start, bool IsExecutable)> Files(string archive)
{
    if (archive.EndsWith(".zip", StringComparison.Ordinal))
    {
        using ZipArchive zip = ZipFile.OpenRead(archive);
        foreach (ZipArchiveEntry entry in zip.Entries.Where(e => !e.FullName.EndsWith('/')))
        {
            using Stream content = entry.Open();
            yield return (entry.FullName, Start(content), true);
        }
        yield break;
    }
    using var file = new GZipStream(File.OpenRead(archive), CompressionMode.Decompress);
    using var tar = new TarReader(file);
    while (tar.GetNextEntry() is { } entry)
        if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
            yield return (entry.Name, entry.DataStream is { } content ? Start(content) : [], entry.Mode.HasFlag(UnixFileMode.UserExecute));
}

static byte[] Start(Stream content)
{
    byte[] start = new byte[512];
    return start[..content.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
}

enum Platform { Linux, Windows, MacOS }

static class Platforms
{
    const int X64 = 0x3E, Arm64 = 0x0C;

    public static Platform Of(string archive) => archive.Contains("-win-", StringComparison.Ordinal) ? Platform.Windows
        : archive.Contains("-osx-", StringComparison.Ordinal) ? Platform.MacOS : Platform.Linux;

    /// <summary>Gets the platform of a native program or library from its first bytes; null for other files.</summary>
    public static Platform? OfFile(byte[] start) => start switch
    {
        [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, ..] when start[18] == X64 => Platform.Linux,
        [(byte)'M', (byte)'Z', ..] => Platform.Windows,
        [0xCF, 0xFA, 0xED, 0xFE, Arm64, ..] => Platform.MacOS,
        // Another architecture is of no use on any of the platforms.
        [0x7F, (byte)'E', (byte)'L', (byte)'F', ..] or [0xCF, 0xFA, 0xED, 0xFE, ..] or [0xCA, 0xFE, 0xBA, 0xBE, ..] => (Platform)(-1),
        _ => null,
    };
}
