using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Staining.Operators;

/// <summary>Makes a network use the operators of this program, which are faster on the CPU than those of ONNX Runtime.</summary>
internal static class GraphRewriting
{
    private const long LargestFile = 1L << 30;

    /// <summary>Reads a file and changes its network.</summary>
    /// <returns>
    /// The changed model; null if there is nothing to change, the file is damaged or very large, or the processor lacks vector
    /// instructions.
    /// </returns>
    public static byte[]? Read(string path)
    {
        if (!FilterProducts.IsFast || new FileInfo(path).Length > LargestFile) return null;
        try
        {
            ModelProto model = ModelProto.Parser.ParseFrom(File.ReadAllBytes(path));
            return model.Graph is not null && Run(model) ? model.ToByteArray() : null;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    // Weights outside of the file would not be found from a model in memory, and the operators compute in float32.
    private static bool Run(ModelProto model)
    {
        bool isSuitable = model.Graph.Initializer.All(tensor => tensor.DataLocation == TensorProto.Types.DataLocation.Default
            && (DataType)tensor.DataType is not (DataType.Float16 or DataType.Bfloat16 or DataType.Double));
        // ONNX Runtime refuses a graph with two weights of one name.
        bool isDistinct = model.Graph.Initializer.DistinctBy(tensor => tensor.Name).Count() == model.Graph.Initializer.Count;
        if (!isSuitable || !isDistinct) return false;
        if (new ConvolutionRewriting(model.Graph).Run() + new NormalizationRewriting(model.Graph).Run() == 0) return false;
        OnnxFile.RemoveUnused(model.Graph);
        model.OpsetImport.Add(new OperatorSetIdProto { Domain = OperatorDomain.Name, Version = 1 });
        return true;
    }
}
