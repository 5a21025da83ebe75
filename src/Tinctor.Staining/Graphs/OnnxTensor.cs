using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;

namespace Tinctor.Staining.Graphs;

/// <summary>Creates and reads constant tensors of ONNX files, with their numbers as raw data.</summary>
internal static class OnnxTensor
{
    /// <summary>Creates a tensor in float32.</summary>
    public static TensorProto Create(string name, float[] values, params long[] shape) =>
        Create<float>(name, TensorProto.Types.DataType.Float, values, shape);

    /// <summary>Creates a tensor.</summary>
    /// <param name="name">Name.</param>
    /// <param name="type">Element type; that of the numbers in memory.</param>
    /// <param name="values">Elements in the order of the dimensions.</param>
    /// <param name="shape">Sizes; none for a single number.</param>
    public static TensorProto Create<T>(string name, TensorProto.Types.DataType type, T[] values, params long[] shape)
        where T : unmanaged
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = Raw(values) };
        tensor.Dims.Add(shape);
        return tensor;
    }

    /// <summary>Converts numbers to raw data.</summary>
    public static ByteString Raw<T>(T[] values) where T : unmanaged => ByteString.CopyFrom(MemoryMarshal.AsBytes(values.AsSpan()));

    /// <summary>Gets the numbers of a tensor in float32.</summary>
    public static float[] Floats(TensorProto tensor) => MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();

    /// <summary>Gets the numbers of a tensor in int64.</summary>
    public static long[] Integers(TensorProto tensor) => MemoryMarshal.Cast<byte, long>(tensor.RawData.Span).ToArray();
}
