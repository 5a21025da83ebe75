using Google.Protobuf;
using Onnx;
using Tinctor.Staining.Graphs;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Tinctor.Tests;

/// <summary>Model folder of a classifier with the logits 8 red and 0, of classes 0 and 3+: the brighter, the lower.</summary>
internal static class TestClassifier
{
    public static void Write(string folder, int side, string kind = "classifier", double? mpp = null)
    {
        Directory.CreateDirectory(folder);
        string weights = Path.Combine(folder, "model.safetensors");
        File.WriteAllText(weights, "weights");
        File.WriteAllText(Path.Combine(folder, "card.json"), System.Text.Json.JsonSerializer.Serialize(new
        { format = "tinctor-card", version = 1, kind, classes = new[] { "0", "3+" }, image_size = side, crop_size = 0, mpp }));
        var graph = new GraphProto { Name = "classifier" };
        graph.Input.Add(OnnxNode.CreateInfo("image", DataType.Float, "N", 3L, "H", "W"));
        graph.Output.Add(OnnxNode.CreateInfo("logits", DataType.Float, "N", 2L));
        graph.Initializer.Add(OnnxTensor.Create("weight", [8, 0, 0, 0, 0, 0], 3, 2));
        graph.Node.Add(new NodeProto { OpType = "GlobalAveragePool", Input = { "image" }, Output = { "mean" } });
        graph.Node.Add(new NodeProto { OpType = "Flatten", Input = { "mean" }, Output = { "features" } });
        graph.Node.Add(new NodeProto { OpType = "MatMul", Input = { "features", "weight" }, Output = { "logits" } });
        var model = new ModelProto { IrVersion = 8, Graph = graph };
        model.OpsetImport.Add(new OperatorSetIdProto { Version = 17 });
        model.MetadataProps.Add(new StringStringEntryProto { Key = "weights_sha256", Value = Fingerprint.OfFile(weights) });
        File.WriteAllBytes(Path.Combine(folder, "model.onnx"), model.ToByteArray());
    }
}
