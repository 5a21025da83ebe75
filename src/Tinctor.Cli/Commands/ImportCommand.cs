using System.CommandLine;
using System.Globalization;
using Tinctor.Staining.Models;
using Tinctor.Training;
using Tinctor.Training.Configuration;
using Tinctor.Training.Import;

namespace Tinctor.Cli.Commands;

/// <summary><c>tinctor import</c>: checkpoints of the official repositories become model folders.</summary>
internal static class ImportCommand
{
    private const string Pix2PixDescription = """
        Turn a generator of the official pix2pix/CycleGAN repository into a model folder. The architecture is inferred from the weights.

        Examples:
          tinctor import pix2pix latest_net_G.pth -o my-model
          tinctor import pix2pix latest_net_G.pth -o my-model --norm-statistics batch     as the official test script without --eval
          tinctor import pix2pix latest_net_G.pth -o my-model --stains HER2,ER            input: RGB and a plane for each stain
        """;

    private const string PyramidPix2PixDescription = """
        Turn a generator of the official PyramidPix2pix repository (BCI) into a model folder. The architecture is inferred from the weights.

        Examples:
          tinctor import pyramid-pix2pix latest_net_G.pth -o my-model
          tinctor import pyramid-pix2pix latest_net_G.pth -o my-model --norm-statistics batch   as the official test script
        """;

    private const string Pix2PixHdDescription = """
        Turn a generator of the official pix2pixHD repository, for images without label maps, into a model folder. The architecture is
        inferred from the weights.

        Examples:
          tinctor import pix2pixhd latest_net_G.pth -o my-model
        """;

    private const string CycleGanDescription = """
        Turn a generator of the official CycleGAN repository into a model folder. The architecture is inferred from the weights.

        Examples:
          tinctor import cyclegan latest_net_G_A.pth -o my-model
          tinctor import cyclegan latest_net_G_B.pth -o my-model --direction BtoA
          tinctor import cyclegan latest_net_G.pth -o my-model                            a published model, one direction
        """;

    private const string ContrastiveDescription = """
        Turn a ResNet generator of the official repository of CUT (also FastCUT), ASP, SIM-GAN or PSPStain into a model folder. The
        architecture is inferred from the weights.

        Examples:
          tinctor import METHOD latest_net_G.pth -o my-model
        """;

    private const string CeffDescription = """
        Turn a generator of the official CEFF repository into a model folder. The widths are inferred from the weights.

        Examples:
          tinctor import ceff latest_net_G.pth -o my-model
          tinctor import ceff latest_net_G.pth -o my-model --norm-statistics batch        as the official test script without --eval
        """;

    private const string BciStainerDescription = """
        Turn a generator of the official BCIStainer repository (modulated blocks) into a model folder. The widths are inferred from the
        weights; whether blocks end in SimAM is not (exp3: yes, exp1: no).

        Examples:
          tinctor import bcistainer model_best_psnr.pth -o my-model
          tinctor import bcistainer model_best_psnr.pth -o my-model --set model.attention=false     exp1
        """;

    private const string NafNetDescription = """
        Turn a network of the official NAFNet repository into a model folder. Width and blocks are inferred from the weights.

        Examples:
          tinctor import nafnet NAFNet-SIDD-width32.pth -o my-model
          tinctor train nafnet --data pairs -o runs/first --start-from NAFNet-SIDD-width32.pth
        """;

    private const string BbdmDescription = """
        Turn a Brownian bridge of the official BBDM (in pixel space) or super-resolved staining repository into a model folder.
        The architecture is inferred from the weights; settings that the weights do not determine are printed; --set changes them.

        Examples:
          tinctor import bbdm latest_model_200.pth -o my-model
          tinctor import bbdm latest_model_200.pth -o my-model --set model.sampling.evaluations=200 --set model.sampling.spacing=linear
          tinctor import bbdm ema_0.9999_220000.pt -o my-model          and ema_0.9999_220000_compress.pt, if it is there
          tinctor import bbdm unet.pt --compressor shallow.pt -o my-model --set model.network.num_heads=8
        """;

    private const string I2sbDescription = """
        Turn a Schrödinger bridge of the official I2SB repository into a model folder.
        The architecture is inferred from the weights; settings that the weights do not determine are printed; --set changes them.

        Examples:
          tinctor import i2sb latest.pt -o my-model
          tinctor import i2sb latest.pt -o my-model --set model.ot_ode=true --set model.sampling.evaluations=10
        """;

    private const string OnnxDescription = """
        Turn a network in ONNX that PyTorch, MONAI, TensorFlow or another program exported into a model folder. It takes one image
        and gives one image. A YAML file, or --set, states what the file does not (docs/onnx.md): input_range and output_range (values
        of black and white), input_mean and input_std, mpp, layout (nchw or nhwc), tile_size or size_multiple, method, licence.

        Examples:
          tinctor import onnx network.onnx -o my-model --config network.yaml
          tinctor import onnx network.onnx -o my-model --set input_range=0,1 --set output_range=0,1 --set mpp=0.5
        """;

    private static readonly Argument<string> Checkpoint =
        new("checkpoint") { Description = "A .pth or .pt file, such as latest_net_G.pth" };
    private static readonly Argument<string> Network = new("network") { Description = "An .onnx file" };
    private static readonly Option<string> Output = CommonOptions.Output("Model folder to write");

    private static readonly Option<string> Statistics = new("--norm-statistics")
    {
        Description = "Statistics of norm layers: running (test.py --eval) or batch (test.py's default)",
        HelpName = "running|batch",
        DefaultValueFactory = _ => "running",
    };

    private static readonly Option<string[]> Stains = CommonOptions.Names("--stains",
        "Stains of constant planes behind the image, as in HER2,Ki67 [default: none]", "STAIN");

    private static readonly Option<string> Direction = new("--direction")
    {
        Description = "Direction of the generator: AtoB (G_A) or BtoA (G_B)",
        HelpName = "AtoB|BtoA",
        DefaultValueFactory = _ => "AtoB",
    };

    private static readonly Option<string?> Compressor = new("--compressor")
    {
        Description = "Network that matches sources to the targets' size and channels [default: NAME_compress.pt]",
        HelpName = "FILE",
    };
    private static readonly Option<bool> Last =
        new("--last") { Description = "Use the weights of the last step instead of their running average" };
    private static readonly Option<string?> Config =
        new("--config") { Description = "YAML file with properties of the network", HelpName = "FILE" };
    private static readonly Option<string[]> Property = SettingOption.Create("Set one property, as in mpp=0.5; may be repeated");
    private static readonly Option<string[]> Set =
        SettingOption.Create("Change one setting, as in model.network.num_heads=8; may be repeated");

    public static Command Create()
    {
        Statistics.Among("running", "batch");
        Direction.Among("AtoB", "BtoA");
        return new Command("import", "Import a checkpoint of an official repository as a model folder.")
        {
            Of("pix2pix", Pix2PixDescription,
                parse => Pix2PixImport.Read(File(parse), parse.GetRequiredValue(Statistics), parse.GetRequiredValue(Stains)),
                Statistics, Stains),
            Of("pyramid-pix2pix", PyramidPix2PixDescription,
                parse => Pix2PixImport.ReadPyramid(File(parse), parse.GetRequiredValue(Statistics), parse.GetRequiredValue(Stains)),
                Statistics, Stains),
            Of("pix2pixhd", Pix2PixHdDescription,
                parse => Pix2PixHdImport.Read(File(parse), parse.GetRequiredValue(Statistics)), Statistics),
            Of("cyclegan", CycleGanDescription, parse => Pix2PixImport.ReadCycleGan(
                File(parse), parse.GetRequiredValue(Statistics), parse.GetRequiredValue(Direction)), Statistics, Direction),
            Contrastive("cut"),
            Contrastive("asp"),
            Contrastive("psp-stain"),
            Contrastive("sim-gan"),
            Of("ceff", CeffDescription, parse => CeffImport.Read(File(parse), parse.GetRequiredValue(Statistics)), Statistics),
            Of("bcistainer", BciStainerDescription,
                parse => BciStainerImport.Read(File(parse), !parse.GetValue(Last), parse.GetValue(Set)), Last, Set),
            Of("nafnet", NafNetDescription, parse => NafNetImport.Read(File(parse))),
            Of("bbdm", BbdmDescription,
                parse => BridgeImport.Bbdm(File(parse), parse.GetValue(Compressor), !parse.GetValue(Last), parse.GetValue(Set)),
                Compressor, Last, Set),
            Of("i2sb", I2sbDescription, parse => BridgeImport.I2sb(File(parse), !parse.GetValue(Last), parse.GetValue(Set)), Last, Set),
            OfOnnx(),
        };
    }

    private static Command Of(string method, string description, Func<ParseResult, ImportedModel> read, params Option[] options)
    {
        var command = new Command(method, description) { Checkpoint, Output };
        foreach (Option option in options) command.Add(option);
        command.SetAction(parse => Import(read(parse), File(parse), parse.GetRequiredValue(Output)));
        return command;
    }

    private static Command Contrastive(string method) => Of(method, ContrastiveDescription.Replace("METHOD", method),
        parse => ContrastiveImport.Read(File(parse), method, parse.GetRequiredValue(Statistics)), Statistics);

    private static Command OfOnnx()
    {
        var command = new Command("onnx", OnnxDescription) { Network, Output, Config, Property };
        command.SetAction(parse =>
        {
            string path = parse.GetRequiredValue(Network), folder = parse.GetRequiredValue(Output);
            OnnxImportConfig config = ConfigFile.ReadRecord<OnnxImportConfig>(parse.GetValue(Config), parse.GetValue(Property) ?? []);
            ModelDescription model = OnnxImport.Run(path, config, folder);
            string size = model.TileSize is { } tile ? $"tiles of {tile} pixels" : $"any size, in multiples of {model.SizeMultiple}";
            string description = $"{model.InputChannels} to {model.OutputChannels} channels, {size}, upscaling {model.Upscaling}";
            AtomicFile.WriteText(Path.Combine(folder, ModelFolder.CardFile), Card(config.Method, path, description, config.Licence));
            Terminal.Result(description);
            Terminal.Result($"model: {Path.GetFullPath(folder)}");
            return 0;
        });
        return command;
    }

    private static string File(ParseResult parse) => parse.GetRequiredValue(Checkpoint) is var path && System.IO.File.Exists(path) ? path
        : throw new TinctorException(path, "there is no such checkpoint", "Check the path.");

    private static int Import(ImportedModel import, string checkpoint, string folder)
    {
        string card = Card(import.Config.Method, checkpoint, import.Description,
            "not stated in the checkpoint: add it before passing the model on");
        string? notExported = TrainedModel.Write(folder, import.Config, import.Weights, card);
        if (notExported is not null) Terminal.Note($"the model has no model.onnx: {notExported}");
        foreach (string note in import.Notes) Terminal.Note(note);
        Terminal.Result(import.Description);
        Terminal.Result($"model: {Path.GetFullPath(folder)}");
        return 0;
    }

    private static string Card(string method, string file, string architecture, string licence) =>
        string.Create(CultureInfo.InvariantCulture, $"""
            # {method}: imported network

            | | |
            |---|---|
            | Method | {method} |
            | Imported from | {Path.GetFileName(file)}, {DateTime.UtcNow:yyyy-MM-dd} |
            | Architecture | {architecture} |
            | Training data | not stated in the file |
            | Licence of the weights | {licence} |

            **Research use only, not for diagnosis.**

            """);
}
