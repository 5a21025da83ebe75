using Google.Protobuf;
using Tinctor.Staining.Graphs;

namespace Tinctor.Evaluation.Features;

/// <summary>Files beside an ONNX file that hold its weights. The file is scanned and not loaded.</summary>
internal static class OnnxExternalData
{
    private const int DeepestNesting = 100;
    private const uint LengthDelimited = 2;

    private enum Message
    {
        Model,
        Function,
        Graph,
        Node,
        Attribute,
        SparseTensor,
        Tensor,
        Entry,
    }

    // Numbers of the fields in onnx.proto that lead to tensors.
    private static readonly Dictionary<(Message, int), Message> Fields = new()
    {
        [(Message.Model, 7)] = Message.Graph,
        [(Message.Model, 25)] = Message.Function,
        [(Message.Function, 7)] = Message.Node,
        [(Message.Graph, 1)] = Message.Node,
        [(Message.Graph, 5)] = Message.Tensor,
        [(Message.Graph, 15)] = Message.SparseTensor,
        [(Message.Node, 5)] = Message.Attribute,
        [(Message.Attribute, 5)] = Message.Tensor,
        [(Message.Attribute, 6)] = Message.Graph,
        [(Message.Attribute, 10)] = Message.Tensor,
        [(Message.Attribute, 11)] = Message.Graph,
        [(Message.Attribute, 22)] = Message.SparseTensor,
        [(Message.Attribute, 23)] = Message.SparseTensor,
        [(Message.SparseTensor, 1)] = Message.Tensor,
        [(Message.SparseTensor, 2)] = Message.Tensor,
        [(Message.Tensor, 13)] = Message.Entry,
    };

    /// <summary>Finds the paths of the files, in the order of their names.</summary>
    /// <exception cref="TinctorException">The file is damaged or no ONNX file, or a weight lies outside of its folder.</exception>
    public static IReadOnlyList<string> Find(string path)
    {
        using FileStream file = InputFile.Open(path);
        var found = new SortedSet<string>(StringComparer.Ordinal);
        try
        {
            using var input = new CodedInputStream(file, leaveOpen: true);
            Visit(input, file.Length, Message.Model, 0, found);
        }
        catch (Exception e) when (e is InvalidProtocolBufferException or InvalidDataException)
        {
            throw new TinctorException(path, "the file is damaged, or not an ONNX file",
                "Export the model again, or copy the whole file", e);
        }
        return [.. found.Select(location => OnnxFile.ExternalPath(path, location))];
    }

    private static void Visit(CodedInputStream input, long end, Message message, int depth, SortedSet<string> found)
    {
        if (depth > DeepestNesting) throw new InvalidDataException("the graphs are nested too deeply");
        string key = "", value = "";
        while (input.Position < end)
        {
            uint tag = input.ReadTag();
            (int field, bool isNested) = ((int)(tag >> 3), (tag & 7) == LengthDelimited);
            if (isNested && Fields.TryGetValue((message, field), out Message inner))
            {
                long length = input.ReadLength();
                if (length > end - input.Position) throw new InvalidDataException("a message is longer than its container");
                Visit(input, input.Position + length, inner, depth + 1, found);
            }
            else if (message == Message.Entry && isNested && field == 1) key = input.ReadString();
            else if (message == Message.Entry && isNested && field == 2) value = input.ReadString();
            else input.SkipLastField();
        }
        if (message == Message.Entry && key == "location") found.Add(value);
    }
}
