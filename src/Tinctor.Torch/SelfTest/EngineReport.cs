using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tinctor.Torch.SelfTest;

/// <summary>Result of the self-test of a libtorch on a processor.</summary>
/// <param name="Fingerprint">SHA-256 of what the result depends on: the libtorch, the processor and the self-test.</param>
/// <param name="Libtorch">Version of libtorch.</param>
/// <param name="Path">Path of libtorch; null if unknown.</param>
/// <param name="Faults">Wrong results; none from a sound libtorch.</param>
internal sealed record EngineReport(string Fingerprint, string Libtorch, string? Path, IReadOnlyList<EngineFault> Faults)
{
    private static readonly JsonSerializerOptions Format =
        new() { WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals };

    /// <summary>Gets the faults that a computation would meet.</summary>
    /// <param name="bfloat16">Whether it runs suitable operators in bfloat16.</param>
    /// <param name="training">Whether it computes gradients.</param>
    public IReadOnlyList<EngineFault> FaultsOf(bool bfloat16, bool training) =>
        [.. Faults.Where(fault => (bfloat16 || fault.Precision == EngineCheck.Float32) && (training || fault.IsForward))];

    /// <summary>Creates the error that refuses a computation; null if libtorch computes it correctly.</summary>
    /// <inheritdoc cref="FaultsOf"/>
    public TinctorException? Refusal(bool bfloat16, bool training)
    {
        IReadOnlyList<EngineFault> faults = FaultsOf(bfloat16, training);
        if (faults.Count == 0) return null;
        string others = faults.Count == 1 ? "" : $", and {faults.Count - 1} more {(faults.Count == 2 ? "result is" : "results are")} wrong";
        string problem = $"libtorch {Libtorch} computes wrong convolutions on this processor: {faults[0]}{others}";
        string another = Environment.GetEnvironmentVariable("TINCTOR_LIBTORCH") is { Length: > 0 }
            ? "use another libtorch: unset TINCTOR_LIBTORCH for that of the system, or set it to another folder"
            : "use another libtorch: set TINCTOR_LIBTORCH to its folder (docs/engine.md)";
        return FaultsOf(bfloat16: false, training).Count > 0 ? new(Path, problem, "U" + another[1..])
            : new(Path, problem, $"Compute in float32, or {another}") { Option = "Amp" };
    }

    /// <summary>Reads a stored result; null if there is none, or it is damaged.</summary>
    public static EngineReport? Read(string path)
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<EngineReport>(File.ReadAllText(path), Format) : null;
        }
        catch (Exception e) when (e is JsonException || FileErrors.IsFileError(e))
        {
            return null;
        }
    }

    /// <summary>Stores the result. A folder that cannot be written is no error: the self-test then runs in each process.</summary>
    public void Write(string path)
    {
        try
        {
            AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Format) + "\n");
        }
        catch (TinctorException)
        {
            // An installation for all users belongs to another user.
        }
    }
}
