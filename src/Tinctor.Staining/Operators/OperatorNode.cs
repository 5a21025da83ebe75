using System.Text;

namespace Tinctor.Staining.Operators;

/// <summary>Node of a graph that an operator is created for.</summary>
/// <param name="info">The node in ONNX Runtime.</param>
internal sealed unsafe class OperatorNode(nint info)
{
    /// <summary>Least value of the output, by the attribute relu: 0 for a ReLU, else minus infinity.</summary>
    public float LeastOutput => Integer("relu") != 0 ? 0 : float.NegativeInfinity;

    /// <summary>Gets a constant input.</summary>
    /// <exception cref="InvalidOperationException">The input is not constant.</exception>
    public OperatorTensor Constant(int index)
    {
        int isConstant;
        nint value;
        OrtApi.Check(OrtApi.Instance->KernelInfoGetConstantInput_tensor(info, (nuint)index, &isConstant, &value));
        return isConstant != 0 ? new(value) : throw new InvalidOperationException($"input {index} is not constant");
    }

    /// <summary>Gets an attribute that is an integer.</summary>
    /// <exception cref="InvalidOperationException">The node does not state it.</exception>
    public long Integer(string name)
    {
        long value;
        fixed (byte* text = Encoding.UTF8.GetBytes(name + '\0'))
            OrtApi.Check(OrtApi.Instance->KernelInfoGetAttribute_int64(info, text, &value));
        return value;
    }
}
