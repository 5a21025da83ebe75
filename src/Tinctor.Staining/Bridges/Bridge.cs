using Tinctor.Torch;

namespace Tinctor.Staining.Bridges;

/// <summary>What a bridge's network learns to tell from a state x.</summary>
public enum BridgeObjective
{
    /// <summary>x - x0, as in virtual staining and BBDM's "grad".</summary>
    Grad,

    /// <summary>(x - x0) / sqrt(v), v the clock: as in the Schrödinger bridge.</summary>
    ScaledGrad,

    /// <summary>The noise in x: BBDM's "noise".</summary>
    Noise,

    /// <summary>y - x0: BBDM's "ysubx".</summary>
    SourceMinusImage,
}

/// <summary>
/// A diffusion bridge on tensors: a schedule and what the network learns. Images x0, sources y, noises and states x are [N,...] of one
/// shape, float32 or float64; what a network says may be coarser. Every sample may be at a step of its own, or all at one. Gradients flow
/// into all tensors, so that a network which makes the source is trained along.
/// </summary>
public sealed class Bridge
{
    /// <exception cref="ArgumentException">The objective says nothing about x0 at an end that the schedule includes.</exception>
    public Bridge(BridgeSchedule schedule, BridgeObjective objective)
    {
        if (objective == BridgeObjective.Noise && schedule.SourceWeights[^1] == 1)
            throw new ArgumentException("noise does not tell the image where the state is the source alone", nameof(objective));
        if (objective == BridgeObjective.ScaledGrad && schedule.Clock[schedule.TrainingSteps.Start.Value] == 0)
            throw new ArgumentException("x - x0 cannot be scaled where the state is the image itself", nameof(objective));
        (Schedule, Objective) = (schedule, objective);
    }

    /// <summary>The numbers.</summary>
    public BridgeSchedule Schedule { get; }

    /// <summary>What the network learns.</summary>
    public BridgeObjective Objective { get; }

    /// <summary>The state (1 - m) x0 + m y + s noise; without noise the mean, as in the Schrödinger bridge's OT-ODE.</summary>
    /// <param name="x0">Images.</param>
    /// <param name="y">Sources.</param>
    /// <param name="steps">One for each sample, or one for all.</param>
    /// <param name="noise">Standard normal, or null.</param>
    public Tensor QSample(Tensor x0, Tensor y, int[] steps, Tensor? noise)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor state = x0 + (At(Source, steps, x0) * (y - x0));
        if (noise is not null) state += At(Deviation, steps, x0) * noise;
        return state.MoveToOuterDisposeScope();
    }

    /// <summary>What the network is to tell from the state <paramref name="x"/>, which <see cref="QSample"/> made of the others.</summary>
    public Tensor Target(Tensor x0, Tensor y, Tensor x, int[] steps, Tensor? noise)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (Objective switch
        {
            BridgeObjective.Grad => x - x0,
            BridgeObjective.ScaledGrad => (x - x0) / At(Scale, steps, x),
            BridgeObjective.Noise => (noise ?? throw new ArgumentNullException(nameof(noise))).alias(),
            _ => y - x0,
        }).MoveToOuterDisposeScope();
    }

    /// <summary>The image, as the network's output for the state <paramref name="x"/> tells it.</summary>
    public Tensor PredictX0(Tensor output, Tensor x, Tensor y, int[] steps)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return (Objective switch
        {
            BridgeObjective.Grad => x - output,
            BridgeObjective.ScaledGrad => x - (At(Scale, steps, x) * output),
            BridgeObjective.Noise => (x - (At(Source, steps, x) * y) - (At(Deviation, steps, x) * output))
                / At(step => 1 - Source(step), steps, x),
            _ => y - output,
        }).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// A state at step <paramref name="to"/>, given the state <paramref name="x"/> at step <paramref name="from"/> and a prediction of the
    /// image: the posterior's mean, and its deviation times the noise if there is any.
    /// </summary>
    public Tensor PSample(Tensor predictedX0, Tensor x, int from, int to, Tensor? noise)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        BridgePosterior posterior = Schedule.Posterior(from, to);
        Tensor state = predictedX0 + (posterior.StateWeight * (x - predictedX0));
        if (noise is not null) state += Math.Sqrt(posterior.Variance) * noise;
        return state.MoveToOuterDisposeScope();
    }

    /// <summary>What a network in training is told about these steps: [N] float32.</summary>
    public Tensor Times(int[] steps, Device device) =>
        torch.tensor(Array.ConvertAll(steps, step => (float)Schedule.Times[step]), steps.Length).to(device);

    private double Source(int step) => Schedule.SourceWeights[step];

    private double Deviation(int step) => Schedule.Deviations[step];

    private double Scale(int step) => Math.Sqrt(Schedule.Clock[step]);

    // A number for each sample, or one for all, [N,1,...]: in float64 until it takes the type of what it multiplies.
    private static Tensor At(Func<int, double> number, int[] steps, Tensor like)
    {
        long[] shape = [steps.Length, .. Enumerable.Repeat(1L, (int)like.ndim - 1)];
        return torch.tensor(Array.ConvertAll(steps, step => number(step)), shape).to(like.device, like.dtype);
    }
}
