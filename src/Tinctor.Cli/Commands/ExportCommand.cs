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

        --best makes a model of the best checkpoint of a run (training.best), in RUN/best: weights, model card and model.onnx. It needs the
        data of the run. model/ holds the weights of the last step, or with training.patience those of the best checkpoint.

        --tile writes model-N.onnx beside it, for programs that need one image size; tinctor stain uses model.onnx.

        Examples:
          tinctor export runs/first --onnx
          tinctor export runs/first --best
          tinctor export my-model --tile 512
          tinctor export my-model --overwrite
        """;

    private static readonly Argument<string> Model = new("model") { Description = "Model folder, or the run folder of a finished run" };
    private static readonly Option<bool> Overwrite =
        CommonOptions.Overwrite("Export again although the present file belongs to these weights");

    private static readonly Option<bool> Best = new("--best") { Description = "Make a model of the run's best checkpoint, in RUN/best" };
    private static readonly Option<bool> Onnx = new("--onnx") { Description = "Export to ONNX, which is the default" };
    private static readonly Option<int?> Tile =
        new("--tile") { Description = "Side of the sources, for a network of this size only", HelpName = "N" };
    private static readonly Option<bool> Dynamic =
        new("--dynamic") { Description = "A network for sources of any size, which is the default" };

    public static Command Create()
    {
        var command = new Command("export", Description) { Model, Best, Onnx, Tile, Dynamic, Overwrite };
        command.Validators.Add(result =>
        {
            if (result.GetResult(Tile) is not null && result.GetResult(Dynamic) is not null)
                result.AddError("--tile and --dynamic exclude each other: leave one of them out.");
        });
        command.SetAction((parse, cancel) => Task.Run(() => Run(parse, cancel), cancel));
        return command;
    }

    private static int Run(ParseResult parse, CancellationToken cancel)
    {
        string folder = parse.GetRequiredValue(Model);
        if (parse.GetValue(Best))
        {
            folder = Trainer.ExportBest(folder, new NotesOnly(), cancel);
            Terminal.Result($"model: {folder}");
            if (parse.GetValue(Tile) is null) return 0;
        }
        ModelFolder.RequireModel(folder);
        if (!ModelFolder.HasWeights(folder))
        {
            Terminal.Note($"{folder}: has a network in ONNX only. There is nothing to export.");
            return 0;
        }
        int? tile = parse.GetValue(Tile);
        if (tile is null && !parse.GetValue(Overwrite) && OnnxModel.IsCurrent(folder))
        {
            string current = Path.Combine(ModelFolder.Resolve(folder), ModelFolder.OnnxFile);
            Terminal.Note($"{current}: is up to date. --overwrite exports it again.");
            return 0;
        }
        string path = TrainedModel.Export(folder, tile);
        Terminal.Result($"Exported the model to {path} ({new FileInfo(path).Length / 1e6:0.0} MB).");
        return 0;
    }
}
