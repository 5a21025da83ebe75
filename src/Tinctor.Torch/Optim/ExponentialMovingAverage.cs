namespace Tinctor.Torch.Optim;

/// <summary>Exponential moving average of parameters.</summary>
public sealed class ExponentialMovingAverage : IDisposable
{
    private readonly Tensor[] parameters, averages;
    private readonly Func<long, double>? warm_up;
    private Tensor[] stored = [];

    /// <summary>Starts with the current parameters.</summary>
    /// <param name="parameters">Floating-point parameters to average.</param>
    /// <param name="decay">Decay of the average per update.</param>
    /// <param name="warm_up">A lower decay for the first updates, numbered from 1: <see cref="Ratio"/> or <see cref="Power"/>.</param>
    public ExponentialMovingAverage(IEnumerable<Tensor> parameters, double decay, Func<long, double>? warm_up = null)
    {
        if (decay is not (>= 0 and <= 1)) throw new ArgumentOutOfRangeException(nameof(decay), decay, "must lie in [0, 1]");
        this.parameters = [.. parameters];
        (this.decay, this.warm_up) = (decay, warm_up);
        averages = Array.ConvertAll(this.parameters, Copy);
    }

    /// <summary>Decay of the average per update, after the warm-up.</summary>
    public double decay { get; private set; }

    /// <summary>Number of updates.</summary>
    public long num_updates { get; private set; }

    /// <summary>(1 + n) / (10 + n), as torch_ema's use_num_updates.</summary>
    public static double Ratio(long update) => (1.0 + update) / (10.0 + update);

    /// <summary>1 - (1 + (n - 1) / inv_gamma) ^ -power, as the warm-up of diffusers.</summary>
    public static Func<long, double> Power(double inv_gamma = 1, double power = 2.0 / 3) =>
        update => update <= 1 ? 0 : 1 - Math.Pow(1 + ((update - 1) / inv_gamma), -power);

    /// <summary>Moves the average towards the parameters; call it after each step of the optimiser.</summary>
    public void update()
    {
        num_updates++;
        double kept = warm_up is null ? decay : Math.Min(decay, warm_up(num_updates));
        using Guard quiet = torch.no_grad();
        for (int i = 0; i < averages.Length; i++)
        {
            using Tensor difference = averages[i].sub(parameters[i]);
            averages[i].sub_(difference.mul_(1 - kept));
        }
    }

    /// <summary>Copies the average to the parameters.</summary>
    public void copy_to() => Put(averages);

    /// <summary>Stores the parameters, for <see cref="restore"/>.</summary>
    public void store()
    {
        Free(stored);
        stored = Array.ConvertAll(parameters, Copy);
    }

    /// <summary>Restores the stored parameters.</summary>
    /// <exception cref="InvalidOperationException">No parameters are stored.</exception>
    public void restore()
    {
        if (stored.Length != parameters.Length) throw new InvalidOperationException("store() must come before restore()");
        Put(stored);
        Free(stored);
        stored = [];
    }

    /// <summary>Replaces the parameters by their average for a using block.</summary>
    public Guard average_parameters()
    {
        store();
        copy_to();
        return new Guard(restore);
    }

    /// <summary>The averages and the number of updates.</summary>
    public OptimizerState state_dict() => new(
        new(averages.Select((average, i) => KeyValuePair.Create($"{i}", average))),
        new() { ["decay"] = decay, ["num_updates"] = num_updates });

    /// <summary>Loads a state; its tensors are copied.</summary>
    /// <exception cref="TinctorException">The state belongs to other parameters; nothing was changed.</exception>
    public void load_state_dict(OptimizerState state)
    {
        if (state.tensors.Count != averages.Length)
            throw new TinctorException($"the average has {state.tensors.Count} tensors, but the network has {averages.Length}");
        for (int i = 0; i < averages.Length; i++)
        {
            if (!state.tensors.TryGetValue($"{i}", out Tensor? average) || !average.shape.SequenceEqual(averages[i].shape))
                throw new TinctorException($"the average of parameter {i} is missing or of another shape");
        }
        (decay, num_updates) = ((double)state.numbers["decay"]!, (long)state.numbers["num_updates"]!);
        for (int i = 0; i < averages.Length; i++) averages[i].copy_(state.tensors[$"{i}"]);
    }

    /// <summary>Frees the averages.</summary>
    public void Dispose()
    {
        Free(averages);
        Free(stored);
    }

    private void Put(Tensor[] values)
    {
        using Guard quiet = torch.no_grad();
        for (int i = 0; i < parameters.Length; i++) parameters[i].copy_(values[i]);
    }

    private static Tensor Copy(Tensor parameter)
    {
        using Guard quiet = torch.no_grad();
        return parameter.clone().DetachFromDisposeScope();
    }

    private static void Free(Tensor[] tensors)
    {
        foreach (Tensor tensor in tensors) tensor.Dispose();
    }
}
