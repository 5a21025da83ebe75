namespace Tinctor.Staining.Bridges;

/// <summary>Growth of the weight of the source with the step in <see cref="BridgeSchedule.Bbdm"/>.</summary>
public enum BridgeGrowth
{
    /// <summary>Evenly, from 0.001 to 0.999.</summary>
    Linear,

    /// <summary>Exponentially by 0.75 % a step, as what the official code names "sin".</summary>
    Exponential,
}

/// <summary>
/// Distribution of an earlier state, given a state x and the image x0: normal about x0 + StateWeight (x - x0), with a variance.
/// </summary>
internal readonly record struct BridgePosterior(double StateWeight, double Variance);

/// <summary>
/// Schedule of a diffusion bridge from an image x0 to its source y, in float64. State k is x = (1 - m) x0 + m y + s e with e ~ N(0, 1),
/// where m = <see cref="SourceWeights"/>[k] and s = <see cref="Deviations"/>[k]; state 0 is the image, state <see cref="Last"/> the source.
/// <para>
/// The published bridges are one: Brownian motion that leaves x0, read at the times v = <see cref="Clock"/>[k], and known to end in y.
/// With the whole time V, m = v / V and s² = V m (1 - m). As Brownian motion has no memory, where it was at time u &lt; v depends on x0 and
/// on its place at v alone: mean x0 + (u/v)(x - x0), variance u (1 - u/v). This holds between any two states, so steps may be left out.
/// </para>
/// </summary>
internal sealed class BridgeSchedule
{
    private const double OfficialTimeScale = 1000;
    private readonly double[] weights, deviations, clock;
    private bool invertedVariance;

    private BridgeSchedule(double[] weights, double[] deviations, double[] clock, double[] times)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(weights.Length, 2, "steps");
        (this.weights, this.deviations, this.clock) = (weights, deviations, clock);
        Times = SamplingTimes = times;
        TrainingSteps = 1..weights.Length;
    }

    /// <summary>m, the weight of the source in each state.</summary>
    public IReadOnlyList<double> SourceWeights => weights;

    /// <summary>s, the standard deviation of each state about its mean.</summary>
    public IReadOnlyList<double> Deviations => deviations;

    /// <summary>v, the variance that Brownian motion has gathered on its way from the image to each state.</summary>
    public IReadOnlyList<double> Clock => clock;

    /// <summary>Timestep input of the network for each state in training.</summary>
    public IReadOnlyList<double> Times { get; }

    /// <summary>
    /// Timestep input of the network for each state in sampling; differs from training in the official staining code only.
    /// </summary>
    public IReadOnlyList<double> SamplingTimes { get; private set; }

    /// <summary>States that training samples from.</summary>
    public Range TrainingSteps { get; private set; }

    /// <summary>Number of the state that is the source, where sampling starts.</summary>
    public int Last => weights.Length - 1;

    /// <summary>
    /// Computes the schedule of super-resolved virtual staining (Zhang et al. 2024): m = k / steps, s² = 2 m (1 - m); the network's times
    /// are 0 to 1000 whatever the number of steps. The default is exact: with the best network for normal data of spread 0.05, 0.1 and 0.3,
    /// vanilla sampling then gives 0.70, 0.86 and 0.97 of the spread, and with the official numbers 2.03, 1.45 and 1.10.
    /// </summary>
    /// <param name="steps">Number of steps from the source to the image.</param>
    /// <param name="official">
    /// As the official code has it: the posterior's variance is multiplied by (s_from / s_to)⁴, but for the first step; while staining the
    /// network receives the time of one step earlier; training samples state 0 and never the source.
    /// </param>
    public static BridgeSchedule Staining(int steps = 1000, bool official = false)
    {
        double[] m = Table(steps + 1, k => (double)k / steps), times = Array.ConvertAll(m, share => share * OfficialTimeScale);
        BridgeSchedule schedule = Brownian(m, 2, times);
        if (!official) return schedule;
        schedule.invertedVariance = true;
        schedule.SamplingTimes = Table(steps + 1, k => times[Math.Max(k - 1, 0)]);
        schedule.TrainingSteps = ..steps;
        return schedule;
    }

    /// <summary>
    /// Computes the schedule of the Brownian bridge diffusion model (Li et al. 2023): s² = 2 maxVariance m (1 - m). State k is the official
    /// code's t = k - 1, which is the network's timestep input; the image itself, state 0, has no number there.
    /// </summary>
    /// <param name="steps">The official num_timesteps.</param>
    /// <param name="growth">The official mt_type.</param>
    /// <param name="maxVariance">The official max_var: twice the largest variance.</param>
    public static BridgeSchedule Bbdm(int steps = 1000, BridgeGrowth growth = BridgeGrowth.Linear, double maxVariance = 1)
    {
        const double nearlyAll = 0.999, rate = 1.0075;
        double[] m = Table(steps + 1, k => k == 0 ? 0 : k == steps ? nearlyAll : growth switch
        {
            BridgeGrowth.Linear => 1 - nearlyAll + (((2 * nearlyAll) - 1) * (k - 1) / (steps - 1)),
            _ => Math.Pow(rate, steps * (double)(k - steps) / (steps - 1)),
        });
        return Brownian(m, 2 * maxVariance, Table(steps + 1, k => k - 1));
    }

    /// <summary>
    /// Computes the schedule of the image-to-image Schrödinger bridge (I2SB, Liu et al. 2023): from both ends, the deviation of a step
    /// grows evenly from 0.01 half the way to sqrt(<paramref name="betaMax"/> / steps). As in the official code a state counts its own step
    /// on both sides, so that state 0 is not quite the image and the last not quite the source; the network's times are 1e-4 to 1, times
    /// the steps.
    /// </summary>
    /// <param name="steps">The official interval; even.</param>
    /// <param name="betaMax">The official beta_max.</param>
    public static BridgeSchedule Schrodinger(int steps = 1000, double betaMax = 0.3)
    {
        if (steps % 2 != 0) throw new ArgumentException($"a symmetric schedule needs an even number of steps, not {steps}", nameof(steps));
        const double first = 1e-4;
        double[] forward = Sums(Table(steps, k => Beta(Math.Min(k, steps - 1 - k))));
        double[] backward = [.. forward.Reverse()];
        return new(
            Table(steps, k => forward[k] / (forward[k] + backward[k])),
            Table(steps, k => Math.Sqrt(forward[k] * backward[k] / (forward[k] + backward[k]))),
            forward,
            Table(steps, k => steps * Between(first, 1, k / (steps - 1.0))))
        { TrainingSteps = ..steps };

        double Beta(int k) => Math.Pow(Between(Math.Sqrt(first), Math.Sqrt(betaMax / steps), k / (steps - 1.0)), 2);
    }

    /// <summary>Computes the distribution of state <paramref name="to"/>, given state <paramref name="from"/> and the image.</summary>
    public BridgePosterior Posterior(int from, int to)
    {
        double share = clock[to] / clock[from], variance = clock[to] * (1 - share);
        if (invertedVariance && from != Last) variance *= Math.Pow(deviations[from] / deviations[to], 4);
        return new(share, variance);
    }

    private static BridgeSchedule Brownian(double[] m, double whole, double[] times) => new(
        m, Array.ConvertAll(m, share => Math.Sqrt(whole * share * (1 - share))), Array.ConvertAll(m, share => whole * share), times);

    private static double[] Table(int count, Func<int, double> value) => [.. Enumerable.Range(0, count).Select(value)];

    private static double[] Sums(double[] values)
    {
        double sum = 0;
        return Array.ConvertAll(values, value => sum += value);
    }

    private static double Between(double low, double high, double share) => low + ((high - low) * share);
}
