namespace Tinctor.Core;

/// <summary>Processor and loaded libraries of this process, as far as Linux shows them.</summary>
internal static class SystemInfo
{
    /// <summary>Model name of the processor; empty if unknown.</summary>
    public static string ProcessorName => ProcessorInfo("model name");

    /// <summary>Instruction sets of the processor, separated by spaces; empty if unknown.</summary>
    public static string ProcessorFlags => ProcessorInfo("flags");

    /// <summary>Whether the processor has units for bfloat16; without them it is slower than float32.</summary>
    public static bool HasBfloat16 => ProcessorFlags.Split(' ').Any(flag => flag is "avx512_bf16" or "amx_bf16");

    /// <summary>Path of a library that is mapped into this process; null if there is none.</summary>
    /// <param name="name">Start of the file name, such as libtorch_cpu.</param>
    public static string? LoadedLibrary(string name) => File.Exists("/proc/self/maps")
        ? File.ReadLines("/proc/self/maps").Select(line => line[(line.IndexOf('/') + 1)..]).Where(path => path.Contains($"/{name}"))
            .Select(path => "/" + path).FirstOrDefault()
        : null;

    private static string ProcessorInfo(string key) => !File.Exists("/proc/cpuinfo") ? ""
        : File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith(key))?.Split(':', 2)[1].Trim() ?? "";
}
