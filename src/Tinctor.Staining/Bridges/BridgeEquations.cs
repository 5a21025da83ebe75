using System.Numerics;

namespace Tinctor.Staining.Bridges;

/// <summary>
/// Equations of sampling a diffusion bridge, element by element. Factors are computed in float64 and rounded to the type of the samples
/// before they multiply.
/// </summary>
/// <param name="schedule">Schedule of the bridge.</param>
/// <param name="objective">Quantity that the network predicts.</param>
internal sealed class BridgeEquations<T>(BridgeSchedule schedule, BridgeObjective objective)
    where T : struct, IBinaryFloatingPointIeee754<T>
{
    /// <summary>Computes the image x0 from the network's output for the state x.</summary>
    /// <param name="output">Output of the network.</param>
    /// <param name="x">State.</param>
    /// <param name="y">Source, the end of the bridge.</param>
    /// <param name="step">Step of the state.</param>
    public T[] PredictImage(ReadOnlySpan<T> output, ReadOnlySpan<T> x, ReadOnlySpan<T> y, int step)
    {
        var image = new T[x.Length];
        double m = schedule.SourceWeights[step];
        T scale = T.CreateChecked(Math.Sqrt(schedule.Clock[step])), source = T.CreateChecked(m), rest = T.CreateChecked(1 - m);
        T deviation = T.CreateChecked(schedule.Deviations[step]);
        switch (objective)
        {
            case BridgeObjective.Grad:
                for (int i = 0; i < image.Length; i++) image[i] = x[i] - output[i];
                break;
            case BridgeObjective.ScaledGrad:
                for (int i = 0; i < image.Length; i++) image[i] = x[i] - (scale * output[i]);
                break;
            case BridgeObjective.Noise:
                for (int i = 0; i < image.Length; i++) image[i] = (x[i] - (source * y[i]) - (deviation * output[i])) / rest;
                break;
            default:
                for (int i = 0; i < image.Length; i++) image[i] = y[i] - output[i];
                break;
        }
        return image;
    }

    /// <summary>
    /// Draws a state at step <paramref name="to"/>, given the state <paramref name="x"/> at step <paramref name="from"/> and a prediction
    /// of the image: the posterior's mean, plus its deviation times the noise if there is any.
    /// </summary>
    public T[] SamplePosterior(ReadOnlySpan<T> predictedImage, ReadOnlySpan<T> x, int from, int to, ReadOnlySpan<T> noise)
    {
        BridgePosterior posterior = schedule.Posterior(from, to);
        T weight = T.CreateChecked(posterior.StateWeight), deviation = T.CreateChecked(Math.Sqrt(posterior.Variance));
        var state = new T[x.Length];
        for (int i = 0; i < state.Length; i++) state[i] = predictedImage[i] + (weight * (x[i] - predictedImage[i]));
        if (!noise.IsEmpty)
            for (int i = 0; i < state.Length; i++) state[i] += deviation * noise[i];
        return state;
    }

    /// <summary>Mean (1 - m) x0 + m y of the states at a step.</summary>
    public T[] Mean(ReadOnlySpan<T> x0, ReadOnlySpan<T> y, int step)
    {
        T source = T.CreateChecked(schedule.SourceWeights[step]);
        var mean = new T[x0.Length];
        for (int i = 0; i < mean.Length; i++) mean[i] = x0[i] + (source * (y[i] - x0[i]));
        return mean;
    }
}
