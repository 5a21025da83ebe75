namespace Tinctor.Registration.Pairs;

/// <summary>Registration of the fields of a slide.</summary>
/// <param name="SlideId">Slide, or the field if slides are unknown.</param>
/// <param name="Fields">Number of fields.</param>
/// <param name="ShiftX">Median translation of the fields' centres to the right, in pixels.</param>
/// <param name="ShiftY">Median translation of the fields' centres down, in pixels.</param>
/// <param name="Spread">Median distance of the fields' own translations from the median translation, in pixels.</param>
/// <param name="NccBefore">Median correlation of the fields before registration.</param>
/// <param name="NccAfter">Median correlation of the registered fields.</param>
/// <param name="Kept">Number of kept tiles.</param>
/// <param name="Rejected">Number of tiles that were rejected by correlation or residual.</param>
/// <param name="Background">Number of tiles with too little tissue.</param>
public sealed record SlideSummary(string SlideId, int Fields, double ShiftX, double ShiftY, double Spread, double NccBefore,
    double NccAfter,
    int Kept, int Rejected, int Background)
{
    /// <summary>Whether at least half of the tiles with tissue were kept.</summary>
    public bool Passed => Kept > 0 && Kept >= Rejected;
}
