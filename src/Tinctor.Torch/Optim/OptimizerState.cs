using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>All that an optimiser or an average remembers, in a form for a safetensors file and a JSON file.</summary>
/// <param name="tensors">Tensors by name; the owner's own, not copies.</param>
/// <param name="numbers">Steps and hyperparameters.</param>
public sealed record OptimizerState(OrderedDictionary<string, Tensor> tensors, JsonObject numbers);
