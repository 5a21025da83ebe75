using System.CommandLine;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Training;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor export</c>: exports a model to ONNX.</summary>
internal static class ExportCommand
{
    private const string Description = """
        Export a model to ONNX: model.onnx in the model folder, for any number and size of images. Training and import do so by themselves;
        models of older versions are exported when they first stain. The file has its method, pixel size and the SHA-256 of its weights as
        metadata, and runs wherever ONNX Runtime does (docs/onnx.md).

        Examples:
          tinctor export runs/first
          tinctor export my-model --overwrite
        """;

    private static readonly Argument<string> Model = new("model") { Description = "Model folder, or the run folder of a finished run" };
    private static readonly Option<bool> Overwrite =
        CommonOptions.Overwrite("Export again although the present file belongs to these weights");

    public static Command Create()
    {
        var command = new Command("export", Description) { Model, Overwrite };
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse), cancel));
        return command;
    }

    private static int Run(ParseResult parse)
    {
        string folder = parse.GetRequiredValue(Model), path = Path.Combine(ModelFolder.Resolve(folder), ModelFolder.OnnxFile);
        ModelFolder.RequireWeights(folder);
        if (!parse.GetValue(Overwrite) && OnnxModel.IsCurrent(folder))
        {
            Terminal.Note($"{path}: is up to date. --overwrite exports it again.");
            return 0;
        }
        TrainedModel.Export(folder);
        Terminal.Result($"Exported the model to {path} ({new FileInfo(path).Length / 1e6:0.0} MB).");
        return 0;
    }
}
