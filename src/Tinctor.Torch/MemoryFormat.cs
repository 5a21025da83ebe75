namespace Tinctor.Torch;

/// <summary>The order of a tensor's elements in memory, with libtorch's numbers.</summary>
public enum MemoryFormat
{
    /// <summary>Row-major: [N,C,H,W] as written.</summary>
    Contiguous = 0,

    /// <summary>Memory format of the input.</summary>
    Preserve = 1,

    /// <summary>[N,C,H,W] stored as N,H,W,C; convolutions often run faster.</summary>
    ChannelsLast = 2,
}
