using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>Change of the weights of adaptive supervised PatchNCE during the run.</summary>
internal enum NceSchedule
{
    /// <summary>From equal weights to those of the similarity along a logistic curve.</summary>
    Sigmoid,

    /// <summary>From equal weights to those of the similarity linearly.</summary>
    Linear,

    /// <summary>Equal weights until the learning rate decreases, then linearly to those of the similarity.</summary>
    Lambda,

    /// <summary>Equal weights.</summary>
    Zero,
}

/// <summary>Weight of a patch by the similarity of stained and real image at its place.</summary>
internal enum NceWeight
{
    /// <summary>A quarter of a circle: rises steeply from similarity 0.</summary>
    Top,

    /// <summary>The similarity; 0 for negative ones.</summary>
    Linear,

    /// <summary>A Gaussian around similarity 0.5.</summary>
    Bell,

    /// <summary>Equal weights.</summary>
    Uniform,
}

/// <summary>
/// Weights of adaptive supervised PatchNCE (Li et al. 2023, section 2.2; models/asp_loss.py of the official ASP): patches whose stained and
/// real image disagree, as the sections are not aligned, count less towards the end of the run.
/// </summary>
internal static class AdaptiveNceWeights
{
    /// <summary>Computes weights with a mean of 1.</summary>
    /// <param name="similarity">Cosine of stained and real image of each patch.</param>
    /// <param name="schedule">Change during the run.</param>
    /// <param name="weight">Weight by similarity.</param>
    /// <param name="elapsed">Elapsed share of the run, 0 to 1.</param>
    /// <param name="decay">Share of the run at its end in which the schedule lambda changes the weights.</param>
    public static Tensor Compute(Tensor similarity, NceSchedule schedule, NceWeight weight, double elapsed, double decay)
    {
        double equal = EqualShare(schedule, elapsed, decay);
        Tensor weights = equal + ((1 - equal) * BySimilarity(similarity.detach(), weight));
        return weights / weights.sum() * weights.size(0);
    }

    private static double EqualShare(NceSchedule schedule, double elapsed, double decay) => schedule switch
    {
        NceSchedule.Sigmoid => 1 / (1 + Math.Exp((elapsed - 0.5) * 10)),
        NceSchedule.Linear => 1 - elapsed,
        NceSchedule.Lambda => elapsed >= 1 - decay ? (1 - elapsed) / decay : 1,
        _ => 1,
    };

    private static Tensor BySimilarity(Tensor similarity, NceWeight weight) => weight switch
    {
        NceWeight.Top => (1 - (similarity.relu() - 1).square()).sqrt(),
        NceWeight.Linear => similarity.relu(),
        NceWeight.Bell => (((similarity - 0.5) * 4).square() / -2).exp() / Math.Sqrt(2 * Math.PI),
        _ => torch.ones_like(similarity),
    };
}
