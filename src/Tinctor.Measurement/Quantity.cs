namespace Tinctor.Measurement;

/// <summary>Quantity measured in an image.</summary>
/// <param name="Key">Name in files.</param>
/// <param name="Title">Name for people.</param>
/// <param name="Unit">Unit; empty if there is none.</param>
/// <param name="Digits">Number of decimals printed.</param>
/// <param name="Definition">Definition with formula.</param>
internal sealed record Quantity(string Key, string Title, string Unit, int Digits, string Definition)
{
    /// <summary>Title and unit, for headings and axes.</summary>
    public string Heading => Unit.Length > 0 ? $"{Title} ({Unit})" : Title;
}
