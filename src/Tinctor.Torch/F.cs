namespace Tinctor.Torch;

/// <summary>Functions on tensors, as torch.nn.functional.</summary>
public static partial class F
{
    /// <summary>Convolution: input [N,Cin,L], weight [Cout,Cin/groups,K].</summary>
    public static Tensor conv1d(Tensor input, Tensor weight, Tensor? bias = null, long stride = 1, long padding = 0, long dilation = 1,
        long groups = 1) =>
        Ops.conv1d.Call(input, weight, bias, new[] { stride }, new[] { padding }, new[] { dilation }, groups);

    /// <summary>Convolution: input [N,Cin,H,W], weight [Cout,Cin/groups,Kh,Kw].</summary>
    public static Tensor conv2d(Tensor input, Tensor weight, Tensor? bias = null, Size2? stride = null, Size2? padding = null,
        Size2? dilation = null, long groups = 1) =>
        Ops.conv2d.Call(input, weight, bias, Pair(stride, 1), Pair(padding, 0), Pair(dilation, 1), groups);

    /// <summary>Transposed convolution: input [N,Cin,H,W], weight [Cin,Cout/groups,Kh,Kw].</summary>
    public static Tensor conv_transpose2d(Tensor input, Tensor weight, Tensor? bias = null, Size2? stride = null, Size2? padding = null,
        Size2? output_padding = null, long groups = 1, Size2? dilation = null) =>
        Ops.conv_transpose2d__input.Call(input, weight, bias, Pair(stride, 1), Pair(padding, 0), Pair(output_padding, 0), groups,
            Pair(dilation, 1));

    /// <summary>input @ weight.t() + bias.</summary>
    public static Tensor linear(Tensor input, Tensor weight, Tensor? bias = null) => Ops.linear.Call(input, weight, bias);

    /// <summary>The largest element of each window; the default stride is the kernel size.</summary>
    public static Tensor max_pool2d(Tensor input, Size2 kernel_size, Size2? stride = null, Size2? padding = null, Size2? dilation = null,
        bool ceil_mode = false) =>
        Ops.max_pool2d.Call(input, Pair(kernel_size, 1), Pair(stride ?? kernel_size, 1), Pair(padding, 0), Pair(dilation, 1), ceil_mode);

    /// <summary>The mean of each window.</summary>
    public static Tensor avg_pool2d(Tensor input, Size2 kernel_size, Size2? stride = null, Size2? padding = null, bool ceil_mode = false,
        bool count_include_pad = true) =>
        Ops.avg_pool2d.Call(input, Pair(kernel_size, 1), Pair(stride ?? kernel_size, 1), Pair(padding, 0), ceil_mode, count_include_pad);

    /// <summary>Means of windows that give the output size.</summary>
    public static Tensor adaptive_avg_pool2d(Tensor input, Size2 output_size) => Ops.adaptive_avg_pool2d.Call(input, Pair(output_size, 1));

    /// <summary>[N,C*r*r,H,W] to [N,C,H*r,W*r].</summary>
    public static Tensor pixel_shuffle(Tensor input, long upscale_factor) => Ops.pixel_shuffle.Call(input, upscale_factor);

    /// <summary>[N,C,H*r,W*r] to [N,C*r*r,H,W].</summary>
    public static Tensor pixel_unshuffle(Tensor input, long downscale_factor) => Ops.pixel_unshuffle.Call(input, downscale_factor);

    /// <summary>Sliding windows as columns: [N,C*Kh*Kw,L].</summary>
    public static Tensor unfold(Tensor input, Size2 kernel_size, Size2? dilation = null, Size2? padding = null, Size2? stride = null) =>
        Ops.im2col.Call(input, Pair(kernel_size, 1), Pair(dilation, 1), Pair(padding, 0), Pair(stride, 1));

    /// <summary>Columns summed back into an image, the adjoint of unfold.</summary>
    public static Tensor fold(Tensor input, Size2 output_size, Size2 kernel_size, Size2? dilation = null, Size2? padding = null,
        Size2? stride = null) =>
        Ops.col2im.Call(input, Pair(output_size, 1), Pair(kernel_size, 1), Pair(dilation, 1), Pair(padding, 0), Pair(stride, 1));

    /// <summary>Normalises each channel over the batch; updates the running statistics when training.</summary>
    public static Tensor batch_norm(Tensor input, Tensor? running_mean, Tensor? running_var, Tensor? weight = null, Tensor? bias = null,
        bool training = false, double momentum = 0.1, double eps = 1e-5) =>
        Ops.batch_norm.Call(input, weight, bias, running_mean, running_var, training, momentum, eps, true);

    /// <summary>Normalises each channel of each image.</summary>
    public static Tensor instance_norm(Tensor input, Tensor? running_mean = null, Tensor? running_var = null, Tensor? weight = null,
        Tensor? bias = null, bool use_input_stats = true, double momentum = 0.1, double eps = 1e-5) =>
        Ops.instance_norm.Call(input, weight, bias, running_mean, running_var, use_input_stats, momentum, eps, true);

    /// <summary>Normalises groups of channels of each image.</summary>
    public static Tensor group_norm(Tensor input, long num_groups, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
        Ops.group_norm.Call(input, num_groups, weight, bias, eps);

    /// <summary>Normalises over the last dimensions.</summary>
    public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
        Ops.layer_norm.Call(input, normalized_shape, weight, bias, eps);

    /// <summary>Zeroes elements with probability p when training, and scales the rest.</summary>
    public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
        training && p > 0 && BatchAcrossRanks.Ranks is not null ? DropoutAcrossRanks(input, p, inplace)
        : inplace ? InPlace(Ops.dropout_, input, p, training) : Ops.dropout.Call(input, p, training);

    // The mask is drawn for the rows of all ranks, so that it does not depend on their number.
    private static Tensor DropoutAcrossRanks(Tensor input, double p, bool inplace)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor mask = BatchAcrossRanks.Draw(input.size(0), rows =>
            torch.empty([rows, .. input.shape[1..]], input.dtype, device: input.device).bernoulli_(1 - p).div_(1 - p));
        return inplace ? input.mul_(mask) : (input * mask).MoveToOuterDisposeScope();
    }

    /// <summary>Zeroes whole channels with probability p when training.</summary>
    public static Tensor dropout2d(Tensor input, double p = 0.5, bool training = true, bool inplace = false) =>
        inplace ? InPlace(Ops.feature_dropout_, input, p, training) : Ops.feature_dropout.Call(input, p, training);

    /// <summary>Rows of the weight by number.</summary>
    public static Tensor embedding(Tensor input, Tensor weight, long padding_idx = -1) => Ops.embedding.Call(weight, input, padding_idx);

    /// <summary>max(x, 0).</summary>
    public static Tensor relu(Tensor input, bool inplace = false) => inplace ? InPlace(Ops.relu_, input) : Ops.relu.Call(input);

    /// <summary>x, or negative_slope * x below zero.</summary>
    public static Tensor leaky_relu(Tensor input, double negative_slope = 0.01, bool inplace = false) =>
        inplace ? InPlace(Ops.leaky_relu_, input, negative_slope) : Ops.leaky_relu.Call(input, negative_slope);

    /// <summary>x, or alpha * (exp(x) - 1) below zero.</summary>
    public static Tensor elu(Tensor input, double alpha = 1, bool inplace = false) =>
        inplace ? InPlace(Ops.elu_, input, alpha) : Ops.elu.Call(input, alpha);

    /// <summary>x times the normal distribution function.</summary>
    public static Tensor gelu(Tensor input, string approximate = "none") => Ops.gelu.Call(input, approximate);

    /// <summary>x * sigmoid(x).</summary>
    public static Tensor silu(Tensor input, bool inplace = false) => inplace ? InPlace(Ops.silu_, input) : Ops.silu.Call(input);

    /// <summary>x * tanh(softplus(x)).</summary>
    public static Tensor mish(Tensor input) => Ops.mish.Call(input);

    /// <summary>log(1 + exp(beta * x)) / beta.</summary>
    public static Tensor softplus(Tensor input, double beta = 1, double threshold = 20) => Ops.softplus.Call(input, beta, threshold);

    /// <summary>x limited to [min_val, max_val].</summary>
    public static Tensor hardtanh(Tensor input, double min_val = -1, double max_val = 1) => Ops.hardtanh.Call(input, min_val, max_val);

    /// <summary>x, or weight * x below zero, one weight per channel.</summary>
    public static Tensor prelu(Tensor input, Tensor weight) => Ops.prelu.Call(input, weight);

    /// <summary>log(sigmoid(x)).</summary>
    public static Tensor logsigmoid(Tensor input) => Ops.log_sigmoid.Call(input);

    /// <summary>Half of the channels times the sigmoid of the other half.</summary>
    public static Tensor glu(Tensor input, long dim = -1) => Ops.glu.Call(input, dim);

    /// <summary>exp(x) over its sum along a dimension.</summary>
    public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => Ops.softmax__int.Call(input, dim, dtype);

    /// <summary>The logarithm of softmax.</summary>
    public static Tensor log_softmax(Tensor input, long dim, ScalarType? dtype = null) => Ops.log_softmax__int.Call(input, dim, dtype);

    /// <summary>A new last dimension with a one at each class.</summary>
    public static Tensor one_hot(Tensor tensor, long num_classes = -1) => Ops.one_hot.Call(tensor, num_classes);

    /// <summary>The cosine of the angle between vectors along a dimension.</summary>
    public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1, double eps = 1e-8) =>
        Ops.cosine_similarity.Call(x1, x2, dim, eps);

    /// <summary>The p-norm of the difference of rows.</summary>
    public static Tensor pairwise_distance(Tensor x1, Tensor x2, double p = 2, double eps = 1e-6, bool keepdim = false) =>
        Ops.pairwise_distance.Call(x1, x2, p, eps, keepdim);

    /// <summary>|input - target|, reduced by "mean", "sum" or "none".</summary>
    public static Tensor l1_loss(Tensor input, Tensor target, string reduction = "mean") =>
        Ops.l1_loss.Call(input, target, Reduction(reduction));

    /// <summary>(input - target)², reduced by "mean", "sum" or "none".</summary>
    public static Tensor mse_loss(Tensor input, Tensor target, string reduction = "mean") =>
        Ops.mse_loss.Call(input, target, Reduction(reduction));

    /// <summary>Quadratic near zero, linear from beta on.</summary>
    public static Tensor smooth_l1_loss(Tensor input, Tensor target, string reduction = "mean", double beta = 1) =>
        Ops.smooth_l1_loss.Call(input, target, Reduction(reduction), beta);

    /// <summary>Quadratic near zero, delta times linear from delta on.</summary>
    public static Tensor huber_loss(Tensor input, Tensor target, string reduction = "mean", double delta = 1) =>
        Ops.huber_loss.Call(input, target, Reduction(reduction), delta);

    /// <summary>The cross entropy of probabilities.</summary>
    public static Tensor binary_cross_entropy(Tensor input, Tensor target, Tensor? weight = null, string reduction = "mean") =>
        Ops.binary_cross_entropy.Call(input, target, weight, Reduction(reduction));

    /// <summary>The cross entropy of logits.</summary>
    public static Tensor binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight = null, string reduction = "mean",
        Tensor? pos_weight = null) =>
        Ops.binary_cross_entropy_with_logits.Call(input, target, weight, pos_weight, Reduction(reduction));

    /// <summary>The cross entropy of class logits [N,C,...] with class numbers or probabilities.</summary>
    public static Tensor cross_entropy(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100,
        string reduction = "mean", double label_smoothing = 0) =>
        Ops.cross_entropy_loss.Call(input, target, weight, Reduction(reduction), ignore_index, label_smoothing);

    /// <summary>The negative log likelihood of class numbers.</summary>
    public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100,
        string reduction = "mean") =>
        Ops.nll_loss_nd.Call(input, target, weight, Reduction(reduction), ignore_index);

    /// <summary>target * (log(target) - input).</summary>
    public static Tensor kl_div(Tensor input, Tensor target, string reduction = "mean", bool log_target = false) =>
        Ops.kl_div.Call(input, target, Reduction(reduction), log_target);

    /// <summary>Sampling positions [N,H,W,2] in [-1,1] of affine maps [N,2,3].</summary>
    public static Tensor affine_grid(Tensor theta, long[] size, bool align_corners = false) =>
        Ops.affine_grid_generator.Call(theta, size, align_corners);
}
