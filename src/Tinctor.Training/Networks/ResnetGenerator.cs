using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// ResNet generator of CycleGAN, pix2pix and CUT (Johnson et al. 2016): downsampling convolutions, residual blocks at a quarter of the
/// size, upsampling ones. [N,Cin,H,W] to [N,Cout,H,W] in [-1,1]; H and W are multiples of 4.
/// State-dict keys are those of networks.ResnetGenerator in the official repositories.
/// </summary>
public sealed class ResnetGenerator : Module<Tensor, Tensor>
{
    private readonly Sequential model;

    /// <param name="input_nc">Channels in.</param>
    /// <param name="output_nc">Channels out.</param>
    /// <param name="ngf">Channels of the first and last convolution.</param>
    /// <param name="norm">The normalisation after each convolution.</param>
    /// <param name="use_dropout">Dropout of one half inside the blocks.</param>
    /// <param name="n_blocks">Number of residual blocks; 6 for 128 px, 9 for 256 px and more.</param>
    /// <param name="padding_type">Padding of the convolutions at full and lowest size: reflect, replicate or zero.</param>
    public ResnetGenerator(int input_nc = 3, int output_nc = 3, int ngf = 64, Norm norm = Norm.Batch, bool use_dropout = false,
        int n_blocks = 9, string padding_type = "reflect")
        : this(input_nc, output_nc, norm, new ResnetOptions(ngf, n_blocks) { Dropout = use_dropout, Padding = padding_type }) { }

    /// <summary>Creates a generator with the options of CUT and ASP.</summary>
    internal ResnetGenerator(int input_nc, int output_nc, Norm norm, ResnetOptions options)
    {
        int widest = options.Ngf << options.Downsamplings;
        model = register_module("model", new Sequential(
        [
            .. Down(input_nc, options.Ngf, norm, options),
            .. Enumerable.Range(0, options.Blocks)
                .Select(_ => new ResnetBlock(widest, options.Padding, norm, options.Dropout, options.Spectral)),
            .. Up(options.Ngf, output_nc, norm, options),
        ]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => model.forward(x);

    /// <summary>Computes the results of some layers in one pass, without the layers after the last one.</summary>
    /// <param name="x">Images [N,Cin,H,W].</param>
    /// <param name="layers">Indices of the layers in ascending order.</param>
    /// <returns>Results [N,C,h,w] in the order of the layers.</returns>
    internal Tensor[] Features(Tensor x, IReadOnlyList<int> layers)
    {
        var features = new List<Tensor>();
        for (int i = 0; i <= layers[^1]; i++)
        {
            x = model[i].forward(x);
            if (layers.Contains(i)) features.Add(x);
        }
        return [.. features];
    }

    /// <summary>Gets the number of channels of the results of some layers.</summary>
    internal int[] FeatureChannels(IReadOnlyList<int> layers, int input_nc, int side)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        this.eval();
        Tensor[] features = Features(torch.zeros([1, input_nc, side, side]), layers);
        this.train();
        return [.. features.Select(feature => (int)feature.size(1))];
    }

    /// <summary>From full size to the lowest size, a quarter by default, with twice the channels at each step.</summary>
    internal static Module<Tensor, Tensor>[] Down(int input_nc, int ngf, Norm norm, ResnetOptions? options = null)
    {
        ResnetOptions each = options ?? new(ngf, 0);
        return
        [
            new ReflectionPad2d(3),
            each.Normalised(new Conv2d(input_nc, ngf, 7, bias: norm.NeedsBias())), norm.Layer(ngf), new ReLU(inplace: true),
            .. Enumerable.Range(0, each.Downsamplings).SelectMany(step => Halving(ngf << step, norm, each)),
        ];
    }

    /// <summary>Back to full size and to an image.</summary>
    internal static Module<Tensor, Tensor>[] Up(int ngf, int output_nc, Norm norm, ResnetOptions? options = null)
    {
        ResnetOptions each = options ?? new(ngf, 0);
        return
        [
            .. Enumerable.Range(1, each.Downsamplings).SelectMany(step => Doubling(ngf << (each.Downsamplings - step), norm, each)),
            new ReflectionPad2d(3),
            each.Normalised(new Conv2d(ngf, output_nc, 7)), new Tanh(),
        ];
    }

    private static Module<Tensor, Tensor>[] Halving(int channels, Norm norm, ResnetOptions options)
    {
        var convolution = new Conv2d(channels, channels * 2, 3, stride: options.Antialias ? 1 : 2, padding: 1, bias: norm.NeedsBias());
        Module<Tensor, Tensor>[] layers = [options.Normalised(convolution), norm.Layer(channels * 2), new ReLU(inplace: true)];
        return options.Antialias ? [.. layers, new BlurDownsample(channels * 2)] : layers;
    }

    private static Module<Tensor, Tensor>[] Doubling(int channels, Norm norm, ResnetOptions options)
    {
        bool bias = norm.NeedsBias();
        if (options.AntialiasUp)
        {
            return [new BlurUpsample(channels * 2), options.Normalised(new Conv2d(channels * 2, channels, 3, padding: 1, bias: bias)),
                norm.Layer(channels), new ReLU(inplace: true)];
        }
        var convolution = new ConvTranspose2d(channels * 2, channels, 3, stride: 2, padding: 1, output_padding: 1, bias: bias);
        return [options.Normalised(convolution), norm.Layer(channels), new ReLU(inplace: true)];
    }
}

/// <summary>Options of <see cref="ResnetGenerator"/>.</summary>
/// <param name="Ngf">Channels of the first and last convolution.</param>
/// <param name="Blocks">Number of residual blocks.</param>
internal sealed record ResnetOptions(int Ngf, int Blocks)
{
    /// <summary>Whether the blocks have dropout of one half.</summary>
    public bool Dropout { get; init; }

    /// <summary>Padding of the convolutions in the blocks: reflect, replicate or zero.</summary>
    public string Padding { get; init; } = "reflect";

    /// <summary>Number of halvings before the blocks.</summary>
    public int Downsamplings { get; init; } = 2;

    /// <summary>Whether images are smoothed before each halving, instead of strided convolutions.</summary>
    public bool Antialias { get; init; }

    /// <summary>Whether images are doubled by a fixed filter, instead of transposed convolutions.</summary>
    public bool AntialiasUp { get; init; }

    /// <summary>Whether convolutions have spectral norm.</summary>
    public bool Spectral { get; init; }

    /// <summary>Number of layers of the generator.</summary>
    public int Layers => 4 + (Downsamplings * ((Antialias ? 4 : 3) + (AntialiasUp ? 4 : 3))) + Blocks + 3;

    /// <summary>Gets a convolution with spectral norm if the option is set.</summary>
    public Module<Tensor, Tensor> Normalised(WeightedLayer layer) => Spectral ? new SpectralNorm(layer) : layer;
}

/// <summary>x + conv(conv(x)), each convolution padded, normalised, the first one rectified.</summary>
internal sealed class ResnetBlock : Module<Tensor, Tensor>
{
    private readonly Sequential conv_block;

    /// <param name="dim">Channels in and out.</param>
    /// <param name="padding_type">reflect, replicate or zero.</param>
    /// <param name="norm">The normalisation after each convolution.</param>
    /// <param name="use_dropout">Dropout between the two convolutions.</param>
    /// <param name="spectral">Whether convolutions have spectral norm.</param>
    /// <param name="bias">Whether convolutions have a bias; null for the norms that need one.</param>
    public ResnetBlock(int dim, string padding_type, Norm norm, bool use_dropout, bool spectral = false, bool? bias = null)
    {
        bool biased = bias ?? norm.NeedsBias();
        List<Module<Tensor, Tensor>> layers = [.. Convolution(dim, padding_type, norm, spectral, biased), new ReLU(inplace: true)];
        if (use_dropout) layers.Add(new Dropout(0.5));
        layers.AddRange(Convolution(dim, padding_type, norm, spectral, biased));
        conv_block = register_module("conv_block", new Sequential([.. layers]));
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x) => x + conv_block.forward(x);

    private static Module<Tensor, Tensor>[] Convolution(int dim, string padding_type, Norm norm, bool spectral, bool bias)
    {
        Module<Tensor, Tensor> Conv(int padding)
        {
            var convolution = new Conv2d(dim, dim, 3, padding: padding, bias: bias);
            return spectral ? new SpectralNorm(convolution) : convolution;
        }

        return padding_type switch
        {
            "reflect" => [new ReflectionPad2d(1), Conv(0), norm.Layer(dim)],
            "replicate" => [new ReplicationPad2d(1), Conv(0), norm.Layer(dim)],
            "zero" => [Conv(1), norm.Layer(dim)],
            _ => throw new ArgumentException($"padding '{padding_type}' is none of reflect, replicate, zero"),
        };
    }
}
