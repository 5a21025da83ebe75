using Google.Protobuf;
using Onnx;

namespace Tinctor.Staining.Graphs;

/// <summary>Reads and changes ONNX files.</summary>
internal static class OnnxFile
{
    /// <summary>Reads a file with its external data, which must lie in the folder of the file.</summary>
    /// <exception cref="TinctorException">
    /// The file is missing or damaged, or its external data is missing or lies in another folder.
    /// </exception>
    public static ModelProto Read(string path)
    {
        byte[] bytes = InputFile.ReadAllBytes(path);
        ModelProto model;
        try
        {
            model = ModelProto.Parser.ParseFrom(bytes);
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new TinctorException(path, "is no ONNX file, or it is truncated", "Export the network again", e);
        }
        if (model.Graph is null || model.Graph.Node.Count == 0 || model.OpsetImport.Count == 0)
            throw new TinctorException(path, "is no ONNX file: it has no graph", "Export the network again");
        foreach (TensorProto tensor in model.Graph.Initializer.Where(tensor =>
            tensor.DataLocation == TensorProto.Types.DataLocation.External))
            ReadExternalData(path, tensor);
        return model;
    }

    /// <summary>Gets the path of external data of a file.</summary>
    /// <param name="path">The ONNX file.</param>
    /// <param name="location">Location in the file, relative to its folder.</param>
    /// <exception cref="TinctorException">The location is outside of the folder of the file.</exception>
    public static string ExternalPath(string path, string location)
    {
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!.TrimEnd(Path.DirectorySeparatorChar);
        string full = Path.GetFullPath(Path.Combine(folder, location));
        return full.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal) ? full
            : throw new TinctorException(path, $"its weights are in {location}, outside of its folder",
                "Export the network again, with its weights in the same folder");
    }

    /// <summary>Renames a value in a graph and in the bodies of its nodes; a value that does not exist is ignored.</summary>
    public static void Rename(GraphProto graph, string name, string newName)
    {
        foreach (NodeProto node in OnnxNode.WithBranches(graph.Node))
        {
            Replace(node.Input);
            Replace(node.Output);
        }
        foreach (TensorProto tensor in graph.Initializer.Where(tensor => tensor.Name == name)) tensor.Name = newName;
        foreach (ValueInfoProto value in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo).Where(value => value.Name == name))
            value.Name = newName;

        void Replace(Google.Protobuf.Collections.RepeatedField<string> names)
        {
            for (int i = 0; i < names.Count; i++) if (names[i] == name) names[i] = newName;
        }
    }

    /// <summary>Sets a property of a model.</summary>
    public static void SetMetadata(ModelProto model, string key, string value)
    {
        StringStringEntryProto? entry = model.MetadataProps.FirstOrDefault(entry => entry.Key == key);
        if (entry is null) model.MetadataProps.Add(entry = new() { Key = key });
        entry.Value = value;
    }

    /// <summary>Removes initializers that no node uses.</summary>
    public static void RemoveUnused(GraphProto graph)
    {
        HashSet<string> used = [.. OnnxNode.WithBranches(graph.Node).SelectMany(node => node.Input)];
        foreach (TensorProto unused in graph.Initializer.Where(tensor => !used.Contains(tensor.Name)).ToList())
            graph.Initializer.Remove(unused);
    }

    private static void ReadExternalData(string path, TensorProto tensor)
    {
        var entries = tensor.ExternalData.ToDictionary(entry => entry.Key, entry => entry.Value);
        string file = ExternalPath(path, entries.GetValueOrDefault("location", ""));
        byte[] data = InputFile.ReadAllBytes(file);
        long start = Number("offset", 0), length = Number("length", data.Length - start);
        if (start < 0 || length < 0 || start + length > data.Length)
            throw new TinctorException(file, $"is too short for {tensor.Name}", "Export the network again");
        tensor.RawData = ByteString.CopyFrom(data, (int)start, (int)length);
        tensor.ExternalData.Clear();
        tensor.DataLocation = TensorProto.Types.DataLocation.Default;

        long Number(string key, long otherwise) => entries.TryGetValue(key, out string? text) && long.TryParse(text, out long number)
            ? number : otherwise;
    }
}
