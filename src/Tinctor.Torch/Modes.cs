
namespace Tinctor.Torch;

/// <summary>Restores a previous state at the end of a using block.</summary>
public sealed class Guard : IDisposable
{
    private Action? undo;

    internal Guard(Action undo) => this.undo = undo;

    /// <summary>Restores the previous state.</summary>
    public void Dispose() => Interlocked.Exchange(ref undo, null)?.Invoke();
}

public static partial class torch
{
    /// <summary>Whether autograd records operations on this thread.</summary>
    public static bool is_grad_enabled() => NativeMethods.tt_grad_enabled() != 0;

    /// <summary>Enables or disables autograd for a using block.</summary>
    public static Guard set_grad_enabled(bool enabled)
    {
        bool before = is_grad_enabled();
        NativeMethods.tt_set_grad_enabled(enabled ? 1 : 0);
        return new Guard(() => NativeMethods.tt_set_grad_enabled(before ? 1 : 0));
    }

    /// <summary>Disables autograd for a using block.</summary>
    public static Guard no_grad() => set_grad_enabled(false);

    /// <summary>Enables autograd for a using block.</summary>
    public static Guard enable_grad() => set_grad_enabled(true);

    /// <summary>Disables autograd and version counting for a using block: the fastest mode of inference.</summary>
    public static Guard inference_mode(bool mode = true)
    {
        nint guard = NativeMethods.tt_inference_mode_enter(mode ? 1 : 0);
        return new Guard(() => NativeMethods.tt_inference_mode_exit(guard));
    }

    /// <summary>Runs suitable operators in a lower precision in a using block, as torch.autocast.</summary>
    /// <param name="device_type">Type of device whose operators are cast.</param>
    /// <param name="dtype">bfloat16 (the default on the CPU) or float16 (the default on CUDA).</param>
    /// <param name="enabled">False disables an outer autocast.</param>
    public static Guard autocast(DeviceType device_type, ScalarType? dtype = null, bool enabled = true)
    {
        int device = (int)device_type;
        int before = NativeMethods.tt_autocast_enabled(device), dtypeBefore = NativeMethods.tt_autocast_dtype(device);
        ScalarType low = dtype ?? (device_type == DeviceType.CPU ? ScalarType.BFloat16 : ScalarType.Float16);
        NativeMethods.tt_autocast_enter();
        NativeMethods.tt_autocast_set(device, enabled ? 1 : 0, (int)low);
        return new Guard(() =>
        {
            NativeMethods.tt_autocast_set(device, before, dtypeBefore);
            NativeMethods.tt_autocast_exit();
        });
    }

    /// <summary>Selects deterministic variants of operators; operators without one throw or warn.</summary>
    public static void use_deterministic_algorithms(bool mode, bool warn_only = false) =>
        NativeMethods.Check(NativeMethods.tt_use_deterministic_algorithms(mode ? 1 : 0, warn_only ? 1 : 0));

    /// <summary>Number of threads within an operator.</summary>
    public static int get_num_threads() => NativeMethods.tt_get_num_threads();

    /// <summary>Sets the number of threads within an operator.</summary>
    public static void set_num_threads(int threads) => NativeMethods.Check(NativeMethods.tt_set_num_threads(threads));

    /// <summary>Number of threads for parallel operators.</summary>
    public static int get_num_interop_threads() => NativeMethods.tt_get_num_interop_threads();

    /// <summary>Sets the number of threads for parallel operators; only before the first parallel work.</summary>
    public static void set_num_interop_threads(int threads) => NativeMethods.Check(NativeMethods.tt_set_num_interop_threads(threads));

    /// <summary>Treats denormal numbers as zero on the CPU; false where the processor cannot.</summary>
    public static bool set_flush_denormal(bool mode) => NativeMethods.tt_set_flush_denormal(mode ? 1 : 0) != 0;

    /// <summary>Options of the GPU libraries, as torch.backends.</summary>
    public static class backends
    {
        /// <summary>Lets cuDNN time its algorithms and keep the fastest.</summary>
        public static void set_cudnn_benchmark(bool enabled) => NativeMethods.tt_set_cudnn_benchmark(enabled ? 1 : 0);

        /// <summary>Lets matrix products and convolutions use TF32 on the GPU.</summary>
        public static void set_allow_tf32(bool enabled) => NativeMethods.tt_set_allow_tf32(enabled ? 1 : 0);
    }

    /// <summary>Properties of the engine.</summary>
    public static unsafe class version
    {
        /// <summary>libtorch's version.</summary>
        public static string libtorch => NativeMethods.Text(NativeMethods.tt_version());

        /// <summary>Build configuration of libtorch: compiler, BLAS, oneDNN, vector instructions.</summary>
        public static string config => NativeMethods.Text(NativeMethods.tt_show_config());
    }
}
