using System.Globalization;
using Google.Protobuf;
using Onnx;
using Tinctor.Evaluation.Metrics;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Graphs;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;
using Tinctor.Training.Export;

namespace Tinctor.Cli.Commands;

/// <summary>
/// Networks with convolutions in 8-bit integers: model.int8.onnx beside model.onnx, calibrated on the images to stain when it is first
/// used.
/// Its difference from float32, on other tiles of the same images, is written into the model card.
/// </summary>
internal static class Int8Model
{
    private const string Heading = "## int8";

    /// <summary>Quantises a model.</summary>
    /// <param name="model">Model folder or run folder.</param>
    /// <param name="float32">The model in float32.</param>
    /// <param name="images">Images and slides to stain.</param>
    /// <exception cref="TinctorException">The model is a diffusion bridge or has no convolutions, or an image cannot be read.</exception>
    public static void Write(string model, Stainer float32, IReadOnlyList<ImageJob> images)
    {
        string folder = ModelFolder.Resolve(model), path = Path.Combine(folder, ModelFolder.Int8File);
        if (float32.Model.IsStochastic)
            throw new OptionException("Precision", "int8 is for networks that stain in one pass, and the model is a diffusion bridge",
                "Use float32");
        if (float32.Model.Stains.Count > 1)
            throw new OptionException("Precision", "int8 is for models of one stain, and the model has several", "Use float32");
        Image[] tiles = SampleTiles.Read(float32.Model, images);
        (Image[] calibration, Image[] comparison) = ([.. tiles.Where((_, i) => i % 2 == 0)], [.. tiles.Where((_, i) => i % 2 == 1)]);
        if (comparison.Length == 0) comparison = calibration;
        Terminal.Note($"{model}: quantising the network to {ModelFolder.Int8File}, once, from {tiles.Length} tiles of the images");

        var quantization = new Int8Quantization(OnnxFile.Read(Path.Combine(folder, ModelFolder.OnnxFile)));
        if (quantization.Convolutions == 0)
            throw new OptionException("Precision", "the network has no convolutions that int8 is for", "Use float32");
        ModelProto network = quantization.Run([.. calibration.Select(float32.Prepare)]);
        OnnxFile.SetMetadata(network, "weights_sha256", float32.ModelId);
        OnnxFile.SetMetadata(network, "precision", "int8");
        // Rounding spreads over the whole tile, so the receptive field is measured in float32.
        OnnxFile.SetMetadata(network, "receptive_field", $"{SlidePreparation.Radius(float32, calibration[0])}");
        AtomicFile.Write(path, stream => network.WriteTo(stream));
        Compare(model, folder, float32, comparison, quantization.Convolutions, calibration.Length);
    }

    private static void Compare(string model, string folder, Stainer float32, Image[] tiles, int convolutions, int calibrated)
    {
        using Stainer int8 = OnnxModel.LoadStainer(model, OnnxDevice.Cpu, file: ModelFolder.Int8File);
        (double squared, double ssim) = (0, 0);
        foreach (Image tile in tiles)
        {
            ScoredImage made = new(int8.Stain(tile).Image), reference = new(float32.Stain(tile).Image);
            squared += PixelErrors.Mse(made.Pixels, reference.Pixels);
            ssim += Math.Min(made.Width, made.Height) < 7 ? 1 : Ssim.Compute(made.Pixels, reference.Pixels);
        }
        double psnr = 10 * Math.Log10(255.0 * 255.0 / Math.Max(squared / tiles.Length, 1e-6));
        string figures = string.Create(CultureInfo.InvariantCulture, $"PSNR {psnr:F2} dB, SSIM {ssim / tiles.Length:F4}");
        Terminal.Note($"{model}: int8 against float32 on {tiles.Length} tiles: {figures}");
        string card = Path.Combine(folder, ModelFolder.CardFile), text = File.Exists(card) ? File.ReadAllText(card) : "";
        int start = text.IndexOf(Heading, StringComparison.Ordinal);
        if (start >= 0) text = text[..start];
        AtomicFile.WriteText(card, $"""
            {text.TrimEnd()}

            {Heading}

            {ModelFolder.Int8File} of {DateTime.UtcNow:yyyy-MM-dd} has {convolutions} convolutions in 8-bit integers.
            It was calibrated on {calibrated} tiles. Compared with float32 on {tiles.Length} other tiles of the same images: {figures}.

            """.TrimStart());
    }
}
