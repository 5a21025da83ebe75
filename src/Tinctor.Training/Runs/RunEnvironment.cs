using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.Json.Serialization;
using Tinctor.Data;
using Tinctor.Torch;

namespace Tinctor.Training.Runs;

/// <summary>Environment of a run: versions, machine and data; environment.json.</summary>
/// <param name="Tinctor">Version and git commit of Tinctor.</param>
/// <param name="Dotnet">Version of the .NET runtime.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="System">Operating system and processor architecture.</param>
/// <param name="Device">Device of the training.</param>
/// <param name="Threads">Number of threads per operator; results are reproducible bit for bit only with the same number.</param>
/// <param name="Started">Start of the run, in UTC.</param>
/// <param name="Data">Counts and hashes of the data.</param>
internal sealed record RunEnvironment(string Tinctor, string Dotnet, string Libtorch, string System, string Device, int Threads,
    DateTime Started, DataSummary Data)
{
    /// <summary>Version of the file format; files of earlier programs have none.</summary>
    internal const int FormatVersion = 1;

    [JsonInclude, JsonPropertyOrder(-2), JsonPropertyName("format")]
    internal string FileFormat { get; init; } = "tinctor-run";

    [JsonInclude, JsonPropertyOrder(-1), JsonPropertyName("version")]
    internal int FileVersion { get; init; } = FormatVersion;

    /// <summary>Number of processes at the start of the run.</summary>
    public int Ranks { get; init; } = 1;

    /// <summary>Describes the current environment.</summary>
    public static RunEnvironment Create(Device device, DataSummary data) =>
        new(Version, global::System.Environment.Version.ToString(), torch.version.libtorch,
            $"{RuntimeInformation.OSDescription}, {RuntimeInformation.OSArchitecture}", device.ToString(), torch.get_num_threads(),
            DateTime.UtcNow, data)
        { Ranks = ProcessGroup.Processes };

    /// <summary>Version of Tinctor, with the git commit after a plus sign.</summary>
    public static string Version { get; } =
        typeof(RunEnvironment).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
}
