using System.Reflection;
using System.Runtime.InteropServices;

namespace Tinctor.Torch;

/// <summary>The C interface of native/tinctor_torch.cpp, function by function.</summary>
internal static unsafe partial class NativeMethods
{
    private const string Library = "tinctor_torch";

    static NativeMethods() => NativeLibrary.SetDllImportResolver(typeof(NativeMethods).Assembly, Resolve);

    /// <summary>Path of the loaded native library; null before the first call.</summary>
    internal static string? LibraryPath { get; private set; }

    /// <summary>Whether the file of the native library is there; it is not loaded.</summary>
    internal static bool Exists => Candidates.Any(File.Exists);

    private static IEnumerable<string> Candidates =>
        Environment.GetEnvironmentVariable("TINCTOR_NATIVE") is string chosen ? [chosen] : BuildFolders();

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? search)
    {
        if (name != Library) return 0;
        string? chosen = Environment.GetEnvironmentVariable("TINCTOR_NATIVE");
        foreach (string path in Candidates)
        {
            if (!File.Exists(path)) continue;
            // Debian 13's libtorch loads UCX, whose handler of SIGSEGV ends the process where .NET throws a NullReferenceException.
            NativeEnvironment.SetDefault("UCX_HANDLE_ERRORS", "none");
            nint library = NativeLibrary.Load(path);
            LibraryPath = Path.GetFullPath(path);
            return library;
        }
        if (chosen is null && NativeLibrary.TryLoad(name, assembly, search, out nint packaged)) return packaged;
        throw new DllNotFoundException("this needs libtorch, and " + (chosen is not null ? $"there is no file {chosen} (TINCTOR_NATIVE)"
            : OperatingSystem.IsLinux() ? "libtinctor_torch.so was not found. Use the archive with libtorch, or ./tinctor of the "
                + "sources, which builds it, or set TINCTOR_NATIVE to its path"
            : "Tinctor has it on Linux alone. On Windows, use the Windows Subsystem for Linux"));
    }

    // Without the launcher (an IDE, a test runner): the repository's build folder is one of the parents. Archives have it in a folder.
    private static IEnumerable<string> BuildFolders()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            yield return Path.Combine(folder.FullName, "libtinctor_torch.so");
            yield return Path.Combine(folder.FullName, "libtorch", "libtinctor_torch.so");
            yield return Path.Combine(folder.FullName, "native", "debian", "libtinctor_torch.so");
        }
    }

    [LibraryImport(Library)] internal static partial byte* tt_last_error();
    [LibraryImport(Library)] internal static partial void tt_free(void* memory);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint tt_operator(string name, string overload);

    [LibraryImport(Library)] internal static partial int tt_call(nint op, Value* arguments, int count, Value* results, int capacity);

    [LibraryImport(Library)] internal static partial void tt_tensor_free(nint tensor);
    [LibraryImport(Library), SuppressGCTransition] internal static partial int tt_tensor_info(nint tensor, TensorInfo* info);
    [LibraryImport(Library)] internal static partial void* tt_tensor_data_ptr(nint tensor);
    [LibraryImport(Library)] internal static partial int tt_tensor_set_requires_grad(nint tensor, int requiresGrad);
    [LibraryImport(Library)] internal static partial nint tt_tensor_grad(nint tensor);
    [LibraryImport(Library)] internal static partial int tt_tensor_set_grad(nint tensor, nint grad);

    [LibraryImport(Library)]
    internal static partial int tt_backward(nint* roots, nint* gradients, int count, nint* inputs, int inputCount, int retainGraph,
        int createGraph);

    [LibraryImport(Library)]
    internal static partial int tt_grad(nint* outputs, nint* gradients, int count, nint* inputs, int inputCount, int retainGraph,
        int createGraph, int allowUnused, nint* results);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)] internal static partial void tt_fail(string message);

    [LibraryImport(Library)]
    internal static partial nint tt_checkpoint(delegate* unmanaged<nint, nint*, int, nint> body, nint state,
        delegate* unmanaged<nint, void> forget, nint* inputs, int count);

    [LibraryImport(Library), SuppressGCTransition] internal static partial int tt_grad_enabled();
    [LibraryImport(Library), SuppressGCTransition] internal static partial void tt_set_grad_enabled(int enabled);
    [LibraryImport(Library)] internal static partial nint tt_inference_mode_enter(int enabled);
    [LibraryImport(Library)] internal static partial void tt_inference_mode_exit(nint guard);

    [LibraryImport(Library)] internal static partial int tt_autocast_enabled(int deviceType);
    [LibraryImport(Library)] internal static partial int tt_autocast_dtype(int deviceType);
    [LibraryImport(Library)] internal static partial void tt_autocast_set(int deviceType, int enabled, int dtype);
    [LibraryImport(Library)] internal static partial void tt_autocast_enter();
    [LibraryImport(Library)] internal static partial void tt_autocast_exit();

    [LibraryImport(Library)] internal static partial nint tt_generator_default(long device);
    [LibraryImport(Library)] internal static partial nint tt_generator_new(long device);
    [LibraryImport(Library)] internal static partial void tt_generator_free(nint generator);
    [LibraryImport(Library)] internal static partial int tt_generator_manual_seed(nint generator, ulong seed);
    [LibraryImport(Library)] internal static partial ulong tt_generator_initial_seed(nint generator);
    [LibraryImport(Library)] internal static partial nint tt_generator_get_state(nint generator);
    [LibraryImport(Library)] internal static partial int tt_generator_set_state(nint generator, nint state);
    [LibraryImport(Library)] internal static partial int tt_manual_seed(ulong seed);

    [LibraryImport(Library)] internal static partial byte* tt_version();
    [LibraryImport(Library)] internal static partial byte* tt_show_config();
    [LibraryImport(Library)] internal static partial int tt_get_num_threads();
    [LibraryImport(Library)] internal static partial int tt_set_num_threads(int threads);
    [LibraryImport(Library)] internal static partial int tt_get_num_interop_threads();
    [LibraryImport(Library)] internal static partial int tt_set_num_interop_threads(int threads);
    [LibraryImport(Library)] internal static partial int tt_cuda_device_count();
    [LibraryImport(Library)] internal static partial int tt_cuda_synchronize(int index);
    [LibraryImport(Library)] internal static partial int tt_cuda_memory_stats(int index, long* statistics);
    [LibraryImport(Library)] internal static partial int tt_cuda_empty_cache();
    [LibraryImport(Library)] internal static partial int tt_use_deterministic_algorithms(int enabled, int warnOnly);
    [LibraryImport(Library)] internal static partial void tt_set_cudnn_benchmark(int enabled);
    [LibraryImport(Library)] internal static partial void tt_set_allow_tf32(int enabled);
    [LibraryImport(Library)] internal static partial int tt_set_flush_denormal(int enabled);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint tt_script_load(string path, long device);

    [LibraryImport(Library)] internal static partial void tt_script_free(nint module);
    [LibraryImport(Library)] internal static partial int tt_script_train(nint module, int training);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int tt_script_call(
        nint module, string method, nint* inputs, int count, byte* flags, int flagCount, Value* results, int capacity);

    [LibraryImport(Library)] internal static partial int tt_dist_backends();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint tt_store_new(string host, int port, int serves, int worldSize, long timeoutMs);

    [LibraryImport(Library)] internal static partial void tt_store_free(nint store);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int tt_store_set(nint store, string key, string value);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int tt_store_get(nint store, string key, byte* value, int capacity);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint tt_group_new(nint store, string name, int backend, int rank, int worldSize, string address,
        long timeoutMs);

    [LibraryImport(Library)] internal static partial void tt_group_free(nint group);
    [LibraryImport(Library)] internal static partial nint tt_all_reduce(nint group, nint tensor, int operation);
    [LibraryImport(Library)] internal static partial nint tt_broadcast(nint group, nint tensor, int root);
    [LibraryImport(Library)] internal static partial int tt_work_wait(nint work);
    [LibraryImport(Library)] internal static partial nint tt_sum_over_ranks(nint group, nint tensor);

    [LibraryImport(Library)]
    internal static partial nint tt_gradient_hook(nint parameter, delegate* unmanaged<nint, void> ready, nint state);

    [LibraryImport(Library)] internal static partial void tt_gradient_hook_free(nint hook);

    internal static string Text(byte* utf8) => Marshal.PtrToStringUTF8((nint)utf8) ?? "";

    /// <summary>First line of the error of the last failed call on this thread.</summary>
    internal static string LastError => Text(tt_last_error()).Split('\n')[0];

    /// <summary>Throws the error of a failed native call.</summary>
    internal static int Check(int result) => result >= 0 ? result : throw new TorchException(Text(tt_last_error()));

    /// <summary>The same for calls that return a pointer.</summary>
    internal static nint Check(nint result) => result != 0 ? result : throw new TorchException(Text(tt_last_error()));
}

internal enum Tag
{
    None, Tensor, Int, Double, Bool, String, Device, Generator, IntList, DoubleList, BoolList, TensorList
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Value
{
    public Tag tag;
    public int length;
    public long bits;

    public readonly void* Pointer => (void*)bits;
}

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct TensorInfo
{
    public long device;
    public long numel;
    public long* sizes;
    public long* strides;
    public int ndim;
    public sbyte dtype;
    public byte requires_grad;
    public byte is_leaf;
    public byte layout;
}
