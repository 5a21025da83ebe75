namespace Tinctor.Evaluation.Analyses.Segmentation;

/// <summary>Counts of pixels for the agreement of two masks; sums over images are counts of the test set.</summary>
/// <param name="Both">Set in both: true positives.</param>
/// <param name="Extra">Pixels set only in the evaluated mask: false positives.</param>
/// <param name="Missed">Set in the reference alone: false negatives.</param>
internal readonly record struct PixelAgreement(long Both, long Extra, long Missed)
{
    /// <summary>Counts two masks of one size.</summary>
    public static PixelAgreement Compute(ReadOnlySpan<bool> mask, ReadOnlySpan<bool> reference)
    {
        if (mask.Length != reference.Length) throw new ArgumentException($"{mask.Length} and {reference.Length} pixels are no pair");
        long both = 0, extra = 0, missed = 0;
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] && reference[i]) both++;
            else if (mask[i]) extra++;
            else if (reference[i]) missed++;
        }
        return new(both, extra, missed);
    }

    /// <summary>Dice, the same as F1: 2 both / (2 both + extra + missed); NaN if both masks are empty.</summary>
    public double Dice => 2.0 * Both / ((2 * Both) + Extra + Missed);

    /// <summary>Both / (both + extra); NaN if the evaluated mask is empty.</summary>
    public double Precision => (double)Both / (Both + Extra);

    /// <summary>Both / (both + missed); NaN where the reference is empty.</summary>
    public double Recall => (double)Both / (Both + Missed);

    /// <summary>Adds counts.</summary>
    public static PixelAgreement operator +(PixelAgreement a, PixelAgreement b) =>
        new(a.Both + b.Both, a.Extra + b.Extra, a.Missed + b.Missed);
}
