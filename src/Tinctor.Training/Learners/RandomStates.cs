using Tinctor.Torch;

namespace Tinctor.Training.Learners;

/// <summary>States of the random generators of a device and of the CPU, which creates initial weights for all devices.</summary>
internal sealed class RandomStates : IDisposable
{
    private readonly Device device;
    private readonly Tensor[] states;

    private RandomStates(Device device, Tensor[] states) => (this.device, this.states) = (device, states);

    /// <summary>Reads the present states.</summary>
    public static RandomStates Read(Device device) =>
        new(device, [.. Generators(device).Select(generator => generator.get_state().DetachFromDisposeScope())]);

    /// <summary>Sets these states until the disposal of the result, which restores the present ones.</summary>
    public IDisposable Replay()
    {
        RandomStates present = Read(device);
        Restore();
        return new Replayed(present);
    }

    /// <summary>Frees the states.</summary>
    public void Dispose()
    {
        foreach (Tensor state in states) state.Dispose();
    }

    /// <summary>Gets the generators of a device: those of the CPU and of the device itself.</summary>
    public static IEnumerable<Generator> Generators(Device device)
    {
        foreach (Device each in device.type == DeviceType.CPU ? new[] { Device.CPU } : [Device.CPU, device])
        {
            using var generator = Generator.Default(each);
            yield return generator;
        }
    }

    private void Restore()
    {
        foreach ((int i, Generator generator) in Generators(device).Index()) generator.set_state(states[i]);
    }

    private sealed class Replayed(RandomStates before) : IDisposable
    {
        public void Dispose()
        {
            before.Restore();
            before.Dispose();
        }
    }
}
