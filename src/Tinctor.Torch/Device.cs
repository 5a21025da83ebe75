
namespace Tinctor.Torch;

/// <summary>Types of devices, with the numbers of libtorch.</summary>
public enum DeviceType
{
    /// <summary>Main memory and processor.</summary>
    CPU = 0,

    /// <summary>An NVIDIA GPU.</summary>
    CUDA = 1,
}

/// <summary>Device of a tensor: "cpu", "cuda" (the current GPU) or "cuda:1".</summary>
/// <param name="type">The kind of device.</param>
/// <param name="index">Its number, or -1 for the current one.</param>
public readonly record struct Device(DeviceType type, int index = -1)
{
    /// <summary>The processor.</summary>
    public static readonly Device CPU = new(DeviceType.CPU);

    /// <summary>The current CUDA device.</summary>
    public static readonly Device CUDA = new(DeviceType.CUDA);

    /// <summary>Reads "cpu", "cuda" or "cuda:N".</summary>
    /// <exception cref="FormatException">The text names no device.</exception>
    public static Device Parse(string text)
    {
        if (text == "cpu") return CPU;
        if (text == "cuda") return CUDA;
        if (text.StartsWith("cuda:") && int.TryParse(text.AsSpan(5), out int index) && index >= 0) return new(DeviceType.CUDA, index);
        throw new FormatException($"'{text}' is not a device, expected cpu, cuda or cuda:N");
    }

    /// <summary>As <see cref="Parse"/>.</summary>
    public static implicit operator Device(string text) => Parse(text);

    /// <inheritdoc/>
    public override string ToString() => (type == DeviceType.CPU ? "cpu" : "cuda") + (index >= 0 ? $":{index}" : "");

    internal long Pack() => ((long)type << 8) | (byte)index;

    internal static Device Unpack(long packed) => new((DeviceType)(packed >> 8), (sbyte)(packed & 0xff));
}

public static partial class torch
{
    /// <summary>CUDA devices, as in torch.cuda.</summary>
    public static class cuda
    {
        /// <summary>Whether libtorch can use a GPU.</summary>
        public static bool is_available() => device_count() > 0;

        /// <summary>Number of GPUs found by libtorch.</summary>
        public static int device_count() => NativeMethods.tt_cuda_device_count();

        /// <summary>Waits for all queued work of a device.</summary>
        public static void synchronize(int index = -1) => NativeMethods.Check(NativeMethods.tt_cuda_synchronize(index));

        /// <summary>Returns cached, unused GPU memory to the driver.</summary>
        public static void empty_cache() => NativeMethods.Check(NativeMethods.tt_cuda_empty_cache());

        /// <summary>Allocated and reserved bytes of a GPU, current and peak.</summary>
        /// <exception cref="TorchException">libtorch has no CUDA, or the device does not exist.</exception>
        public static unsafe (long allocated, long max_allocated, long reserved, long max_reserved) memory_stats(int index = 0)
        {
            long* statistics = stackalloc long[4];
            NativeMethods.Check(NativeMethods.tt_cuda_memory_stats(index, statistics));
            return (statistics[0], statistics[1], statistics[2], statistics[3]);
        }
    }
}
