using System.Runtime.InteropServices;
using System.Text;
using Microsoft.ML.OnnxRuntime;

namespace Tinctor.Staining.Operators;

/// <summary>The operators of this program, as ONNX Runtime calls them.</summary>
internal static unsafe class OperatorDomain
{
    /// <summary>Domain of the operators.</summary>
    public const string Name = "tinctor";

    private const int Float = 1, Required = 0, DefaultMemory = 0, Failure = 1;

    private static readonly OperatorType[] Types =
    [
        WinogradConvolution.Type, HalvingConvolution.Type, DoublingConvolution.Type, DirectConvolution.Type,
        DirectConvolution.TransposedType, ChannelVariance.Type, ChannelNormalization.Type,
    ];

    private static readonly nint[] Names = [.. Types.Select(type => Marshal.StringToCoTaskMemUTF8(type.Name))];
    private static readonly nint Handle = Create();

    /// <summary>Adds the operators to the options of a session.</summary>
    public static void AddTo(SessionOptions options)
    {
        OrtApi.Check(OrtApi.Instance->AddCustomOpDomain(options.DangerousGetHandle(), Handle));
        GC.KeepAlive(options);
    }

    // ONNX Runtime keeps the pointers while the process runs.
    private static nint Create()
    {
        nint domain;
        OrtApi.Check(OrtApi.Instance->CreateCustomOpDomain((byte*)Marshal.StringToCoTaskMemUTF8(Name), &domain));
        for (int place = 0; place < Types.Length; place++)
        {
            var operation = (OrtCustomOp*)NativeMemory.Alloc((nuint)sizeof(OrtCustomOp));
            *operation = Describe(place);
            OrtApi.Check(OrtApi.Instance->CustomOpDomain_Add(domain, operation));
        }
        return domain;
    }

    private static OrtCustomOp Describe(int place) => new()
    {
        Version = OrtCustomOp.OldestVersion,
        Place = place,
        GetName = &GetName,
        GetExecutionProviderType = &GetProvider,
        GetInputType = &GetType,
        GetInputTypeCount = &GetInputCount,
        GetOutputType = &GetType,
        GetOutputTypeCount = &GetOutputCount,
        GetInputCharacteristic = &GetCharacteristic,
        GetOutputCharacteristic = &GetCharacteristic,
        GetInputMemoryType = &GetMemoryType,
        GetVariadicInputMinArity = &GetArity,
        GetVariadicInputHomogeneity = &GetArity,
        GetVariadicOutputMinArity = &GetArity,
        GetVariadicOutputHomogeneity = &GetArity,
        CreateKernelV2 = &CreateKernel,
        KernelComputeV2 = &Compute,
        KernelDestroy = &Destroy,
    };

    [UnmanagedCallersOnly]
    private static byte* GetName(OrtCustomOp* operation) => (byte*)Names[operation->Place];

    [UnmanagedCallersOnly]
    private static byte* GetProvider(OrtCustomOp* operation) => null;

    [UnmanagedCallersOnly]
    private static int GetType(OrtCustomOp* operation, nuint index) => Float;

    [UnmanagedCallersOnly]
    private static nuint GetInputCount(OrtCustomOp* operation) => (nuint)Types[operation->Place].Inputs;

    [UnmanagedCallersOnly]
    private static nuint GetOutputCount(OrtCustomOp* operation) => 1;

    [UnmanagedCallersOnly]
    private static int GetCharacteristic(OrtCustomOp* operation, nuint index) => Required;

    [UnmanagedCallersOnly]
    private static int GetMemoryType(OrtCustomOp* operation, nuint index) => DefaultMemory;

    [UnmanagedCallersOnly]
    private static int GetArity(OrtCustomOp* operation) => 1;

    [UnmanagedCallersOnly]
    private static nint CreateKernel(OrtCustomOp* operation, OrtApi* api, nint info, void** kernel)
    {
        try
        {
            Operator created = Types[operation->Place].Create(new(info));
            *kernel = (void*)GCHandle.ToIntPtr(GCHandle.Alloc(created));
            return 0;
        }
        catch (Exception e)
        {
            return Status(e);
        }
    }

    [UnmanagedCallersOnly]
    private static nint Compute(void* kernel, nint context)
    {
        try
        {
            ((Operator)GCHandle.FromIntPtr((nint)kernel).Target!).Run(new(context));
            return 0;
        }
        catch (Exception e)
        {
            return Status(e);
        }
    }

    [UnmanagedCallersOnly]
    private static void Destroy(void* kernel) => GCHandle.FromIntPtr((nint)kernel).Free();

    // No exception may leave a callback.
    private static nint Status(Exception e)
    {
        fixed (byte* text = Encoding.UTF8.GetBytes(e.Message + '\0')) return OrtApi.Instance->CreateStatus(Failure, text);
    }
}
