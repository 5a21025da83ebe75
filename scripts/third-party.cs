#:project ../src/Tinctor.Core/Tinctor.Core.csproj
#:property PublishAot=false
// Lists the NuGet packages of a build and the npm packages of bundled scripts, with their licences, as Markdown.
// Usage: dotnet run scripts/third-party.cs -- PROJECT.ASSETS.JSON BUILD/REPORT BUILD/VIEWER-PACKAGES
using System.Text.Json;
using System.Xml.Linq;

if (args is not [string assetsPath, string reportFolder, string viewerFolder] || !File.Exists(assetsPath)
    || !File.Exists(Path.Combine(reportFolder, "packages.json")) || !File.Exists(Path.Combine(viewerFolder, "packages.json")))
{
    Console.Error.WriteLine("Usage: dotnet run scripts/third-party.cs -- PROJECT.ASSETS.JSON BUILD/REPORT BUILD/VIEWER-PACKAGES");
    return 2;
}
using JsonDocument document = JsonDocument.Parse(File.ReadAllText(assetsPath));
JsonElement assets = document.RootElement;
string[] folders = [.. assets.GetProperty("packageFolders").EnumerateObject().Select(folder => folder.Name)];
// Packages without such files serve the build alone.
string[] shipped = ["runtime", "native", "runtimeTargets"];
string[] packages = [.. assets.GetProperty("targets").EnumerateObject().SelectMany(target => target.Value.EnumerateObject())
    .Where(package => package.Value.GetProperty("type").GetString() == "package"
        && shipped.Any(kind => package.Value.TryGetProperty(kind, out JsonElement files) && files.EnumerateObject().Any()))
    .Select(package => package.Name).Distinct().Order()];
var printed = new HashSet<string>();
Console.WriteLine("# Third-party software\n\nThis program contains the .NET runtime (MIT, https://github.com/dotnet/runtime) and these "
    + "packages.\n");
foreach (string name in packages)
{
    string path = assets.GetProperty("libraries").GetProperty(name).GetProperty("path").GetString()!;
    DescribeNuGet(name, folders.Select(root => Path.Combine(root, path)).First(Directory.Exists));
}
DescribeBundle("# Third-party software in reports\n\nThe HTML reports contain these npm packages.\n", reportFolder);
DescribeBundle("# Third-party software in the viewer\n\nThe pages of the viewer contain these npm packages.\n", viewerFolder);
return 0;

void DescribeBundle(string heading, string folder)
{
    Console.WriteLine(heading);
    using JsonDocument bundled = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "packages.json")));
    foreach (JsonElement package in bundled.RootElement.EnumerateArray())
        DescribeNpm(package, Path.Combine(folder, "node_modules", package.GetProperty("name").GetString()!));
}

void DescribeNpm(JsonElement package, string folder)
{
    string address = package.TryGetProperty("homepage", out JsonElement homepage) ? homepage.GetString()! : "no address stated";
    Console.WriteLine($"## {package.GetProperty("name")} {package.GetProperty("version")}\n");
    Console.WriteLine($"{address}; licence: {package.GetProperty("license")}\n");
    PrintNotices(folder);
    // Licences of parts that a package has taken over.
    if (Directory.Exists(Path.Combine(folder, "licenses")))
        PrintNotices(Path.Combine(folder, "licenses"));
}

void DescribeNuGet(string name, string folder)
{
    XElement metadata = XDocument.Load(Directory.GetFiles(folder, "*.nuspec").Single()).Root!.Elements().First();
    string? Text(string element) => metadata.Elements().FirstOrDefault(child => child.Name.LocalName == element)?.Value.Trim();
    XElement? licence = metadata.Elements().FirstOrDefault(child => child.Name.LocalName == "license");
    string stated = licence is null ? Text("licenseUrl") ?? "not stated"
        : licence.Attribute("type")?.Value == "file" ? "below" : licence.Value;
    Console.WriteLine($"## {name.Replace('/', ' ')}\n");
    Console.WriteLine($"{Text("authors")}; {Text("projectUrl") ?? "no address stated"}; licence: {stated}\n");
    PrintNotices(folder);
}

void PrintNotices(string folder)
{
    foreach (string file in Directory.GetFiles(folder).Where(file => IsNotice(Path.GetFileName(file))).Order())
    {
        string text = File.ReadAllText(file).Trim();
        Console.WriteLine(printed.Add(text) ? $"```text\n{text}\n```\n" : $"{Path.GetFileName(file)}: as above\n");
    }
}

static bool IsNotice(string file) =>
    new[] { "LICENSE", "LICENCE", "THIRD", "NOTICE" }.Any(start => file.StartsWith(start, StringComparison.OrdinalIgnoreCase));
