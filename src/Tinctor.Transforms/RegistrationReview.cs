namespace Tinctor.Transforms;

/// <summary>Verdict of a person on a registration.</summary>
public enum ReviewState
{
    /// <summary>The transform is used, whatever its quality check says.</summary>
    Accepted,

    /// <summary>The transform was fitted or corrected with landmarks, and is used.</summary>
    Corrected,

    /// <summary>The transform is not used.</summary>
    Rejected,
}

/// <summary>Review of a registration by a person.</summary>
/// <param name="State">Verdict.</param>
/// <param name="Time">Time of the review, in UTC.</param>
/// <param name="By">Name of the person; null if it was not given.</param>
/// <param name="Landmarks">Number of pairs of landmarks.</param>
/// <param name="MedianTre">Median target registration error of the landmarks, in target pixels; null without landmarks.</param>
/// <param name="MedianLeaveOneOut">
/// Median leave-one-out error of the landmarks in target pixels; null if the transform was not fitted to them, or they are too few.
/// </param>
public sealed record RegistrationReview(ReviewState State, DateTime Time, string? By = null, int Landmarks = 0, double? MedianTre = null,
    double? MedianLeaveOneOut = null);
