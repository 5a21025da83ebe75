using Tinctor.Torch;

namespace Tinctor.Training.Execution;

/// <summary>Turns "auto", "cpu" or "cuda:N" into a device, and says why; a GPU that was asked for is never silently replaced.</summary>
public static class DeviceChoice
{
    /// <summary>The device and a line that explains the choice.</summary>
    /// <exception cref="TinctorException">The device is not there.</exception>
    public static (Device device, string reason) Resolve(string wanted)
    {
        int gpus = torch.cuda.device_count();
        if (wanted == "auto")
        {
            return gpus > 0 ? (new Device(DeviceType.CUDA, 0), $"cuda:0 (the first of {gpus} GPUs)")
                : (Device.CPU, $"cpu, {torch.get_num_threads()} threads (libtorch {torch.version.libtorch} sees no GPU)");
        }
        Device device;
        try
        {
            device = Device.Parse(wanted);
        }
        catch (FormatException e)
        {
            throw new OptionException("Device", $"{e.Message}, or auto");
        }
        if (device.type == DeviceType.CUDA && Math.Max(device.index, 0) >= gpus)
            throw new OptionException("Device", $"the device is {wanted}, but libtorch {torch.version.libtorch} sees {gpus} GPUs",
                "Use cpu, or a libtorch with CUDA and its driver");
        return (device, device.ToString());
    }
}
