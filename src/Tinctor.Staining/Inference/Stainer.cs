using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Slides.Torch;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Methods;
using Tinctor.Staining.Training;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Staining.Inference;

/// <summary>Stains whole images with a trained network: pads to the size that the network takes, runs it once, crops.</summary>
public sealed class Stainer : IDisposable
{
    private readonly Module<Tensor, Tensor> network;
    private readonly MethodConfig config;
    private readonly Device device;
    private readonly bool amp;
    private readonly bool owned;
    private readonly StainNormalizer? normalizer;

    /// <summary>Uses a network that somebody else owns; it is put into its inference mode.</summary>
    /// <param name="network">Maps [N,C,H,W] in [-1,1] to the same.</param>
    /// <param name="config">How the network is run.</param>
    /// <param name="device">Where the network is.</param>
    /// <param name="amp">Runs suited operators in bfloat16.</param>
    public Stainer(Module<Tensor, Tensor> network, MethodConfig config, Device device, bool amp = false)
    {
        this.network = network;
        this.config = config;
        this.device = device;
        this.amp = amp;
        network.eval();
        foreach (BatchNorm2d norm in network.modules().OfType<BatchNorm2d>()) norm.by_batch = config.Inference.Statistics == "batch";
    }

    private Stainer((ModelConfig config, Module<Tensor, Tensor> network) model, Device device, bool amp)
        : this(model.network, model.config.Model, device, amp) =>
        (owned, normalizer) = (true, model.config.Stains?.SourceNormalizer());

    /// <summary>Reads a model folder.</summary>
    /// <exception cref="TinctorException">The folder is no model.</exception>
    public static Stainer Load(string modelFolder, Device device, bool amp = false) =>
        new(ModelFolder.Read(modelFolder, device), device, amp) { Novelty = ModelFolder.ReadNovelty(modelFolder) };

    /// <summary>The model's settings.</summary>
    public MethodConfig Config => config;

    /// <summary>Normalises sources as those that the model was trained on; null where they go in as they are.</summary>
    public StainNormalizer? Normalizer => normalizer;

    /// <summary>Tells what is unlike the images that the model was trained on; null where it does not know them.</summary>
    public SourceNovelty? Novelty { get; private init; }

    /// <summary>Channels that the network takes.</summary>
    public int InputChannels => config.InputChannels;

    /// <summary>The labels that the model predicts from the source, beside staining it; empty if it predicts none.</summary>
    public IReadOnlyList<string> Levels => network is ILevelPredictor ? config.PredictedLabels : [];

    /// <summary>How a model that stains by chance samples, unless told otherwise; null if it has no chance in it.</summary>
    public BridgeSampling? Sampling => (network as IStochasticStainer)?.Sampling;

    /// <summary>
    /// Stains an image of any size that has <see cref="InputChannels"/> channels. A model of <see cref="Load"/> that was trained on
    /// normalised sources normalises the image first.
    /// </summary>
    public Image Stain(Image source) => StainAndPredict(source).Stained;

    /// <summary>
    /// Stains an image, and tells its level where the model predicts one (<see cref="Levels"/>), else null. An image that should be
    /// normalised but shows no two stains goes in as it is; why is told in Untouched, which else is null.
    /// </summary>
    /// <param name="source">The image.</param>
    /// <param name="chance">Of a model that stains by chance; unless given, as the model samples by itself.</param>
    /// <exception cref="TinctorException">The image has other channels.</exception>
    public (Image Stained, LevelPrediction? Level, string? Untouched) StainAndPredict(Image source, Chance? chance = null)
    {
        if (source.Channels != InputChannels)
            throw new TinctorException($"its number of channels is {source.Channels}, the model takes {InputChannels}");
        using DisposeScope scope = torch.NewDisposeScope();
        chance ??= Sampling is { } own ? new(own, [new("")]) : null;
        string? untouched = null;
        source = normalizer?.Normalize(source, out untouched) ?? source;
        (int width, int height) = (Scaled(source.Width), Scaled(source.Height));
        (Tensor stained, Tensor? logits) = Run(Resized(source, width, height).ToTensor(ValueRange.MinusOneToOne).unsqueeze(0), chance);
        int factor = config.Upscaling;
        return (Resized(Image.FromTensor(stained[0], ValueRange.MinusOneToOne), source.Width * factor, source.Height * factor),
            logits is null ? null : LevelOf(logits), untouched);
    }

    /// <summary>
    /// Stains a batch [N,C,H,W] in [-1,1] of any size, as it is, in one forward pass (of a diffusion bridge: quickly); the result is on the CPU.
    /// </summary>
    public Tensor Stain(Tensor source)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return Run(source).Stained.MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Stains parts [N,C,H,W] in [-1,1] of one slide in one forward pass; results are on the CPU.
    /// </summary>
    /// <param name="source">The parts, normalised and of the size at which the network sees them.</param>
    /// <param name="chance">Of a model that stains by chance.</param>
    /// <param name="logits">The slide's level [1,levels] where it is known, else each part shows its own.</param>
    /// <returns>The stained parts in [-1,1] and the logits of their levels, null where the model tells none.</returns>
    internal (Tensor Stained, Tensor? Logits) StainParts(Tensor source, Chance? chance, Tensor? logits) => Run(source, chance, logits);

    /// <summary>The layers that look at the whole of an image to normalise it.</summary>
    internal IReadOnlyList<INormalisesByImage> ImageNorms => [.. network.modules().OfType<INormalisesByImage>().Where(norm => norm.by_image)];

    private (Tensor Stained, Tensor? Logits) Run(Tensor source, Chance? chance = null, Tensor? level = null)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Guard mode = torch.inference_mode();
        using Guard? cast = amp ? torch.autocast(device.type, ScalarType.BFloat16) : null;
        (int height, int width) = ((int)source.size(-2) * config.Upscaling, (int)source.size(-1) * config.Upscaling);
        Tensor padded = Pad(source.to(device));
        (Tensor stained, Tensor? logits) = network switch
        {
            ILevelPredictor predictor => predictor.Stain(padded, level?.to(device)),
            IStochasticStainer stainer when chance is not null =>
                (stainer.Stain(padded, chance.Sampling, chance.Places, chance.Run, Cropped(chance.Observe)), null),
            _ => (network.forward(padded), null),
        };
        logits = logits?.to(ScalarType.Float32).cpu();
        stained = stained[TensorIndex.Ellipsis, ..height, ..width].to(ScalarType.Float32).cpu().contiguous();
        return (stained.MoveToOuterDisposeScope(), logits?.MoveToOuterDisposeScope());

        SamplingObserver? Cropped(SamplingObserver? observe) => observe is null ? null : (step, state, image) =>
            observe(step, state[TensorIndex.Ellipsis, ..height, ..width], image[TensorIndex.Ellipsis, ..height, ..width]);
    }

    /// <summary>Frees the network that <see cref="Load"/> read.</summary>
    public void Dispose()
    {
        if (owned) network.Dispose();
    }

    /// <summary>The level that logits [1,levels] mean.</summary>
    internal LevelPrediction LevelOf(Tensor logits)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        return new(config.PredictedLabels, [.. F.softmax(logits, 1)[0].ToArray<float>()]);
    }

    private int Scaled(int size) => Math.Max(1, (int)Math.Round(size * config.Inference.Scale));

    private static Image Resized(Image image, int width, int height) =>
        (image.Width, image.Height) == (width, height) ? image : image.Resize(width, height, ResizeKernel.Cubic);

    // Reflection continues the tissue; images smaller than the padding repeat their edge.
    private Tensor Pad(Tensor image)
    {
        long height = image.size(-2), width = image.size(-1);
        long bottom = Missing(height), right = Missing(width);
        if (bottom == 0 && right == 0) return image;
        string mode = bottom < height && right < width ? "reflect" : "replicate";
        return F.pad(image, [0, right, 0, bottom], mode);
    }

    private long Missing(long size)
    {
        long multiple = config.SizeMultiple;
        return Math.Max(config.SmallestSize, (size + multiple - 1) / multiple * multiple) - size;
    }
}
