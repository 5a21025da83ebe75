using System.Globalization;
using System.Text.Json.Serialization;

namespace Tinctor.Torch.SelfTest;

/// <summary>A wrong result of libtorch.</summary>
/// <param name="Precision">float32 or bfloat16.</param>
/// <param name="Operator">Operator with its sizes.</param>
/// <param name="Quantity">Output, or gradient of the input, weight or bias.</param>
/// <param name="Error">Largest error, relative to the root mean square of the correct values; NaN if there is a NaN.</param>
internal sealed record EngineFault(string Precision, string Operator, string Quantity, double Error)
{
    /// <summary>Whether the forward pass is wrong; otherwise a gradient is.</summary>
    [JsonIgnore]
    public bool IsForward => Quantity == EngineCheck.Output;

    /// <inheritdoc/>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"the {Quantity} of {Operator} in {Precision} has an error of {(double.IsFinite(Error) ? $"{100 * Error:G3} %" : "NaN")}");
}
