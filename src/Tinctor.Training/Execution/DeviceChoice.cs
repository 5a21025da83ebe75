using Tinctor.Torch;

namespace Tinctor.Training.Execution;

/// <summary>Selects a device by "auto", "cpu" or "cuda:N". A missing GPU is an error, except with "auto".</summary>
internal static class DeviceChoice
{
    /// <summary>Gets the device and a description of the choice.</summary>
    /// <exception cref="TinctorException">The device does not exist.</exception>
    public static (Device device, string reason) Resolve(string wanted)
    {
        int gpus = torch.cuda.device_count();
        if (wanted == "auto")
        {
            // Ranks on one computer take a GPU each.
            int index = gpus > 0 ? (ProcessGroup.Current?.LocalRank ?? 0) % gpus : 0;
            return gpus > 0 ? (new Device(DeviceType.CUDA, index), $"cuda:{index} ({(index == 0 ? "first" : "one")} of {gpus} GPUs)")
                : (Device.CPU, $"cpu, {torch.get_num_threads()} threads (no GPU found by libtorch {torch.version.libtorch})");
        }
        Device device;
        try
        {
            device = Device.Parse(wanted);
        }
        catch (FormatException e)
        {
            throw new OptionException("Device", e.Message, "Use auto, cpu, cuda or cuda:N");
        }
        if (device.type == DeviceType.CUDA && Math.Max(device.index, 0) >= gpus)
            throw new OptionException("Device", $"the device is {wanted}, but libtorch {torch.version.libtorch} finds {gpus} GPUs",
                "Use cpu, or a libtorch with CUDA and its driver");
        return (device, device.ToString());
    }
}
