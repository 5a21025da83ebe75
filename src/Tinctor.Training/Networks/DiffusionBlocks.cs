using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>Sequence of layers; residual blocks receive the time embedding (TimestepEmbedSequential).</summary>
internal sealed class TimedSequential : Module<Tensor, Tensor, Tensor>
{
    private readonly Module[] layers;

    public TimedSequential(params Module[] layers)
    {
        this.layers = layers;
        for (int i = 0; i < layers.Length; i++) register_module($"{i}", layers[i]);
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor embedding)
    {
        Tensor current = x;
        foreach (Module layer in layers)
        {
            Tensor next = layer is TimedResidualBlock block ? block.forward(current, embedding)
                : ((Module<Tensor, Tensor>)layer).forward(current);
            if (current != x) current.Dispose();
            current = next;
        }
        return current;
    }
}

/// <summary>
/// Two convolutions with group norm and SiLU, and the time between them (ResBlock): [N,Cin,H,W] and [N,E] to [N,Cout,H,W], or of another
/// size, to which features and skip are brought before the first convolution.
/// </summary>
internal sealed class TimedResidualBlock : Module<Tensor, Tensor, Tensor>
{
    private readonly Sequential in_layers, emb_layers, out_layers;
    private readonly Module<Tensor, Tensor> skip_connection;
    private readonly bool use_scale_shift_norm;
    private readonly Func<Tensor, Tensor>? resize;

    public TimedResidualBlock(int inputs, int outputs, int embedding, bool use_scale_shift_norm, double dropout,
        Func<Tensor, Tensor>? resize)
    {
        (this.use_scale_shift_norm, this.resize) = (use_scale_shift_norm, resize);
        in_layers = register_module("in_layers", new Sequential(
            new GroupNorm32(inputs), new SiLU(), new Conv2d(inputs, outputs, 3, padding: 1)));
        emb_layers = register_module("emb_layers", new Sequential(
            new SiLU(), new Linear(embedding, use_scale_shift_norm ? outputs * 2 : outputs)));
        out_layers = register_module("out_layers", new Sequential(
            new GroupNorm32(outputs), new SiLU(), new Dropout(dropout), new Conv2d(outputs, outputs, 3, padding: 1).Zeroed()));
        skip_connection = register_module<Module<Tensor, Tensor>>("skip_connection",
            inputs == outputs ? new Identity() : new Conv2d(inputs, outputs, 1));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x, Tensor embedding)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor h = in_layers.forward(x, ..2);
        if (resize is not null) (h, x) = (resize(h), resize(x));
        h = Timed(in_layers[2].forward(h), emb_layers.forward(embedding).unsqueeze(-1).unsqueeze(-1));
        return (skip_connection.forward(x) + h).MoveToOuterDisposeScope();
    }

    private Tensor Timed(Tensor h, Tensor time)
    {
        if (!use_scale_shift_norm) return out_layers.forward(h + time);
        Tensor[] parts = time.chunk(2, 1);
        return out_layers.forward((out_layers[0].forward(h) * (1 + parts[0])) + parts[1], 1..);
    }
}

/// <summary>Each place attends to all places, in several heads, added to what came in (AttentionBlock): [N,C,H,W].</summary>
internal sealed class AttentionBlock : Module<Tensor, Tensor>
{
    private readonly GroupNorm32 norm;
    private readonly Conv1d qkv, proj_out;
    private readonly int heads;
    private readonly bool newOrder;

    public AttentionBlock(int channels, int heads, bool newOrder)
    {
        (this.heads, this.newOrder) = (heads, newOrder);
        norm = register_module("norm", new GroupNorm32(channels));
        qkv = register_module("qkv", new Conv1d(channels, channels * 3, 1));
        proj_out = register_module("proj_out", new Conv1d(channels, channels, 1).Zeroed());
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor places = x.flatten(2);
        Tensor[] parts = QueriesKeysValues(qkv.forward(norm.forward(places)));
        Tensor attended = F.scaled_dot_product_attention(parts[0], parts[1], parts[2]).transpose(-2, -1).reshape(places.shape);
        return (x + proj_out.forward(attended).view(x.shape)).MoveToOuterDisposeScope();
    }

    // [N,3C,L], of which the old order has the three beside each other within each head, to three of [N,heads,L,C/heads].
    private Tensor[] QueriesKeysValues(Tensor all)
    {
        long images = all.size(0), places = all.size(2);
        Tensor byHead = newOrder ? all.view(images, 3, heads, -1, places) : all.view(images, heads, 3, -1, places).transpose(1, 2);
        return byHead.transpose(-2, -1).unbind(1);
    }
}

/// <summary>A feature of half the size (Downsample): a strided convolution, or means of 2 x 2.</summary>
internal sealed class HalvingLayer : Module<Tensor, Tensor>
{
    private readonly Conv2d? op;

    public HalvingLayer(int channels, bool convolve)
    {
        if (convolve) op = register_module("op", new Conv2d(channels, channels, 3, stride: 2, padding: 1));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => op?.forward(x) ?? Resizing.Half(x);
}

/// <summary>A feature of twice the size (Upsample): each pixel four times, then, where asked for, a convolution.</summary>
internal sealed class DoublingLayer : Module<Tensor, Tensor>
{
    private readonly Conv2d? conv;

    public DoublingLayer(int channels, bool convolve)
    {
        if (convolve) conv = register_module("conv", new Conv2d(channels, channels, 3, padding: 1));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor large = Resizing.Double(x);
        return (conv?.forward(large) ?? large).MoveToOuterDisposeScope();
    }
}

internal static class Resizing
{
    /// <summary>Means of 2 x 2.</summary>
    public static Tensor Half(Tensor x) => F.avg_pool2d(x, 2);

    /// <summary>Each pixel four times.</summary>
    public static Tensor Double(Tensor x) => F.interpolate(x, scale_factor: 2);
}

/// <summary>Group norm of 32 groups, in float32 where autocast has made its input less precise.</summary>
internal sealed class GroupNorm32 : Module<Tensor, Tensor>, IModulatedNorm
{
    public const int Groups = 32;
    private readonly Tensor weight, bias;

    public GroupNorm32(int channels)
    {
        num_features = channels;
        weight = register_parameter("weight", torch.ones([channels]))!;
        bias = register_parameter("bias", torch.zeros([channels]))!;
    }

    /// <inheritdoc/>
    public long num_features { get; }

    /// <inheritdoc/>
    public Func<Tensor, Tensor>? Modulation { get; set; }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        Tensor result = Normalise(x);
        if (Modulation is null) return result;
        using (result) return Modulation(result);
    }

    private Tensor Normalise(Tensor x)
    {
        if (x.dtype is ScalarType.Float32 or ScalarType.Float64) return F.group_norm(x, Groups, weight, bias);
        using DisposeScope temporaries = torch.NewDisposeScope();
        return F.group_norm(x.to(ScalarType.Float32), Groups, weight, bias).to(x.dtype).MoveToOuterDisposeScope();
    }
}

internal static class Zeroing
{
    /// <summary>Initialises a layer with zeros, so its block starts as the identity.</summary>
    public static T Zeroed<T>(this T layer) where T : WeightedLayer
    {
        init.zeros_(layer.weight);
        init.zeros_(layer.bias!);
        return layer;
    }
}
