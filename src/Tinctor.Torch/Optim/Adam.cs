using System.Text.Json.Nodes;

namespace Tinctor.Torch.Optim;

/// <summary>Adam (Kingma and Ba 2015); weight decay is added to the gradient.</summary>
public class Adam : Optimizer
{
    // Numbers of a large parameter on the CPU that are updated together, so that they stay in the cache.
    private const long PartLength = 1 << 20;

    private double beta1, beta2, eps;
    private bool amsgrad;

    /// <summary>Creates an optimiser.</summary>
    /// <param name="parameters">Parameters to optimise.</param>
    /// <param name="lr">The learning rate.</param>
    /// <param name="betas">Decays of the averages of gradient and squared gradient, (0.9, 0.999) by default.</param>
    /// <param name="eps">Added to the denominator.</param>
    /// <param name="weight_decay">Weight decay, added to the gradient.</param>
    /// <param name="amsgrad">Uses the maximum of the averages (Reddi et al. 2018).</param>
    public Adam(IEnumerable<Tensor> parameters, double lr = 1e-3, (double beta1, double beta2)? betas = null, double eps = 1e-8,
        double weight_decay = 0, bool amsgrad = false) : base(parameters, lr, weight_decay)
    {
        (beta1, beta2) = betas ?? (0.9, 0.999);
        if (beta1 is not (>= 0 and < 1) || beta2 is not (>= 0 and < 1))
            throw new ArgumentOutOfRangeException(nameof(betas), betas, "must lie in [0, 1)");
        (this.eps, this.amsgrad) = (NotNegative(eps, nameof(eps)), amsgrad);
    }

    private protected sealed override void Update(ParamGroup group, Entry[] entries)
    {
        Tensor[] parameters = Array.ConvertAll(entries, entry => entry.parameter);
        Tensor[] gradients = Array.ConvertAll(entries, entry => entry.gradient);
        Tensor[] mean = Remembered(entries, "exp_avg", Zeros), square = Remembered(entries, "exp_avg_sq", Zeros);
        Tensor[] largest = amsgrad ? Remembered(entries, "max_exp_avg_sq", Zeros) : [];
        long step = entries[0].state.step;
        if (entries is not [{ IsOnCpu: true }] || parameters[0].numel() <= PartLength)
        {
            Update(group, step, parameters, gradients, mean, square, largest);
            return;
        }
        Tensor[][] parts = Array.ConvertAll<Tensor, Tensor[]>([parameters[0], gradients[0], mean[0], square[0], .. largest], Split);
        for (int i = 0; i < parts[0].Length; i++)
        {
            using DisposeScope part = torch.NewDisposeScope();
            Update(group, step, [parts[0][i]], [parts[1][i]], [parts[2][i]], [parts[3][i]], amsgrad ? [parts[4][i]] : []);
        }
    }

    private static Tensor[] Split(Tensor tensor) => tensor.split(Math.Max(1, PartLength * tensor.size(0) / tensor.numel()));

    private void Update(ParamGroup group, long step, Tensor[] parameters, Tensor[] gradients, Tensor[] mean, Tensor[] square,
        Tensor[] largest)
    {
        gradients = Decay(group, parameters, gradients);
        Foreach.mul___Scalar.CallVoid(mean, beta1);
        Foreach.add___List.CallVoid(mean, gradients, 1 - beta1);
        Foreach.mul___Scalar.CallVoid(square, beta2);
        Foreach.addcmul___Scalar.CallVoid(square, gradients, gradients, 1 - beta2);
        if (amsgrad)
        {
            Foreach.maximum___List.CallVoid(largest, square);
            square = largest;
        }

        // The averages start at zero; these factors make up for it.
        double correction1 = 1 - Math.Pow(beta1, step), correction2 = 1 - Math.Pow(beta2, step);
        Tensor[] root = Foreach.sqrt.CallMany((Arg)square);
        Foreach.div___Scalar.CallVoid(root, Math.Sqrt(correction2));
        Foreach.add___Scalar.CallVoid(root, eps);
        Foreach.addcdiv___Scalar.CallVoid(parameters, mean, root, -(group.lr / correction1));
    }

    /// <summary>Applies the weight decay to the parameters or to the returned gradients.</summary>
    private protected virtual Tensor[] Decay(ParamGroup group, Tensor[] parameters, Tensor[] gradients) =>
        group.weight_decay == 0 ? gradients : Foreach.add__List.CallMany(gradients, parameters, group.weight_decay);

    private static Tensor Zeros(Entry entry) => torch.zeros_like(entry.parameter);

    private protected sealed override void WriteOptions(JsonObject options)
    {
        options["beta1"] = beta1;
        options["beta2"] = beta2;
        options["eps"] = eps;
        options["amsgrad"] = amsgrad;
    }

    private protected sealed override void ReadOptions(JsonObject options)
    {
        (beta1, beta2) = ((double)options["beta1"]!, (double)options["beta2"]!);
        (eps, amsgrad) = ((double)options["eps"]!, (bool)options["amsgrad"]!);
    }
}

/// <summary>Adam with decoupled weight decay (Loshchilov and Hutter 2019).</summary>
public sealed class AdamW : Adam
{
    /// <inheritdoc cref="Adam(IEnumerable{Tensor}, double, ValueTuple{double, double}?, double, double, bool)"/>
    public AdamW(IEnumerable<Tensor> parameters, double lr = 1e-3, (double beta1, double beta2)? betas = null, double eps = 1e-8,
        double weight_decay = 1e-2, bool amsgrad = false) : base(parameters, lr, betas, eps, weight_decay, amsgrad) { }

    private protected override Tensor[] Decay(ParamGroup group, Tensor[] parameters, Tensor[] gradients)
    {
        Foreach.mul___Scalar.CallVoid(parameters, 1 - (group.lr * group.weight_decay));
        return gradients;
    }
}
