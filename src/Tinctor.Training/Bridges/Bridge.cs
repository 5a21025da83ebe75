using Tinctor.Staining.Bridges;
using Tinctor.Torch;

namespace Tinctor.Training.Bridges;

/// <summary>
/// Training of a diffusion bridge on tensors: states and the targets of the network. Images x0, sources y, noises and states x are [N,...] of
/// one shape, float32 or float64. Every sample may be at a step of its own, or all at one. Gradients flow into all tensors, so that a network
/// which computes the end of the bridge is trained along.
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

    /// <summary>Schedule of the bridge.</summary>
    public BridgeSchedule Schedule { get; }

    /// <summary>Quantity that the network predicts.</summary>
    public BridgeObjective Objective { get; }

    /// <summary>Computes the state (1 - m) x0 + m y + s noise; without noise the mean, as in the Schrödinger bridge's OT-ODE.</summary>
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

    /// <summary>Computes the target of the network for the state <paramref name="x"/>, which <see cref="QSample"/> computed from the others.</summary>
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

    /// <summary>Gets the timestep inputs of a network in training for these steps: [N] float32.</summary>
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
