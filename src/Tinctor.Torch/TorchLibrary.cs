namespace Tinctor.Torch;

/// <summary>Presence of libtorch, without which only its own functions fail.</summary>
internal static class TorchLibrary
{
    /// <summary>Whether an exception says that libtorch, or its binding, could not be loaded.</summary>
    public static bool IsMissing(Exception? e) => e is DllNotFoundException or TypeInitializationException;

    /// <summary>Whether the file of the binding is there. Neither it nor libtorch is loaded, so either may still fail to load.</summary>
    public static bool IsInstalled => NativeMethods.Exists;

    /// <summary>
    /// Loads libtorch if it is there. Call it before several threads use libtorch: .NET 10 deadlocks if it is missing and their first calls
    /// fail at the same time.
    /// </summary>
    /// <returns>Whether libtorch is there.</returns>
    public static bool TryLoad()
    {
        try
        {
            return torch.cuda.device_count() >= 0;
        }
        catch (Exception e) when (IsMissing(e))
        {
            return false;
        }
    }

    /// <summary>Whether libtorch is there and has a GPU. It is loaded only if there can be one.</summary>
    public static bool HasGpu()
    {
        return File.Exists("/proc/driver/nvidia/version") && TryLoad() && torch.cuda.device_count() > 0;
    }
}
