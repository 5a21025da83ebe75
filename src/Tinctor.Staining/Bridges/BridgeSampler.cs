using Tinctor.Torch;

namespace Tinctor.Staining.Bridges;

/// <summary>How a sampler goes from a state x at one step to the next, f being the network's prediction of the image.</summary>
public enum BridgeSolver
{
    /// <summary>A draw from the posterior f + w (x - f), with its variance: the papers' samplers.</summary>
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

/// <summary>What changes near the image, to lessen the variance of the result (Zhang et al. 2024).</summary>
public enum SamplingStrategy
{
    /// <summary>Nothing.</summary>
    Vanilla,

    /// <summary>From the exit step on, states are the posterior's means: no noise is added.</summary>
    Mean,

    /// <summary>The prediction at the exit step is the result.</summary>
    Skip,
}

/// <summary>How images are sampled; the defaults are the papers'.</summary>
public record SamplingOptions
{
    /// <summary>How the sampler goes from step to step.</summary>
    public BridgeSolver Solver { get; init; } = BridgeSolver.Posterior;

    /// <summary>What changes near the image.</summary>
    public SamplingStrategy Strategy { get; init; } = SamplingStrategy.Vanilla;

    /// <summary>t_e: <see cref="Strategy"/> acts in the states up to this one, counted from the image; in none if it is 0.</summary>
    public int ExitStep { get; init; } = 50;

    /// <summary>What noise is multiplied by: BBDM's eta, and 0 is I2SB's OT-ODE. Other solvers than the posterior add it in the first step alone.</summary>
    public double Eta { get; init; } = 1;

    /// <summary>Whether predictions of the image are clamped to [-1, 1], also extrapolated ones.</summary>
    public bool Clip { get; init; }
}

/// <summary>The network's output for the state <paramref name="x"/> at a time of <see cref="BridgeSchedule.SamplingTimes"/>.</summary>
public delegate Tensor BridgeNetwork(Tensor x, double time);

/// <summary>
/// Sees a step of sampling: the state that was reached, at which step, and the prediction of the image that led there. The tensors live
/// until it returns.
/// </summary>
public delegate void SamplingObserver(int step, Tensor state, Tensor predictedImage);

/// <summary>Draws images from a bridge: starts at the source and walks down to the image, asking the network where the image is.</summary>
public sealed class BridgeSampler(Bridge bridge, SamplingOptions options)
{
    private readonly BridgeSchedule schedule = bridge.Schedule;

    /// <summary>The image of a source; y's shape, type and device.</summary>
    /// <param name="y">The source, [N,...].</param>
    /// <param name="plan">The states at which the network is asked, see <see cref="StepPlan"/>; repeated ones are asked once.</param>
    /// <param name="network">What is asked.</param>
    /// <param name="noise">Standard normal noise of y's shape for leaving a state; not asked where none is needed.</param>
    /// <param name="observe">Sees every step.</param>
    /// <exception cref="ArgumentException">The plan does not start at the source, or does not descend, or names state 0.</exception>
    public Tensor Sample(Tensor y, IEnumerable<int> plan, BridgeNetwork network, Func<int, Tensor> noise, SamplingObserver? observe = null)
    {
        using Guard quiet = torch.no_grad();
        int[] steps = [.. Check(plan), 0];
        var at = new Position(schedule.Last, y.alias(), null);
        foreach (int to in steps.Skip(1))
        {
            Position next = Advance(at, y, to, network, noise);
            at.Dispose();
            at = next;
            observe?.Invoke(at.Step, at.State, at.Prediction!);
            if (at.Step == 0) break;
        }
        at.Prediction?.Dispose();
        return at.State;
    }

    private int[] Check(IEnumerable<int> plan)
    {
        int[] steps = [.. plan.Distinct()];
        if (steps.Length == 0 || steps[0] != schedule.Last || steps[^1] < 1 || !steps.SequenceEqual(steps.OrderDescending()))
            throw new ArgumentException($"a plan descends from {schedule.Last} to 1 or above", nameof(plan));
        return steps;
    }

    private Position Advance(Position at, Tensor y, int to, BridgeNetwork network, Func<int, Tensor> noise)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor prediction = Predict(at, y, network);
        bool late = options.Strategy != SamplingStrategy.Vanilla && at.Step <= options.ExitStep;
        if (late && options.Strategy == SamplingStrategy.Skip) return Keep(0, prediction.alias());
        if (!late && options.Solver != BridgeSolver.Posterior) return Keep(to, Implicit(at, prediction, y, to, noise));
        bool quiet = late || to == 0 || options.Eta == 0;
        return Keep(to, bridge.PSample(prediction, at.State, at.Step, to, quiet ? null : options.Eta * noise(at.Step)));

        Position Keep(int step, Tensor state) =>
            new(step, state.MoveToOuterDisposeScope(), prediction.MoveToOuterDisposeScope(), at.Step);
    }

    private Tensor Predict(Position at, Tensor y, BridgeNetwork network)
    {
        Tensor output = network(at.State, schedule.SamplingTimes[at.Step]);
        Tensor prediction = bridge.PredictX0(output, at.State, y, [at.Step]);
        return options.Clip ? prediction.clamp(-1, 1) : prediction;
    }

    private Tensor Implicit(Position at, Tensor prediction, Tensor y, int to, Func<int, Tensor> noise)
    {
        Tensor state = to == 0 ? prediction.alias() : Mean(prediction, y, to) + (schedule.Deviations[to] * Noise());
        if (options.Solver == BridgeSolver.Implicit || at.Prediction is null) return state;
        double here = Angle(at.Step), before = Angle(at.Previous);
        state += (prediction - at.Prediction) * (Extrapolation(here, to == 0 ? 0 : Angle(to)) / (here - before));
        return to == 0 && options.Clip ? state.clamp(-1, 1) : state;

        // The noise that is in the state; the source has none, and gets it here.
        Tensor Noise() => at.Step == schedule.Last ? options.Eta * noise(at.Step)
            : (at.State - Mean(prediction, y, at.Step)) / schedule.Deviations[at.Step];
    }

    private Tensor Mean(Tensor x0, Tensor y, int step) => x0 + (schedule.SourceWeights[step] * (y - x0));

    private double Angle(int step) => Math.Asin(Math.Sqrt(schedule.SourceWeights[step]));

    // What a slope of the prediction adds from one angle to the next.
    private static double Extrapolation(double from, double to) => to == 0 ? -from
        : Math.Cos(to) * ((Math.Cos(to) * (to - from)) - (Math.Sin(to) * Math.Log(Math.Sin(to) / Math.Sin(from))));

    // A state, and the prediction that led to it from the state before.
    private sealed record Position(int Step, Tensor State, Tensor? Prediction, int Previous = 0) : IDisposable
    {
        public void Dispose()
        {
            State.Dispose();
            Prediction?.Dispose();
        }
    }
}
