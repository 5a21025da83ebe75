using System.Text.Json.Nodes;
using Tinctor.Torch;
using Tinctor.Torch.Optim;

namespace Tinctor.Training.Learners;

/// <summary>Factor of the learning rate by <see cref="Schedule.Plateau"/>: PyTorch's ReduceLROnPlateau of the validation score.</summary>
internal sealed class PlateauSchedule : IDisposable
{
    private readonly Tensor parameter = torch.zeros([1]).DetachFromDisposeScope();
    private readonly SGD optimizer;
    private readonly ReduceLROnPlateau rule;

    /// <summary>Creates the schedule with the factor 1.</summary>
    /// <param name="config">Patience, factor and threshold.</param>
    /// <param name="lowerIsBetter">Whether lower scores are better.</param>
    public PlateauSchedule(LoopConfig config, bool lowerIsBetter)
    {
        // The rule changes the learning rate of an optimiser; this one starts at 1.
        optimizer = new SGD([parameter], 1);
        rule = new ReduceLROnPlateau(optimizer, lowerIsBetter ? "min" : "max", config.PlateauFactor, config.PlateauPatience,
            config.PlateauThreshold, eps: 0);
    }

    /// <summary>Factor of the learning rate.</summary>
    public double Factor => optimizer.param_groups[0].lr;

    /// <summary>Takes the score of a validation.</summary>
    public void Record(double score) => rule.step(score);

    /// <summary>Gets the state, for checkpoints.</summary>
    public JsonObject State()
    {
        JsonObject state = rule.state_dict();
        state["factor"] = Factor;
        return state;
    }

    /// <summary>Restores a <see cref="State"/>.</summary>
    public void Load(JsonObject state)
    {
        rule.load_state_dict(state);
        optimizer.param_groups[0].lr = (double)state["factor"]!;
    }

    /// <summary>Frees the optimiser.</summary>
    public void Dispose()
    {
        optimizer.Dispose();
        parameter.Dispose();
    }
}
