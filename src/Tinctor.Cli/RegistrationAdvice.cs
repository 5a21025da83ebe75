using Tinctor.Registration;
using Tinctor.Transforms;

namespace Tinctor.Cli;

/// <summary>Advice after a failed registration.</summary>
internal static class RegistrationAdvice
{
    /// <summary>Gets the options that may help and were not given; null if there are none.</summary>
    public static string? For(RegistrationOptions options)
    {
        string[] advice =
        [
            .. options.Mirror ? [] : (string[])["--mirror if the target may be mirrored"],
            .. options.Transform == TransformModel.Rigid ? (string[])["--transform affine if the sections may differ in scale"] : [],
            .. options.Mpp is null && options.Size < 2000 ? (string[])["--size 2000 for small structures"] : [],
        ];
        return advice.Length == 0 ? null : $"Try {string.Join("; ", advice)}.";
    }
}
