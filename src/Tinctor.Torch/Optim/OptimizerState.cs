using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>State of an optimiser or an average: tensors for a safetensors file, numbers for JSON.</summary>
/// <param name="tensors">Tensors by name, not copied.</param>
/// <param name="numbers">Steps and hyperparameters.</param>
public sealed record OptimizerState(OrderedDictionary<string, Tensor> tensors, JsonObject numbers);
