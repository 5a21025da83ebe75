using Tinctor.Slides;
using Tinctor.Slides.Colour;
using Tinctor.Staining.Bridges;
using Tinctor.Staining.Execution;
using Tinctor.Staining.Models;
using Tinctor.Staining.WholeSlides;

namespace Tinctor.Staining;

/// <summary>
/// Stains images with a trained model: normalises sources, pads them to a size that the network takes, runs it and crops. Thread-safe as
/// far as its executor is.
/// </summary>
public sealed class Stainer : IDisposable
{
    private readonly INetworkExecutor executor;
    private readonly BridgeSchedule? schedule;

    /// <summary>Creates a stainer, which disposes of the executor.</summary>
    /// <param name="executor">Runs the network.</param>
    /// <param name="model">Description of the model.</param>
    /// <param name="modelId">SHA-256 of the weights; identifies the model in tiles of interrupted slides.</param>
    /// <param name="novelty">Detector of unfamiliar sources; null if the model has none.</param>
    internal Stainer(INetworkExecutor executor, ModelDescription model, string modelId = "", SourceNovelty? novelty = null)
    {
        (this.executor, Model, ModelId, Novelty) = (executor, model, modelId, novelty);
        schedule = model.Bridge?.CreateSchedule();
        Normalizer = model.SourceStains is null ? null : new StainNormalizer(model.SourceStains);
    }

    /// <summary>Description of the model.</summary>
    public ModelDescription Model { get; }

    /// <summary>Stain of the results; null for a model of one stain, and for one of several until one is chosen.</summary>
    public string? TargetStain { get; private init; }

    /// <summary>SHA-256 of the model's weights.</summary>
    public string ModelId { get; }

    /// <summary>Device and precision of the computation.</summary>
    public string Precision => executor.Precision;

    /// <summary>Normalises sources as those of training were; null if they are left as they are.</summary>
    public StainNormalizer? Normalizer { get; }

    /// <summary>Detector of sources unlike those of training; null if the model has none.</summary>
    internal SourceNovelty? Novelty { get; }

    /// <summary>Radius of the network's receptive field in source pixels; null to measure it on each slide.</summary>
    internal int? ReceptiveField => executor.ReceptiveField;

    /// <summary>Whether tiles of a slide need common moments.</summary>
    internal bool NormalizesByImage => executor.NormalizesByImage;

    /// <summary>Gets the stainer of one stain of a model of several. It shares the network, and is not disposed itself.</summary>
    /// <param name="stain">A stain of <see cref="ModelDescription.Stains"/>.</param>
    /// <exception cref="OptionException">The model has no such stain.</exception>
    public Stainer ForStain(string stain)
    {
        int index = Model.Stains.ToList().IndexOf(stain);
        if (index < 0)
        {
            string known = Model.Stains.Count == 0 ? "are not stated" : $"are {string.Join(", ", Model.Stains)}";
            throw new OptionException("To", $"the stain is {stain}, but the stains of the model {known}",
                Model.Stains.Count == 0 ? "Leave it out" : "Choose one of these");
        }
        return new(Model.Stains.Count == 1 ? executor : executor.ForStain(index), Model, ModelId, Novelty) { TargetStain = stain };
    }

    /// <summary>Stains an image of any size. A model that was trained on normalised sources normalises the image first.</summary>
    /// <param name="source">Image with the channels of the model.</param>
    /// <param name="sampling">Sampling of a stochastic model; null as the model samples by default.</param>
    /// <param name="averageOrientations">
    /// Whether the image is stained in the eight orientations of rotation and mirroring, and the mean is taken (test-time augmentation).
    /// </param>
    /// <exception cref="TinctorException">
    /// The image has other channels, the network's output is not finite, or a stochastic model is to average orientations.
    /// </exception>
    public StainedImage Stain(Image source, SamplingRequest? sampling = null, bool averageOrientations = false)
    {
        if (averageOrientations && Model.IsStochastic) throw NoOrientations();
        if (source.Channels != Model.InputChannels)
            throw WrongChannels(null, Count(source.Channels), source.Channels);
        string? skipped = null;
        source = Normalizer?.Normalize(source, out skipped) ?? source;
        (int width, int height) = (Scaled(source.Width), Scaled(source.Height));
        ImageBatch batch = ToBatch([Resized(source, width, height)]);
        NetworkOutput output = averageOrientations ? MeanOverOrientations(batch) : Run(batch, sampling ?? DefaultSampling);
        return new(Resized(output.Image.ToImage(0), source.Width * Model.Upscaling, source.Height * Model.Upscaling),
            output.IhcLogits is null ? null : IhcLevelPrediction.FromLogits(Model.IhcLevels, output.IhcLogits[0]), skipped);
    }

    /// <summary>Error about an image or slide with other channels than the model.</summary>
    internal TinctorException WrongChannels(string? path, string found, int channels)
    {
        string problem = $"{found}, but the model expects {Model.InputChannels}";
        return channels == 1 && Model.InputChannels == 3
            ? new(path, problem, "Convert it to RGB") { Option = nameof(Image.Channels) } : new(path, problem);
    }

    /// <summary>Stains an image several times with a stochastic model; each result has noise of its own.</summary>
    /// <param name="source">Image with the channels of the model.</param>
    /// <param name="sampling">Sampling of the first result; numbers of the others follow.</param>
    /// <param name="samples">Number of results.</param>
    public StainedImages StainRepeatedly(Image source, SamplingRequest sampling, int samples)
    {
        StainedImage? last = null;
        (float[] mean, float[] deviation) = RepeatedSampling.Run(samples, run =>
        {
            last = Stain(source, sampling with { Run = sampling.Run + run });
            return ImageBatch.FromImages([last.Image], ValueRange.ZeroToOne).Values;
        });
        Image image = last!.Image;
        var batch = new ImageBatch(1, image.Channels, image.Height, image.Width, mean);
        ImageBatch variation = PixelVariation.Compute(1, image.Channels, image.Height, image.Width, mean, deviation);
        return new(batch.ToImage(0, ValueRange.ZeroToOne),
            samples > 1 ? variation.ToImage(0, ValueRange.ZeroToOne, SampleType.UInt16) : null, last.NormalizationSkippedReason);
    }

    /// <summary>
    /// Stains a batch [N,C,H,W] of any size as the network takes it, in [-1,1] or z-scored, without normalising its stains. A bridge takes
    /// at most ten evaluations; the i-th image has the noise of an image named i.
    /// </summary>
    internal ImageBatch Stain(ImageBatch source) => Run(source, QuickSampling(source.Count)).Image;

    /// <summary>Runs the network on images of one slide: normalised, at the resolution of the network, of any size.</summary>
    /// <param name="source">Images of <see cref="ToBatch"/>.</param>
    /// <param name="sampling">Sampling of a stochastic model.</param>
    /// <param name="ihcLogits">Logits of the slide's IHC level; null if each image shows its own.</param>
    /// <param name="normalization">Statistics of layers that normalise by image; null as the network does by itself.</param>
    internal NetworkOutput Run(ImageBatch source, SamplingRequest? sampling, float[]? ihcLogits = null,
        NormalizationContext? normalization = null)
    {
        (int height, int width) = (source.Height * Model.Upscaling, source.Width * Model.Upscaling);
        if (Model.TileSize is { } side && Math.Max(source.Height, source.Width) > side)
            throw new TinctorException($"the image has {source.Width} x {source.Height} pixels, but the network takes {side} x {side}: "
                + "stain it tile by tile");
        NetworkOutput output = Measure(source, ihcLogits, normalization);
        ImageBatch stained = schedule is null || sampling is null ? output.Image : Sample(output.Image, sampling, height, width);
        if (stained.Count != source.Count || stained.Height < height || stained.Width < width)
        {
            throw new TinctorException($"the network makes {stained.Count} x {stained.Width} x {stained.Height} pixels of "
                + $"{source.Count} x {source.Width} x {source.Height}, but {source.Count} x {width} x {height} are needed. "
                + "Check upscaling in model.json, or export the model again");
        }
        if (!stained.IsFinite)
            throw new TinctorException(null, "the network's output contains values that are not finite numbers",
                "The weights are damaged, or overflow in reduced precision: try full precision, or another checkpoint");
        return output with { Image = stained.Crop(height, width) };
    }

    /// <summary>Gets an image as the network sees it: normalised, z-scored if the model needs it, and padded.</summary>
    internal ImageBatch Prepare(Image source)
    {
        ImageBatch batch = ToBatch([Normalizer?.Normalize(source, out _) ?? source]);
        return batch.Pad(Missing(batch.Height), Missing(batch.Width));
    }

    /// <summary>Converts images to the samples that the network takes: in [-1,1], or z-scored if the model was trained so.</summary>
    /// <param name="images">Images of one size whose stains are normalised.</param>
    /// <param name="statistics">Statistics of the slide that the images are tiles of; null if each is a whole image.</param>
    internal ImageBatch ToBatch(IReadOnlyList<Image> images, SourceStatistics? statistics = null)
    {
        ImageBatch batch = ImageBatch.FromImages(images);
        if (!Model.StandardizesSource) return batch;
        foreach ((int i, Image image) in images.Index())
            (statistics ?? SourceStatistics.FromImage(image)).Standardize(batch.Samples(i));
        return batch;
    }

    /// <summary>Runs the network once, without sampling, for the IHC level and the moments of images.</summary>
    internal NetworkOutput Measure(ImageBatch source, float[]? ihcLogits, NormalizationContext? normalization)
    {
        if (Model.Stains.Count > 1 && TargetStain is null)
            throw new OptionException("To", $"the model has the stains {string.Join(", ", Model.Stains)}, and none is chosen",
                "Choose one");
        return executor.Run(new(source.Pad(Missing(source.Height), Missing(source.Width)))
        {
            IhcLogits = ihcLogits,
            Normalization = normalization
        });
    }

    /// <summary>Default sampling of a stochastic model for one image; null for deterministic models.</summary>
    internal SamplingRequest? DefaultSampling => Model.Bridge is null ? null : new(Model.Bridge.Sampling, [new("")]);

    /// <inheritdoc/>
    public void Dispose() => executor.Dispose();

    /// <summary>Error about orientations of a diffusion bridge.</summary>
    internal static OptionException NoOrientations() => new(nameof(SlideStainOptions.AverageOrientations),
        "orientations are averaged for deterministic models only, but this model is a diffusion bridge", "Average samples instead");

    private NetworkOutput MeanOverOrientations(ImageBatch source)
    {
        ImageBatch? like = null;
        var logits = new List<float[]>();
        (float[] mean, _) = RepeatedSampling.Run(Orientations.Count, orientation =>
        {
            NetworkOutput output = Run(Orientations.Apply(source, orientation), sampling: null);
            if (output.IhcLogits is { } own) logits.Add(own[0]);
            ImageBatch restored = Orientations.Restore(output.Image, orientation);
            like ??= restored;
            return restored.Values;
        });
        return new(new ImageBatch(like!.Count, like.Channels, like.Height, like.Width, mean),
            logits.Count == 0 ? null : [[.. Enumerable.Range(0, logits[0].Length).Select(i => logits.Average(one => one[i]))]]);
    }

    private ImageBatch Sample(ImageBatch end, SamplingRequest request, int height, int width)
    {
        BridgeSampling how = request.Sampling;
        int[] plan = how.CreatePlan(schedule!);
        var sampler = new BridgeSampler<float>(schedule!, Model.Bridge!.Objective, how);
        Observe(end.Values);
        (float[] mean, _) = RepeatedSampling.Run(how.Average, k => Once((request.Run * how.Average) + k));
        for (int i = 0; i < mean.Length; i++) mean[i] = Math.Clamp(mean[i], -1, 1);
        return Batch(mean);

        float[] Once(int run)
        {
            PositionalNoise[] noises = [.. request.Origins.Select(origin =>
                new PositionalNoise(origin.Seed, origin.Slide, origin.Level, run))];
            return sampler.Sample(end.Values, plan, (x, time) => executor.Predict(Batch(x), time, end).Values,
                step => [.. noises.Zip(request.Origins).SelectMany(image =>
                    image.First.Sample(step, image.Second.Left, image.Second.Top, end.Width, end.Height, end.Channels))],
                (_, state, _) => Observe(state));
        }

        ImageBatch Batch(float[] values) => new(end.Count, end.Channels, end.Height, end.Width, values);

        void Observe(float[] state) => request.Observe?.Invoke(Batch(state).Crop(height, width).ToImage(0));
    }

    private SamplingRequest? QuickSampling(int count)
    {
        if (Model.Bridge is not { } bridge) return null;
        BridgeSampling own = bridge.Sampling;
        BridgeSampling quick = own.Evaluations is > 0 and <= 10 ? own with { Average = 1 } : BridgeSampling.Quick with
        {
            Evaluations = Math.Min(BridgeSampling.Quick.Evaluations, schedule!.Last),
            Eta = own.Eta,
            Clip = own.Clip,
        };
        return new(quick, [.. Enumerable.Range(0, count).Select(i => new NoiseOrigin($"{i}"))]);
    }

    private int Scaled(int size) => Math.Max(1, (int)Math.Round(size * Model.Scale));

    private static Image Resized(Image image, int width, int height) =>
        (image.Width, image.Height) == (width, height) ? image : image.Resize(width, height, ResizeKernel.Cubic);

    private int Missing(int size) =>
        Math.Max(Model.SmallestSize, (size + Model.SizeMultiple - 1) / Model.SizeMultiple * Model.SizeMultiple) - size;

    private static string Count(int channels) => channels == 1 ? "1 channel" : $"{channels} channels";
}

/// <summary>Mean of several results for one image.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="Variation">
/// Coefficient of variation, 16-bit: 65535 is 1 or more (<see cref="PixelVariation"/>); null for a single result.
/// </param>
/// <param name="NormalizationSkippedReason">
/// Reason why stain normalisation was skipped; null if it was applied or the model uses none.
/// </param>
public sealed record StainedImages(Image Mean, Image? Variation, string? NormalizationSkippedReason);

/// <summary>A stained image.</summary>
/// <param name="Image">The image.</param>
/// <param name="IhcLevel">IHC level predicted from the source; null if the model predicts none.</param>
/// <param name="NormalizationSkippedReason">
/// Reason why stain normalisation was skipped; null if it was applied or the model uses none.
/// </param>
public sealed record StainedImage(Image Image, IhcLevelPrediction? IhcLevel, string? NormalizationSkippedReason);
