using System.Numerics;

namespace Tinctor.Staining.Bridges;

/// <summary>Solver that leads from a state x at one step to the next; f is the network's prediction of the image.</summary>
public enum BridgeSolver
{
    /// <summary>Draws from the posterior f + w (x - f), with its variance: the papers' samplers.</summary>
    Posterior,

    /// <summary>
    /// Diffusion bridge implicit models (Zheng et al. 2024) with eta 0. The first step draws x = (1 - m) f + m y + s e; from then on e is
    /// kept: x' = μ'(f) + (s'/s)(x - μ(f)), where μ(f) = (1 - m) f + m y. All states have the distributions that the network was trained
    /// on. First order: the error falls with the number of evaluations.
    /// </summary>
    Implicit,

    /// <summary>
    /// The same, of second order: f is not held over a step but extrapolated through the last two predictions. In the limit of short steps
    /// the implicit model is d(x/s) = y d(m/s) + f d((1 - m)/s). With the angle a of sin² a = m, (1 - m)/s is cot a over a constant, and
    /// for normal data f is smooth in a up to both ends, where it is not in s nor in log((1 - m)/s). With f = f0 + f' (a - a0) the step
    /// gains f' sin a' cos a' ∫ (a - a0) d cot a = f' cos a' (cos a' (a' - a0) - sin a' ln(sin a' / sin a0)), a' being where it leads; at
    /// the image f' (0 - a0). The slope is f' = (f0 - f1) / (a0 - a1), from the prediction before.
    /// </summary>
    Extrapolated,
}

/// <summary>Sampling near the image that lessens the variance of the result (Zhang et al. 2024).</summary>
public enum SamplingStrategy
{
    /// <summary>The same sampling at all steps.</summary>
    Vanilla,

    /// <summary>From the exit step on, states are the posterior's means: no noise is added.</summary>
    Mean,

    /// <summary>The prediction at the exit step is the result.</summary>
    Skip,
}

/// <summary>Options of sampling; the defaults are those of the papers.</summary>
public record SamplingOptions
{
    /// <summary>Solver that leads from step to step.</summary>
    public BridgeSolver Solver { get; init; } = BridgeSolver.Posterior;

    /// <summary>Sampling near the image.</summary>
    public SamplingStrategy Strategy { get; init; } = SamplingStrategy.Vanilla;

    /// <summary>t_e: <see cref="Strategy"/> acts in the states up to this one, counted from the image; in none if it is 0.</summary>
    public int ExitStep { get; init; } = 50;

    /// <summary>
    /// Factor of the noise: BBDM's eta; 0 is I2SB's OT-ODE. Solvers other than the posterior add noise in the first step alone.
    /// </summary>
    public double Eta { get; init; } = 1;

    /// <summary>Whether predictions of the image are clamped to [-1, 1], also extrapolated ones.</summary>
    public bool Clip { get; init; }
}

/// <summary>
/// Computes the network's output for the state <paramref name="x"/> at a time of <see cref="BridgeSchedule.SamplingTimes"/>.
/// </summary>
internal delegate T[] BridgeNetwork<T>(T[] x, double time);

/// <summary>Receives a step of sampling: the state reached, its step, and the prediction of the image that led there.</summary>
internal delegate void SamplingObserver<T>(int step, T[] state, T[] predictedImage);

/// <summary>
/// Draws images from a diffusion bridge: starts at the source and leads down to the image, with a prediction of the image at each step.
/// Thread-safe.
/// </summary>
/// <param name="schedule">Schedule of the bridge.</param>
/// <param name="objective">Quantity that the network predicts.</param>
/// <param name="options">Options of sampling.</param>
internal sealed class BridgeSampler<T>(BridgeSchedule schedule, BridgeObjective objective, SamplingOptions options)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    private readonly BridgeEquations<T> equations = new(schedule, objective);

    /// <summary>Samples the image of a source; <paramref name="y"/> is left as it is.</summary>
    /// <param name="y">Source, the end of the bridge.</param>
    /// <param name="plan">Steps at which the network is evaluated, see <see cref="StepPlan"/>; repeated ones once.</param>
    /// <param name="network">The network.</param>
    /// <param name="noise">Standard normal noise of y's length for leaving a state; not called where none is needed.</param>
    /// <param name="observe">Receives every step.</param>
    /// <exception cref="ArgumentException">The plan does not start at the source, does not descend, or contains step 0.</exception>
    public T[] Sample(T[] y, IEnumerable<int> plan, BridgeNetwork<T> network, Func<int, T[]> noise, SamplingObserver<T>? observe = null)
    {
        int[] steps = [.. Check(plan), 0];
        var at = new Position(schedule.Last, [.. y], null);
        foreach (int to in steps.Skip(1))
        {
            at = Advance(at, y, to, network, noise);
            observe?.Invoke(at.Step, at.State, at.Prediction!);
            if (at.Step == 0) break;
        }
        return at.State;
    }

    private int[] Check(IEnumerable<int> plan)
    {
        int[] steps = [.. plan.Distinct()];
        if (steps.Length == 0 || steps[0] != schedule.Last || steps[^1] < 1 || !steps.SequenceEqual(steps.OrderDescending()))
            throw new ArgumentException($"a plan descends from {schedule.Last} to 1 or above", nameof(plan));
        return steps;
    }

    private Position Advance(Position at, T[] y, int to, BridgeNetwork<T> network, Func<int, T[]> noise)
    {
        T[] prediction = Predict(at, y, network);
        bool late = options.Strategy != SamplingStrategy.Vanilla && at.Step <= options.ExitStep;
        if (late && options.Strategy == SamplingStrategy.Skip) return new(0, prediction, prediction, at.Step);
        if (!late && options.Solver != BridgeSolver.Posterior)
            return new(to, ImplicitStep(at, prediction, y, to, noise), prediction, at.Step);
        bool quiet = late || to == 0 || options.Eta == 0;
        T[] drawn = quiet ? [] : Scaled(noise(at.Step), options.Eta);
        return new(to, equations.SamplePosterior(prediction, at.State, at.Step, to, drawn), prediction, at.Step);
    }

    private T[] Predict(Position at, T[] y, BridgeNetwork<T> network)
    {
        T[] prediction = equations.PredictImage(network(at.State, schedule.SamplingTimes[at.Step]), at.State, y, at.Step);
        if (options.Clip) Clamp(prediction);
        return prediction;
    }

    private T[] ImplicitStep(Position at, T[] prediction, T[] y, int to, Func<int, T[]> noise)
    {
        T[] state = to == 0 ? [.. prediction] : equations.Mean(prediction, y, to);
        if (to != 0) AddScaled(state, Noise(), schedule.Deviations[to]);
        if (options.Solver == BridgeSolver.Implicit || at.Prediction is null) return state;
        double here = Angle(at.Step), before = Angle(at.Previous);
        T slope = T.CreateChecked(Extrapolation(here, to == 0 ? 0 : Angle(to)) / (here - before));
        for (int i = 0; i < state.Length; i++) state[i] += (prediction[i] - at.Prediction[i]) * slope;
        if (to == 0 && options.Clip) Clamp(state);
        return state;

        // Noise in the state; the source has none, and gets it here.
        T[] Noise()
        {
            if (at.Step == schedule.Last) return Scaled(noise(at.Step), options.Eta);
            T[] mean = equations.Mean(prediction, y, at.Step);
            T deviation = T.CreateChecked(schedule.Deviations[at.Step]);
            for (int i = 0; i < mean.Length; i++) mean[i] = (at.State[i] - mean[i]) / deviation;
            return mean;
        }
    }

    private double Angle(int step) => Math.Asin(Math.Sqrt(schedule.SourceWeights[step]));

    // Contribution of a slope of the prediction from one angle to the next.
    private static double Extrapolation(double from, double to) => to == 0 ? -from
        : Math.Cos(to) * ((Math.Cos(to) * (to - from)) - (Math.Sin(to) * Math.Log(Math.Sin(to) / Math.Sin(from))));

    private static T[] Scaled(T[] values, double factor)
    {
        T by = T.CreateChecked(factor);
        return Array.ConvertAll(values, value => by * value);
    }

    private static void AddScaled(T[] values, T[] added, double factor)
    {
        T by = T.CreateChecked(factor);
        for (int i = 0; i < values.Length; i++) values[i] += by * added[i];
    }

    private static void Clamp(T[] values)
    {
        for (int i = 0; i < values.Length; i++) values[i] = T.Clamp(values[i], -T.One, T.One);
    }

    // A state, and the prediction that led to it from the state before.
    private sealed record Position(int Step, T[] State, T[]? Prediction, int Previous = 0);
}
