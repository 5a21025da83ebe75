
namespace Tinctor.Torch;

/// <summary>TorchScript network.</summary>
internal sealed unsafe class ScriptModule : IDisposable
{
    private const int MaxResults = 64;
    private nint handle;

    internal ScriptModule(nint handle) => this.handle = handle;

    private nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(ScriptModule));

    /// <summary>Calls forward; tuples and lists are returned as their elements.</summary>
    /// <exception cref="TorchException">The input does not fit the network.</exception>
    public Tensor[] forward(params ReadOnlySpan<Tensor> inputs) => Call("forward", inputs);

    /// <summary>Calls any method of the module.</summary>
    /// <exception cref="TorchException">The method does not exist, or the input does not fit.</exception>
    public Tensor[] Call(string method, params ReadOnlySpan<Tensor> inputs) => Call(method, inputs, []);

    /// <summary>Calls any method of the module with tensors and, after them, booleans.</summary>
    /// <exception cref="TorchException">The method does not exist, or the input does not fit.</exception>
    public Tensor[] Call(string method, ReadOnlySpan<Tensor> inputs, ReadOnlySpan<bool> flags)
    {
        nint* handles = stackalloc nint[inputs.Length];
        for (int i = 0; i < inputs.Length; i++) handles[i] = inputs[i].Handle;
        Value* results = stackalloc Value[MaxResults];
        byte* bytes = stackalloc byte[flags.Length];
        for (int i = 0; i < flags.Length; i++) bytes[i] = flags[i] ? (byte)1 : (byte)0;
        int count = NativeMethods.tt_script_call(Handle, method, handles, inputs.Length, bytes, flags.Length, results, MaxResults);
        foreach (Tensor input in inputs) GC.KeepAlive(input);
        GC.KeepAlive(this);
        return Operator.Take(results, NativeMethods.Check(count));
    }

    /// <summary>Switches training mode (dropout, batch statistics) on or off.</summary>
    public ScriptModule train(bool mode = true)
    {
        NativeMethods.Check(NativeMethods.tt_script_train(Handle, mode ? 1 : 0));
        GC.KeepAlive(this);
        return this;
    }

    /// <summary>Switches the layers to inference mode.</summary>
    public ScriptModule eval() => train(false);

    /// <summary>Frees the module.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the module if it was not disposed.</summary>
    ~ScriptModule() => Free();

    private void Free()
    {
        nint freed = Interlocked.Exchange(ref handle, 0);
        if (freed != 0) NativeMethods.tt_script_free(freed);
    }
}

public static partial class torch
{
    /// <summary>TorchScript, as torch.jit.</summary>
    public static class jit
    {
        /// <summary>Reads a TorchScript file onto a device.</summary>
        /// <exception cref="TinctorException">The file cannot be opened.</exception>
        /// <exception cref="TorchException">The file is not a TorchScript archive.</exception>
        internal static ScriptModule load(string path, Device? device = null)
        {
            // libtorch would report a missing file in its own words.
            InputFile.Open(path).Dispose();
            return new ScriptModule(NativeMethods.Check(NativeMethods.tt_script_load(path, (device ?? Device.CPU).Pack())));
        }
    }
}
