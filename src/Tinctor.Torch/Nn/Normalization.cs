namespace Tinctor.Torch.Nn;

/// <summary>Base of batch and instance normalisation: scale, shift and running statistics, each one number per channel.</summary>
public abstract class RunningNorm : Module<Tensor, Tensor>, IModulatedNorm
{
    /// <summary>Creates the requested parameters and buffers.</summary>
    protected RunningNorm(long num_features, double eps, double? momentum, bool affine, bool track_running_stats)
    {
        (this.num_features, this.eps, this.momentum) = (num_features, eps, momentum);
        weight = register_parameter("weight", affine ? torch.ones([num_features]) : null);
        bias = register_parameter("bias", affine ? torch.zeros([num_features]) : null);
        running_mean = register_buffer("running_mean", track_running_stats ? torch.zeros([num_features]) : null);
        running_var = register_buffer("running_var", track_running_stats ? torch.ones([num_features]) : null);
        num_batches_tracked = register_buffer("num_batches_tracked", track_running_stats ? torch.zeros([], ScalarType.Int64) : null);
    }

    /// <summary>The number of channels.</summary>
    public long num_features { get; }

    /// <summary>Added to the variance.</summary>
    public double eps { get; }

    /// <summary>Weight of the last batch in the running statistics; null for an average.</summary>
    public double? momentum { get; set; }

    /// <summary>The scale of each channel, or null.</summary>
    public Tensor? weight { get; }

    /// <summary>The shift of each channel, or null.</summary>
    public Tensor? bias { get; }

    /// <summary>The running mean of each channel, or null.</summary>
    public Tensor? running_mean { get; }

    /// <summary>The running variance of each channel, or null.</summary>
    public Tensor? running_var { get; }

    /// <summary>Number of batches in the running statistics, an int64, or null.</summary>
    public Tensor? num_batches_tracked { get; }

    Func<Tensor, Tensor>? IModulatedNorm.Modulation { get; set; }

    /// <summary>Modulates the result of the layer, which is freed then.</summary>
    private protected Tensor Modulated(Tensor result)
    {
        if (((IModulatedNorm)this).Modulation is not { } modulation) return result;
        using (result) return modulation(result);
    }

    /// <summary>Checks that statistics have more than one element.</summary>
    private protected static void CheckEnough(Tensor input, long elements)
    {
        if (elements == 1) throw new ArgumentException($"more than one value per channel is needed, the input is {input.ShapeText}");
    }

    /// <summary>Checks that the input is [N,C,H,W].</summary>
    private protected void CheckImages(Tensor input)
    {
        if (input.ndim != 4 || input.size(1) != num_features)
            throw new ArgumentException($"{GetType().Name} takes [N, {num_features}, H, W], got {input.ShapeText}");
    }

    /// <summary>Normalises each image by given moments, then scales and shifts.</summary>
    private protected Tensor Normalise(Tensor input, Func<Moments, Moments> moments)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Moments by = moments(Moments.Of(input));
        Tensor result = (input - by.Mean) * (by.Variance + eps).rsqrt();
        if (weight is not null) result *= weight.view(1, -1, 1, 1);
        if (bias is not null) result += bias.view(1, -1, 1, 1);
        return result.MoveToOuterDisposeScope();
    }
}

/// <summary>Normalises each channel over the batch; outside training by the running statistics.</summary>
public sealed class BatchNorm2d : RunningNorm, INormalizesByImage
{
    /// <summary>Creates a layer.</summary>
    /// <param name="num_features">The number of channels.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="momentum">Weight of the last batch in the running statistics; null for an average.</param>
    /// <param name="affine">Whether a scale and a shift are trained.</param>
    /// <param name="track_running_stats">Whether to keep running statistics; otherwise the batch is used outside training too.</param>
    public BatchNorm2d(long num_features, double eps = 1e-5, double? momentum = 0.1, bool affine = true, bool track_running_stats = true)
        : base(num_features, eps, momentum, affine, track_running_stats) { }

    /// <summary>Whether to normalise by the batch outside training, without a change of the running statistics.</summary>
    public bool by_batch { get; set; }

    /// <inheritdoc/>
    public bool by_image => !training && (by_batch || running_mean is null);

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        CheckImages(input);
        if (by_image && MomentsContext.Current is { } moments) return Modulated(Normalise(input, moments));
        bool running = running_mean is not null && (training || !by_batch);
        if ((training || !running) && BatchAcrossRanks.Ranks is { } ranks) return Modulated(AcrossRanks(input, running, ranks));
        if (training || !running) CheckEnough(input, input.numel() / num_features);
        return Modulated(F.batch_norm(input, running ? running_mean : null, running ? running_var : null, weight, bias,
            training || !running, NextMomentum(), eps));
    }

    // Synchronised batch norm: as SyncBatchNorm, with the statistics of the batch over all ranks.
    private Tensor AcrossRanks(Tensor input, bool running, ProcessGroup ranks)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard exact = torch.autocast(input.device.type, enabled: false);
        Tensor values = input.element_size() < 4 ? input.to(ScalarType.Float32) : input;
        (Tensor mean, Tensor variance, double count) = Statistics(values, ranks);
        CheckEnough(input, (long)count);
        if (running)
        {
            using Guard quiet = torch.no_grad();
            double share = NextMomentum();
            running_mean!.mul_(1 - share).add_(mean.detach() * share);
            running_var!.mul_(1 - share).add_(variance.detach() * (share * count / (count - 1)));
        }
        Tensor scale = (variance + eps).rsqrt();
        if (weight is not null) scale *= weight;
        Tensor shift = -mean * scale;
        if (bias is not null) shift += bias;
        return (values * scale.view(1, -1, 1, 1) + shift.view(1, -1, 1, 1)).to(input.dtype).MoveToOuterDisposeScope();
    }

    // Mean and variance [C] from those of each rank (Chan et al. 1979), in one collective operation.
    private (Tensor Mean, Tensor Variance, double Count) Statistics(Tensor values, ProcessGroup ranks)
    {
        double own = values.numel() / (double)num_features;
        Tensor mean = values.mean([0, 2, 3]), variance = values.var([0, 2, 3], unbiased: false);
        Tensor all = ranks.GatherRows(torch.cat([mean, variance, torch.full([1], own, values.dtype, device: values.device)]).unsqueeze(0));
        Tensor means = all.narrow(1, 0, num_features), variances = all.narrow(1, num_features, num_features);
        Tensor counts = all.narrow(1, 2 * num_features, 1).detach();
        double count = counts.sum().item();
        Tensor shares = counts / count;
        Tensor together = (means * shares).sum([0]);
        return (together, ((variances + (means - together).square()) * shares).sum([0]), count);
    }

    private double NextMomentum()
    {
        if (!training || num_batches_tracked is null) return momentum ?? 0;
        num_batches_tracked.add_(1);
        return momentum ?? 1 / num_batches_tracked.item();
    }
}

/// <summary>Normalises each channel of each image.</summary>
public sealed class InstanceNorm2d : RunningNorm, INormalizesByImage
{
    /// <summary>Creates a layer.</summary>
    /// <param name="num_features">The number of channels.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="momentum">Weight of the last batch in the running statistics.</param>
    /// <param name="affine">Whether a scale and a shift are trained.</param>
    /// <param name="track_running_stats">Whether to keep running statistics for use outside training.</param>
    public InstanceNorm2d(long num_features, double eps = 1e-5, double momentum = 0.1, bool affine = false,
        bool track_running_stats = false)
        : base(num_features, eps, momentum, affine, track_running_stats) { }

    /// <inheritdoc/>
    public bool by_image => training || running_mean is null;

    /// <inheritdoc/>
    public override Tensor forward(Tensor input)
    {
        CheckImages(input);
        if (by_image && MomentsContext.Current is { } moments) return Modulated(Normalise(input, moments));
        if (by_image) CheckEnough(input, input.size(2) * input.size(3));
        return Modulated(F.instance_norm(input, running_mean, running_var, weight, bias, by_image, momentum ?? 0, eps));
    }
}

/// <summary>Normalises groups of channels of each image.</summary>
public sealed class GroupNorm : Module<Tensor, Tensor>
{
    private readonly long num_groups;
    private readonly double eps;

    /// <summary>Creates a layer.</summary>
    /// <param name="num_groups">The number of groups; it divides the number of channels.</param>
    /// <param name="num_channels">The number of channels.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="affine">Whether each channel has a trainable scale and shift.</param>
    public GroupNorm(long num_groups, long num_channels, double eps = 1e-5, bool affine = true)
    {
        if (num_channels % num_groups != 0) throw new ArgumentException($"{num_channels} channels do not split into {num_groups} groups");
        (this.num_groups, this.eps) = (num_groups, eps);
        weight = register_parameter("weight", affine ? torch.ones([num_channels]) : null);
        bias = register_parameter("bias", affine ? torch.zeros([num_channels]) : null);
    }

    /// <summary>The scale of each channel, or null.</summary>
    public Tensor? weight { get; }

    /// <summary>The shift of each channel, or null.</summary>
    public Tensor? bias { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.group_norm(input, num_groups, weight, bias, eps);
}

/// <summary>Normalises over the last dimensions.</summary>
public sealed class LayerNorm : Module<Tensor, Tensor>
{
    private readonly long[] normalized_shape;
    private readonly double eps;

    /// <summary>Creates a layer for dimensions of a shape.</summary>
    /// <param name="normalized_shape">The sizes of the last dimensions.</param>
    /// <param name="eps">Added to the variance.</param>
    /// <param name="elementwise_affine">Whether each element has a trainable scale and shift.</param>
    /// <param name="bias">Whether there is a shift.</param>
    public LayerNorm(long[] normalized_shape, double eps = 1e-5, bool elementwise_affine = true, bool bias = true)
    {
        (this.normalized_shape, this.eps) = (normalized_shape, eps);
        weight = register_parameter("weight", elementwise_affine ? torch.ones(normalized_shape) : null);
        this.bias = register_parameter("bias", elementwise_affine && bias ? torch.zeros(normalized_shape) : null);
    }

    /// <summary>Creates a layer for the last dimension.</summary>
    /// <inheritdoc cref="LayerNorm(long[], double, bool, bool)"/>
    public LayerNorm(long normalized_shape, double eps = 1e-5, bool elementwise_affine = true, bool bias = true)
        : this([normalized_shape], eps, elementwise_affine, bias) { }

    /// <summary>The scale of each element, or null.</summary>
    public Tensor? weight { get; }

    /// <summary>The shift of each element, or null.</summary>
    public Tensor? bias { get; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor input) => F.layer_norm(input, normalized_shape, weight, bias, eps);
}
