using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Reduces the learning rate when a metric stops improving.</summary>
/// <param name="optimizer">Optimiser whose learning rates are set.</param>
/// <param name="mode">"min" if lower is better, "max" if higher is.</param>
/// <param name="factor">Factor of a reduction.</param>
/// <param name="patience">Number of epochs without improvement before a reduction.</param>
/// <param name="threshold">Minimum improvement.</param>
/// <param name="threshold_mode">"rel" for a relative improvement, "abs" for an absolute one.</param>
/// <param name="cooldown">Number of epochs to wait after a reduction.</param>
/// <param name="min_lr">The lowest learning rate.</param>
/// <param name="eps">Minimum change; smaller changes are ignored.</param>
public sealed class ReduceLROnPlateau(Optimizer optimizer, string mode = "min", double factor = 0.1, long patience = 10,
    double threshold = 1e-4, string threshold_mode = "rel", long cooldown = 0, double min_lr = 0, double eps = 1e-8)
    : LRScheduler(optimizer)
{
    private readonly bool lower = IsFirst(mode, "min", "max"), relative = IsFirst(threshold_mode, "rel", "abs");

    private double? best;
    private long bad, cooling;

    /// <summary>Evaluates the metric of an epoch.</summary>
    public void step(double metrics)
    {
        last_epoch++;
        if (IsBetter(metrics)) (best, bad) = (metrics, 0);
        else bad++;
        if (cooling > 0) (cooling, bad) = (cooling - 1, 0);
        if (bad <= patience) return;
        foreach (ParamGroup group in optimizer.param_groups)
        {
            double lr = Math.Max(group.lr * factor, min_lr);
            if (group.lr - lr > eps) group.lr = lr;
        }
        (cooling, bad) = (cooldown, 0);
    }

    private bool IsBetter(double metrics)
    {
        if (best is not double reference) return double.IsFinite(metrics);
        double margin = relative ? reference * threshold : threshold;
        return lower ? metrics < reference - margin : metrics > reference + margin;
    }

    private static bool IsFirst(string name, string first, string second) => name == first
        || (name == second ? false : throw new ArgumentException($"'{name}' is neither {first} nor {second}"));

    /// <inheritdoc/>
    public override JsonObject state_dict()
    {
        JsonObject state = base.state_dict();
        state["best"] = best;
        state["num_bad_epochs"] = bad;
        state["cooldown_counter"] = cooling;
        return state;
    }

    /// <inheritdoc/>
    public override void load_state_dict(JsonObject state)
    {
        base.load_state_dict(state);
        (best, bad, cooling) = ((double?)state["best"], (long)state["num_bad_epochs"]!, (long)state["cooldown_counter"]!);
    }
}
