using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Tinctor.Data;
using Tinctor.Torch;

namespace Tinctor.Training.Runs;

/// <summary>Environment of a run: versions, machine and data; environment.json.</summary>
/// <param name="Tinctor">Version, and the git commit that it was built from.</param>
/// <param name="Dotnet">The .NET runtime.</param>
/// <param name="Libtorch">libtorch's version.</param>
/// <param name="System">Operating system and processor architecture.</param>
/// <param name="Device">Where it was trained.</param>
/// <param name="Threads">Threads inside an operator; results are bit for bit the same only for the same number.</param>
/// <param name="Started">When, in UTC.</param>
/// <param name="Data">Counts and hashes of the data.</param>
public sealed record RunEnvironment(string Tinctor, string Dotnet, string Libtorch, string System, string Device, int Threads,
    DateTime Started, DataSummary Data)
{
    /// <summary>Newest version of the file that this program reads; files from before have none.</summary>
    internal const int FormatVersion = 1;

    [JsonInclude, JsonPropertyOrder(-2), JsonPropertyName("format")]
    internal string FileFormat { get; init; } = "tinctor-run";

    [JsonInclude, JsonPropertyOrder(-1), JsonPropertyName("version")]
    internal int FileVersion { get; init; } = FormatVersion;

    /// <summary>The present environment.</summary>
    public static RunEnvironment Create(Device device, DataSummary data) =>
        new(Version, global::System.Environment.Version.ToString(), torch.version.libtorch,
            $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}", device.ToString(), torch.get_num_threads(),
            DateTime.UtcNow, data);

    /// <summary>Tinctor's version with the git commit after a plus sign.</summary>
    public static string Version { get; } =
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
