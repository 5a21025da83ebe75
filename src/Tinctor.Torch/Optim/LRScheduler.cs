using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Changes the learning rates of an optimiser as training goes on.</summary>
public abstract class LRScheduler
{
    private protected LRScheduler(Optimizer optimizer)
    {
        this.optimizer = optimizer;
        base_lrs = [.. optimizer.param_groups.Select(group => group.lr)];
    }

    private protected Optimizer optimizer { get; }

    /// <summary>The learning rates at the start, one a group.</summary>
    public double[] base_lrs { get; private set; }

    /// <summary>How often step was called.</summary>
    public long last_epoch { get; private protected set; }

    /// <summary>The learning rates as they are, one a group.</summary>
    public double[] get_last_lr() => [.. optimizer.param_groups.Select(group => group.lr)];

    /// <summary>Everything that is needed to go on.</summary>
    public virtual JsonObject state_dict() => new()
    {
        ["last_epoch"] = last_epoch,
        ["base_lrs"] = new JsonArray([.. base_lrs.Select(lr => JsonValue.Create(lr))]),
    };

    /// <summary>Goes on from a state. The learning rates themselves are in the optimiser's state.</summary>
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
    /// <param name="optimizer">Whose learning rates are set.</param>
    /// <param name="lr_lambda">The factor of each step from 0 on.</param>
    public LambdaLR(Optimizer optimizer, Func<long, double> lr_lambda) : base(optimizer)
    {
        this.lr_lambda = lr_lambda;
        Apply();
    }

    /// <summary>Goes on to the next learning rate; call it after the optimiser's steps.</summary>
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

/// <summary>Times gamma every few steps.</summary>
/// <param name="optimizer">Whose learning rates are set.</param>
/// <param name="step_size">The steps between changes.</param>
/// <param name="gamma">The factor of a change.</param>
public sealed class StepLR(Optimizer optimizer, long step_size, double gamma = 0.1)
    : LambdaLR(optimizer, epoch => Math.Pow(gamma, epoch / step_size));

/// <summary>The linear rule of pix2pix and CycleGAN: constant for n_epochs, then straight down to zero over n_epochs_decay.</summary>
/// <param name="optimizer">Whose learning rates are set.</param>
/// <param name="n_epochs">Epochs with the first learning rate.</param>
/// <param name="n_epochs_decay">Epochs over which it goes down.</param>
/// <param name="epoch_count">The number of the first epoch, 1 in the original.</param>
/// <remarks>
/// Stepped at the end of each epoch, as pix2pix does, epoch e trains with factor(e - 1); stepped at its start, as newer
/// versions do, with factor(e).
/// </remarks>
public sealed class LinearDecayLR(Optimizer optimizer, long n_epochs, long n_epochs_decay, long epoch_count = 1)
    : LambdaLR(optimizer, epoch => 1 - (Math.Max(0, epoch + epoch_count - n_epochs) / (double)(n_epochs_decay + 1)));

/// <summary>Straight up from zero, then down along a cosine, as Hugging Face's get_cosine_schedule_with_warmup.</summary>
/// <param name="optimizer">Whose learning rates are set.</param>
/// <param name="num_warmup_steps">Steps up to the full learning rate.</param>
/// <param name="num_training_steps">All steps.</param>
/// <param name="num_cycles">Waves of the cosine; a half ends at zero.</param>
public sealed class CosineWarmupLR(Optimizer optimizer, long num_warmup_steps, long num_training_steps, double num_cycles = 0.5)
    : LambdaLR(optimizer, step => Factor(step, num_warmup_steps, num_training_steps, num_cycles))
{
    private static double Factor(long step, long warmup, long training, double cycles)
    {
        if (step < warmup) return step / Math.Max(1.0, warmup);
        double progress = (step - warmup) / Math.Max(1.0, training - warmup);
        return Math.Max(0, 0.5 * (1 + Math.Cos(Math.PI * cycles * 2 * progress)));
    }
}
