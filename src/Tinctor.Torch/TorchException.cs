namespace Tinctor.Torch;

/// <summary>Error raised inside libtorch. The message starts with the name of the operator.</summary>
public sealed class TorchException(string message) : Exception(message)
{
    /// <summary>Whether a device ran out of memory. libtorch reports it only in the text of its message.</summary>
    public bool IsOutOfMemory => MemoryShortage.IsCause(this);
}
