namespace Tinctor.Torch.Nn;

/// <summary>First values of parameters, as torch.nn.init. Every function fills the tensor in place, unrecorded, and returns it.</summary>
public static class init
{
    /// <summary>The same value everywhere.</summary>
    public static Tensor constant_(Tensor tensor, double val) => Quietly(tensor, t => t.fill_(val));

    /// <summary>Zeros.</summary>
    public static Tensor zeros_(Tensor tensor) => constant_(tensor, 0);

    /// <summary>Ones.</summary>
    public static Tensor ones_(Tensor tensor) => constant_(tensor, 1);

    /// <summary>Normal random numbers.</summary>
    public static Tensor normal_(Tensor tensor, double mean = 0, double std = 1, Generator? generator = null) =>
        Quietly(tensor, t => t.normal_(mean, std, generator));

    /// <summary>Uniform random numbers in [a, b).</summary>
    public static Tensor uniform_(Tensor tensor, double a = 0, double b = 1, Generator? generator = null) =>
        Quietly(tensor, t => t.uniform_(a, b, generator));

    /// <summary>Normal numbers with the variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio 2010).</summary>
    public static Tensor xavier_normal_(Tensor tensor, double gain = 1, Generator? generator = null) =>
        normal_(tensor, 0, XavierStd(tensor, gain), generator);

    /// <summary>Uniform numbers with the variance 2 gain² / (fan_in + fan_out) (Glorot and Bengio 2010).</summary>
    public static Tensor xavier_uniform_(Tensor tensor, double gain = 1, Generator? generator = null)
    {
        double bound = Math.Sqrt(3.0) * XavierStd(tensor, gain);
        return uniform_(tensor, -bound, bound, generator);
    }

    /// <summary>Normal numbers with the variance gain² / fan (He et al. 2015).</summary>
    /// <param name="tensor">The weight.</param>
    /// <param name="a">The slope below zero of the leaky_relu that follows.</param>
    /// <param name="mode">"fan_in" keeps the variance of the forward pass, "fan_out" that of the backward pass.</param>
    /// <param name="nonlinearity">A name that <see cref="calculate_gain"/> knows.</param>
    /// <param name="generator">Random generator; null for the default one.</param>
    public static Tensor kaiming_normal_(Tensor tensor, double a = 0, string mode = "fan_in", string nonlinearity = "leaky_relu",
        Generator? generator = null) => normal_(tensor, 0, KaimingStd(tensor, a, mode, nonlinearity), generator);

    /// <summary>Uniform numbers with the variance gain² / fan (He et al. 2015).</summary>
    /// <inheritdoc cref="kaiming_normal_"/>
    public static Tensor kaiming_uniform_(Tensor tensor, double a = 0, string mode = "fan_in", string nonlinearity = "leaky_relu",
        Generator? generator = null)
    {
        double bound = Math.Sqrt(3.0) * KaimingStd(tensor, a, mode, nonlinearity);
        return uniform_(tensor, -bound, bound, generator);
    }

    /// <summary>A (semi-)orthogonal matrix times the gain; dimensions after the first count as one (Saxe et al. 2013).</summary>
    /// <exception cref="ArgumentException">The tensor has fewer than two dimensions.</exception>
    public static Tensor orthogonal_(Tensor tensor, double gain = 1, Generator? generator = null)
    {
        if (tensor.ndim < 2) throw new ArgumentException("two or more dimensions are needed", nameof(tensor));
        if (tensor.numel() == 0) return tensor;
        long rows = tensor.size(0), columns = tensor.numel() / rows;
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard quiet = torch.no_grad();
        Tensor random = torch.empty([rows, columns], tensor.dtype, tensor.device).normal_(0, 1, generator);
        (Tensor q, Tensor r) = torch.linalg.qr(rows < columns ? random.t() : random);
        // The signs make q uniformly distributed (Mezzadri 2006).
        q = q * r.diag().sign();
        tensor.copy_((rows < columns ? q.t() : q).reshape(tensor.shape)).mul_(gain);
        return tensor;
    }

    /// <summary>Gets the gain that compensates the change of variance by a non-linearity.</summary>
    /// <param name="nonlinearity">"linear", "conv2d" and the like, "sigmoid", "tanh", "relu", "leaky_relu" or "selu".</param>
    /// <param name="param">The negative slope of leaky_relu, 0.01 unless given.</param>
    /// <exception cref="ArgumentException">The name is unknown.</exception>
    public static double calculate_gain(string nonlinearity, double? param = null) => nonlinearity switch
    {
        "linear" or "sigmoid" => 1,
        "conv1d" or "conv2d" or "conv3d" or "conv_transpose1d" or "conv_transpose2d" or "conv_transpose3d" => 1,
        "tanh" => 5.0 / 3,
        "relu" => Math.Sqrt(2.0),
        "leaky_relu" => Math.Sqrt(2.0 / (1 + Math.Pow(param ?? 0.01, 2))),
        "selu" => 3.0 / 4,
        _ => throw new ArgumentException($"no gain is known for '{nonlinearity}'", nameof(nonlinearity)),
    };

    /// <summary>PyTorch's default of convolutions and linear layers: both uniform in ±1 / sqrt(fan_in).</summary>
    internal static void Default(Tensor weight, Tensor? bias)
    {
        kaiming_uniform_(weight, Math.Sqrt(5));
        if (bias is null) return;
        double bound = 1 / Math.Sqrt(Fans(weight).fan_in);
        uniform_(bias, -bound, bound);
    }

    private static Tensor Quietly(Tensor tensor, Func<Tensor, Tensor> fill)
    {
        using Guard quiet = torch.no_grad();
        return fill(tensor);
    }

    private static double XavierStd(Tensor tensor, double gain)
    {
        (long fan_in, long fan_out) = Fans(tensor);
        return gain * Math.Sqrt(2.0 / (fan_in + fan_out));
    }

    private static double KaimingStd(Tensor tensor, double a, string mode, string nonlinearity)
    {
        (long fan_in, long fan_out) = Fans(tensor);
        long fan = mode switch
        {
            "fan_in" => fan_in,
            "fan_out" => fan_out,
            _ => throw new ArgumentException($"the mode is fan_in or fan_out, not '{mode}'", nameof(mode)),
        };
        return calculate_gain(nonlinearity, a) / Math.Sqrt(fan);
    }

    private static (long fan_in, long fan_out) Fans(Tensor tensor)
    {
        long[] shape = tensor.shape;
        if (shape.Length < 2) throw new ArgumentException("two or more dimensions are needed", nameof(tensor));
        long field = shape.Skip(2).Aggregate(1L, (product, size) => product * size);
        return (shape[1] * field, shape[0] * field);
    }
}
