namespace Tinctor.Staining.Operators;

/// <summary>Tensor of ONNX Runtime in float32, valid as long as the node or run that it belongs to.</summary>
internal sealed unsafe class OperatorTensor
{
    /// <summary>Opens a tensor.</summary>
    /// <param name="value">The tensor in ONNX Runtime.</param>
    public OperatorTensor(nint value)
    {
        void* data;
        OrtApi.Check(OrtApi.Instance->GetTensorMutableData(value, &data));
        Data = (float*)data;
        Shape = ReadShape(value);
    }

    /// <summary>Elements in the order of the dimensions.</summary>
    public float* Data { get; }

    /// <summary>Sizes.</summary>
    public long[] Shape { get; }

    /// <summary>The elements.</summary>
    public Span<float> Values => new(Data, (int)Shape.Aggregate(1L, (product, size) => product * size));

    private static long[] ReadShape(nint value)
    {
        nint info;
        OrtApi.Check(OrtApi.Instance->GetTensorTypeAndShape(value, &info));
        try
        {
            nuint count;
            OrtApi.Check(OrtApi.Instance->GetDimensionsCount(info, &count));
            long[] shape = new long[count];
            fixed (long* sizes = shape) OrtApi.Check(OrtApi.Instance->GetDimensions(info, sizes, count));
            return shape;
        }
        finally
        {
            OrtApi.Instance->ReleaseTensorTypeAndShapeInfo(info);
        }
    }
}
