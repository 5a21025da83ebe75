using Tinctor.Staining.Bridges;
using Tinctor.Torch;

namespace Tinctor.Training.Bridges;

/// <summary>
/// Diffusion bridge on tensors, for training: states and targets of the network. Images x0, sources y, noise and states x are [N,...] of
/// equal shape, float32 or float64. Samples may have different steps. Gradients flow into all tensors, including the network that computes
/// the end of the bridge.
/// </summary>
internal sealed class Bridge
{
    /// <exception cref="ArgumentException">The objective does not determine x0 at a step of the schedule.</exception>
    public Bridge(BridgeSchedule schedule, BridgeObjective objective)
    {
        if (objective == BridgeObjective.Noise && schedule.SourceWeights[^1] == 1)
            throw new ArgumentException("noise does not determine the image where the state equals the source", nameof(objective));
        if (objective == BridgeObjective.ScaledGrad && schedule.Clock[schedule.TrainingSteps.Start.Value] == 0)
            throw new ArgumentException("x - x0 cannot be scaled where the state equals the image", nameof(objective));
        (Schedule, Objective) = (schedule, objective);
    }

    /// <summary>Schedule of the bridge.</summary>
    public BridgeSchedule Schedule { get; }

    /// <summary>Prediction target of the network.</summary>
    public BridgeObjective Objective { get; }

    /// <summary>Computes the state (1 - m) x0 + m y + s noise; without noise its mean, as in the OT-ODE of I2SB.</summary>
    /// <param name="x0">Images.</param>
    /// <param name="y">Sources.</param>
    /// <param name="steps">Step of each sample, or one step for all.</param>
    /// <param name="noise">Standard normal noise; null for none.</param>
    public Tensor QSample(Tensor x0, Tensor y, int[] steps, Tensor? noise)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor state = x0 + (At(Source, steps, x0) * (y - x0));
        if (noise is not null) state += At(Deviation, steps, x0) * noise;
        return state.MoveToOuterDisposeScope();
    }

    /// <summary>Computes the target of the network for a state <paramref name="x"/> of <see cref="QSample"/>.</summary>
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

    /// <summary>Gets the timestep inputs of the network, [N] float32.</summary>
    public Tensor Times(int[] steps, Device device) =>
        torch.tensor(Array.ConvertAll(steps, step => (float)Schedule.Times[step]), steps.Length).to(device);

    private double Source(int step) => Schedule.SourceWeights[step];

    private double Deviation(int step) => Schedule.Deviations[step];

    private double Scale(int step) => Math.Sqrt(Schedule.Clock[step]);

    // One value per sample, or one for all, [N,1,...]; computed in float64.
    private static Tensor At(Func<int, double> number, int[] steps, Tensor like)
    {
        long[] shape = [steps.Length, .. Enumerable.Repeat(1L, (int)like.ndim - 1)];
        return torch.tensor(Array.ConvertAll(steps, step => number(step)), shape).to(like.device, like.dtype);
    }
}
