using System.Runtime.InteropServices;

namespace Tinctor.Staining.Operators;

/// <summary>
/// Functions of ONNX Runtime's C interface for operators of a program, which its package for .NET does not offer. The table only grows
/// from version to version, so the places stay.
/// </summary>
[StructLayout(LayoutKind.Explicit)]
internal unsafe struct OrtApi
{
    // The first version with all of these functions.
    private const uint Version = 17;

    [FieldOffset(0 * 8)]
    public delegate* unmanaged<int, byte*, nint> CreateStatus;

    [FieldOffset(2 * 8)]
    public delegate* unmanaged<nint, byte*> GetErrorMessage;

    [FieldOffset(26 * 8)]
    public delegate* unmanaged<byte*, nint*, nint> CreateCustomOpDomain;

    [FieldOffset(27 * 8)]
    public delegate* unmanaged<nint, OrtCustomOp*, nint> CustomOpDomain_Add;

    [FieldOffset(28 * 8)]
    public delegate* unmanaged<nint, nint, nint> AddCustomOpDomain;

    [FieldOffset(51 * 8)]
    public delegate* unmanaged<nint, void**, nint> GetTensorMutableData;

    [FieldOffset(61 * 8)]
    public delegate* unmanaged<nint, nuint*, nint> GetDimensionsCount;

    [FieldOffset(62 * 8)]
    public delegate* unmanaged<nint, long*, nuint, nint> GetDimensions;

    [FieldOffset(65 * 8)]
    public delegate* unmanaged<nint, nint*, nint> GetTensorTypeAndShape;

    [FieldOffset(86 * 8)]
    public delegate* unmanaged<nint, byte*, long*, nint> KernelInfoGetAttribute_int64;

    [FieldOffset(90 * 8)]
    public delegate* unmanaged<nint, nuint, nint*, nint> KernelContext_GetInput;

    [FieldOffset(91 * 8)]
    public delegate* unmanaged<nint, nuint, long*, nuint, nint*, nint> KernelContext_GetOutput;

    [FieldOffset(93 * 8)]
    public delegate* unmanaged<nint, void> ReleaseStatus;

    [FieldOffset(99 * 8)]
    public delegate* unmanaged<nint, void> ReleaseTensorTypeAndShapeInfo;

    [FieldOffset(249 * 8)]
    public delegate* unmanaged<nint, nuint, int*, nint*, nint> KernelInfoGetConstantInput_tensor;

    [FieldOffset(274 * 8)]
    public delegate* unmanaged<nint, delegate* unmanaged<void*, nuint, void>, nuint, nuint, void*, nint> KernelContext_ParallelFor;

    /// <summary>The table.</summary>
    public static OrtApi* Instance { get; } = Load();

    /// <summary>Throws if a function failed.</summary>
    /// <exception cref="InvalidOperationException">The function failed.</exception>
    public static void Check(nint status)
    {
        if (status == 0) return;
        string message = Marshal.PtrToStringUTF8((nint)Instance->GetErrorMessage(status)) ?? "ONNX Runtime failed";
        Instance->ReleaseStatus(status);
        throw new InvalidOperationException(message);
    }

    private static OrtApi* Load() => ((delegate* unmanaged<uint, OrtApi*>)(*OrtGetApiBase()))(Version);

    [DllImport("onnxruntime")]
    private static extern void** OrtGetApiBase();
}
