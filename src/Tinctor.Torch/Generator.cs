
namespace Tinctor.Torch;

/// <summary>Random generator whose state can be saved and restored.</summary>
public sealed class Generator : IDisposable
{
    private nint handle;

    /// <summary>Creates a generator with libtorch's default seed until <see cref="manual_seed"/>.</summary>
    public Generator(Device? device = null) : this(NativeMethods.Check(NativeMethods.tt_generator_new((device ?? Device.CPU).Pack()))) { }

    private Generator(nint handle) => this.handle = handle;

    /// <summary>Default generator of operators.</summary>
    public static Generator Default(Device? device = null) =>
        new(NativeMethods.Check(NativeMethods.tt_generator_default((device ?? Device.CPU).Pack())));

    internal nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(Generator));

    /// <summary>Sets the seed.</summary>
    public Generator manual_seed(ulong seed)
    {
        NativeMethods.Check(NativeMethods.tt_generator_manual_seed(Handle, seed));
        GC.KeepAlive(this);
        return this;
    }

    /// <summary>Seed of the generator.</summary>
    public ulong initial_seed()
    {
        ulong seed = NativeMethods.tt_generator_initial_seed(Handle);
        GC.KeepAlive(this);
        return seed;
    }

    /// <summary>State of the generator, a uint8 tensor.</summary>
    public Tensor get_state()
    {
        nint state = NativeMethods.Check(NativeMethods.tt_generator_get_state(Handle));
        GC.KeepAlive(this);
        return new(state);
    }

    /// <summary>Restores a state of <see cref="get_state"/>.</summary>
    public void set_state(Tensor state)
    {
        NativeMethods.Check(NativeMethods.tt_generator_set_state(Handle, state.Handle));
        GC.KeepAlive(this);
        GC.KeepAlive(state);
    }

    /// <summary>Frees the generator.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the generator if it was not disposed.</summary>
    ~Generator() => Free();

    private void Free()
    {
        nint freed = Interlocked.Exchange(ref handle, 0);
        if (freed != 0) NativeMethods.tt_generator_free(freed);
    }
}

public static partial class torch
{
    /// <summary>Seeds the default generators of all devices.</summary>
    public static void manual_seed(ulong seed) => NativeMethods.Check(NativeMethods.tt_manual_seed(seed));

    /// <summary>The state of the CPU's default generator, a uint8 tensor.</summary>
    public static Tensor get_rng_state()
    {
        using var generator = Generator.Default();
        return generator.get_state();
    }

    /// <summary>Restores the state of the CPU's default generator.</summary>
    public static void set_rng_state(Tensor state)
    {
        using var generator = Generator.Default();
        generator.set_state(state);
    }
}
