namespace Tinctor.Torch;

/// <summary>An error raised inside libtorch. The message starts with the operator's name.</summary>
public sealed class TorchException(string message) : Exception(message);
