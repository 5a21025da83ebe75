using System.Globalization;
using System.Reflection;

namespace Tinctor.Registration.Pairs;

/// <summary>Fingerprints of options records.</summary>
internal static class OptionFingerprint
{
    /// <summary>
    /// Adds the options that differ from their defaults, so that an option that is new in a later version keeps the fingerprints of data
    /// sets that do not use it.
    /// </summary>
    public static Fingerprint AddOptions<T>(this Fingerprint fingerprint, string name, T options, params ReadOnlySpan<string> except)
        where T : new()
    {
        var defaults = new T();
        foreach (PropertyInfo property in typeof(T).GetProperties().OrderBy(property => property.Name, StringComparer.Ordinal))
        {
            object? value = property.GetValue(options);
            if (except.Contains(property.Name) || Equals(value, property.GetValue(defaults))) continue;
            fingerprint.Add($"{name}.{property.Name}",
                value is IFormattable number ? number.ToString(null, CultureInfo.InvariantCulture) : value?.ToString());
        }
        return fingerprint;
    }
}
