
namespace Tinctor.Torch;

/// <summary>A TorchScript network read from a file.</summary>
public sealed unsafe class ScriptModule : IDisposable
{
    private const int MaxResults = 64;
    private nint handle;

    internal ScriptModule(nint handle) => this.handle = handle;

    private nint Handle => handle != 0 ? handle : throw new ObjectDisposedException(nameof(ScriptModule));

    /// <summary>Calls forward; tuples and lists come back as their elements.</summary>
    /// <exception cref="TorchException">The network refused its input.</exception>
    public Tensor[] forward(params ReadOnlySpan<Tensor> inputs) => Call("forward", inputs);

    /// <summary>Calls any method of the module.</summary>
    /// <exception cref="TorchException">There is no such method, or it refused its input.</exception>
    public Tensor[] Call(string method, params ReadOnlySpan<Tensor> inputs) => Call(method, inputs, []);

    /// <summary>Calls any method of the module with tensors and, after them, booleans.</summary>
    /// <exception cref="TorchException">There is no such method, or it refused its input.</exception>
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

    /// <summary>Training mode (dropout, batch statistics) on or off.</summary>
    public ScriptModule train(bool mode = true)
    {
        NativeMethods.Check(NativeMethods.tt_script_train(Handle, mode ? 1 : 0));
        GC.KeepAlive(this);
        return this;
    }

    /// <summary>Inference mode of the layers.</summary>
    public ScriptModule eval() => train(false);

    /// <summary>Frees the module.</summary>
    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the module if nobody disposed of it.</summary>
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
        /// <exception cref="FileNotFoundException">There is no such file.</exception>
        /// <exception cref="TorchException">The file is no TorchScript archive.</exception>
        public static ScriptModule load(string path, Device? device = null)
        {
            if (!File.Exists(path)) throw new FileNotFoundException($"{path}: no such TorchScript file", path);
            return new ScriptModule(NativeMethods.Check(NativeMethods.tt_script_load(path, (device ?? Device.CPU).Pack())));
        }
    }
}
