using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Schedule of the learning rates of an optimiser.</summary>
public abstract class LRScheduler
{
    private protected LRScheduler(Optimizer optimizer)
    {
        this.optimizer = optimizer;
        base_lrs = [.. optimizer.param_groups.Select(group => group.lr)];
    }

    private protected Optimizer optimizer { get; }

    /// <summary>Initial learning rates, one per group.</summary>
    public double[] base_lrs { get; private set; }

    /// <summary>Number of calls of step.</summary>
    public long last_epoch { get; private protected set; }

    /// <summary>Current learning rates, one per group.</summary>
    public double[] get_last_lr() => [.. optimizer.param_groups.Select(group => group.lr)];

    /// <summary>State needed to resume.</summary>
    public virtual JsonObject state_dict() => new()
    {
        ["last_epoch"] = last_epoch,
        ["base_lrs"] = new JsonArray([.. base_lrs.Select(lr => JsonValue.Create(lr))]),
    };

    /// <summary>Loads a state. The state of the optimiser contains the learning rates.</summary>
    /// <exception cref="TinctorException">The state belongs to an optimiser with another number of groups.</exception>
    public virtual void load_state_dict(JsonObject state)
    {
        double[] saved = [.. state["base_lrs"]!.AsArray().Select(lr => (double)lr!)];
        if (saved.Length != base_lrs.Length)
            throw new TinctorException($"the schedule has {saved.Length} groups of parameters, the optimiser {base_lrs.Length}");
        (base_lrs, last_epoch) = (saved, (long)state["last_epoch"]!);
    }
}

/// <summary>The first learning rate times a function of the number of steps.</summary>
public class LambdaLR : LRScheduler
{
    private readonly Func<long, double> lr_lambda;

    /// <summary>Sets the learning rate of step 0.</summary>
    /// <param name="optimizer">Optimiser whose learning rates are set.</param>
    /// <param name="lr_lambda">The factor of each step from 0 on.</param>
    public LambdaLR(Optimizer optimizer, Func<long, double> lr_lambda) : base(optimizer)
    {
        this.lr_lambda = lr_lambda;
        Apply();
    }

    /// <summary>Advances to the next learning rate; call it after the steps of the optimiser.</summary>
    public void step()
    {
        last_epoch++;
        Apply();
    }

    private void Apply()
    {
        double factor = lr_lambda(last_epoch);
        foreach ((ParamGroup group, double lr) in optimizer.param_groups.Zip(base_lrs)) group.lr = lr * factor;
    }
}

/// <summary>Multiplies the learning rates by gamma at regular intervals.</summary>
/// <param name="optimizer">Optimiser whose learning rates are set.</param>
/// <param name="step_size">Number of steps between changes.</param>
/// <param name="gamma">The factor of a change.</param>
public sealed class StepLR(Optimizer optimizer, long step_size, double gamma = 0.1)
    : LambdaLR(optimizer, epoch => Math.Pow(gamma, epoch / step_size));

/// <summary>Schedule of pix2pix and CycleGAN: constant for n_epochs, then linear to zero over n_epochs_decay.</summary>
/// <param name="optimizer">Optimiser whose learning rates are set.</param>
/// <param name="n_epochs">Epochs with the first learning rate.</param>
/// <param name="n_epochs_decay">Number of epochs with decreasing learning rate.</param>
/// <param name="epoch_count">The number of the first epoch, 1 in the original.</param>
/// <remarks>
/// Stepped at the end of each epoch, as pix2pix does, epoch e trains with factor(e - 1); stepped at its start, as newer
/// versions do, with factor(e).
/// </remarks>
public sealed class LinearDecayLR(Optimizer optimizer, long n_epochs, long n_epochs_decay, long epoch_count = 1)
    : LambdaLR(optimizer, epoch => 1 - (Math.Max(0, epoch + epoch_count - n_epochs) / (double)(n_epochs_decay + 1)));

/// <summary>Linear warm-up from zero, then cosine decay, as get_cosine_schedule_with_warmup of Hugging Face.</summary>
/// <param name="optimizer">Optimiser whose learning rates are set.</param>
/// <param name="num_warmup_steps">Number of warm-up steps.</param>
/// <param name="num_training_steps">Total number of steps.</param>
/// <param name="num_cycles">Number of cosine periods; one half ends at zero.</param>
internal sealed class CosineWarmupLR(Optimizer optimizer, long num_warmup_steps, long num_training_steps, double num_cycles = 0.5)
    : LambdaLR(optimizer, step => Factor(step, num_warmup_steps, num_training_steps, num_cycles))
{
    private static double Factor(long step, long warmup, long training, double cycles)
    {
        if (step < warmup) return step / Math.Max(1.0, warmup);
        double progress = (step - warmup) / Math.Max(1.0, training - warmup);
        return Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * cycles * 2 * progress)));
    }
}
