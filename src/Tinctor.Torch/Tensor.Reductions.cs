namespace Tinctor.Torch;

public sealed partial class Tensor
{
    /// <summary>The sum of all elements.</summary>
    public Tensor sum(ScalarType? dtype = null) => Ops.sum.Call(this, dtype);

    /// <summary>The sum over some dimensions.</summary>
    public Tensor sum(long[] dim, bool keepdim = false, ScalarType? dtype = null) => Ops.sum__dim_IntList.Call(this, dim, keepdim, dtype);

    /// <summary>The sum over one dimension.</summary>
    public Tensor sum(int dim, bool keepdim = false, ScalarType? dtype = null) => sum([dim], keepdim, dtype);

    /// <summary>The mean of all elements.</summary>
    public Tensor mean(ScalarType? dtype = null) => Ops.mean.Call(this, dtype);

    /// <summary>The mean over some dimensions.</summary>
    public Tensor mean(long[] dim, bool keepdim = false, ScalarType? dtype = null) => Ops.mean__dim.Call(this, dim, keepdim, dtype);

    /// <summary>The mean over one dimension.</summary>
    public Tensor mean(int dim, bool keepdim = false, ScalarType? dtype = null) => mean([dim], keepdim, dtype);

    /// <summary>The product of all elements.</summary>
    public Tensor prod(ScalarType? dtype = null) => Ops.prod.Call(this, dtype);

    /// <summary>The product over one dimension.</summary>
    public Tensor prod(long dim, bool keepdim = false) => Ops.prod__dim_int.Call(this, dim, keepdim);

    /// <summary>The standard deviation of all elements; unbiased divides by n - 1.</summary>
    public Tensor std(bool unbiased = true) => Ops.std.Call(this, unbiased);

    /// <summary>The standard deviation over some dimensions.</summary>
    public Tensor std(long[] dim, bool unbiased = true, bool keepdim = false) => Ops.std__dim.Call(this, dim, unbiased, keepdim);

    /// <summary>The variance of all elements; unbiased divides by n - 1.</summary>
    public Tensor var(bool unbiased = true) => Ops.var.Call(this, unbiased);

    /// <summary>The variance over some dimensions.</summary>
    public Tensor var(long[] dim, bool unbiased = true, bool keepdim = false) => Ops.var__dim.Call(this, dim, unbiased, keepdim);

    /// <summary>The largest element.</summary>
    public Tensor max() => Ops.max.Call(this);

    /// <summary>The largest elements along a dimension and their indices.</summary>
    public (Tensor values, Tensor indices) max(long dim, bool keepdim = false) => Pair(Ops.max__dim.CallMany(this, dim, keepdim));

    /// <summary>The smallest element.</summary>
    public Tensor min() => Ops.min.Call(this);

    /// <summary>The smallest elements along a dimension and their indices.</summary>
    public (Tensor values, Tensor indices) min(long dim, bool keepdim = false) => Pair(Ops.min__dim.CallMany(this, dim, keepdim));

    /// <summary>The largest elements over some dimensions.</summary>
    public Tensor amax(long[] dim, bool keepdim = false) => Ops.amax.Call(this, dim, keepdim);

    /// <summary>The smallest elements over some dimensions.</summary>
    public Tensor amin(long[] dim, bool keepdim = false) => Ops.amin.Call(this, dim, keepdim);

    /// <summary>Index of the largest element; in the flattened tensor without a dimension.</summary>
    public Tensor argmax(long? dim = null, bool keepdim = false) => Ops.argmax.Call(this, dim, keepdim);

    /// <summary>Index of the smallest element; in the flattened tensor without a dimension.</summary>
    public Tensor argmin(long? dim = null, bool keepdim = false) => Ops.argmin.Call(this, dim, keepdim);

    /// <summary>Whether every element is true.</summary>
    public Tensor all() => Ops.all.Call(this);

    /// <summary>Whether every element is true along a dimension.</summary>
    public Tensor all(long dim, bool keepdim = false) => Ops.all__dim.Call(this, dim, keepdim);

    /// <summary>Whether an element is true.</summary>
    public Tensor any() => Ops.any.Call(this);

    /// <summary>Whether an element is true along a dimension.</summary>
    public Tensor any(long dim, bool keepdim = false) => Ops.any__dim.Call(this, dim, keepdim);

    /// <summary>The p-norm of all elements.</summary>
    public Tensor norm(Scalar? p = null) => Ops.norm__Scalar.Call(this, p ?? 2);

    /// <summary>The p-norm over some dimensions.</summary>
    public Tensor norm(Scalar p, long[] dim, bool keepdim = false) => Ops.norm__ScalarOpt_dim.Call(this, p, dim, keepdim);

    /// <summary>log(sum(exp(x))) without overflow.</summary>
    public Tensor logsumexp(long[] dim, bool keepdim = false) => Ops.logsumexp.Call(this, dim, keepdim);

    /// <summary>Running sums along a dimension.</summary>
    public Tensor cumsum(long dim, ScalarType? dtype = null) => Ops.cumsum.Call(this, dim, dtype);

    /// <summary>Running products along a dimension.</summary>
    public Tensor cumprod(long dim, ScalarType? dtype = null) => Ops.cumprod.Call(this, dim, dtype);

    /// <summary>The median; for an even count, the lower of the two middle elements.</summary>
    public Tensor median() => Ops.median.Call(this);

    /// <summary>The q-quantile, interpolated linearly.</summary>
    public Tensor quantile(double q, long? dim = null, bool keepdim = false) => Ops.quantile__scalar.Call(this, q, dim, keepdim);

    /// <summary>Number of nonzero elements.</summary>
    public Tensor count_nonzero() => Ops.count_nonzero.Call(this);

    /// <summary>Sorted elements along a dimension and their indices.</summary>
    public (Tensor values, Tensor indices) sort(long dim = -1, bool descending = false) => Pair(Ops.sort.CallMany(this, dim, descending));

    /// <summary>Indices that sort the elements along a dimension.</summary>
    public Tensor argsort(long dim = -1, bool descending = false) => Ops.argsort.Call(this, dim, descending);

    /// <summary>The k largest elements along a dimension and their indices.</summary>
    public (Tensor values, Tensor indices) topk(long k, long dim = -1, bool largest = true, bool sorted = true) =>
        Pair(Ops.topk.CallMany(this, k, dim, largest, sorted));

    /// <summary>Number of occurrences of each non-negative integer.</summary>
    public Tensor bincount(Tensor? weights = null, long minlength = 0) => Ops.bincount.Call(this, weights, minlength);

    /// <summary>A histogram with equal bins; the range of the data if min equals max.</summary>
    public Tensor histc(long bins = 100, Scalar? min = null, Scalar? max = null) => Ops.histc.Call(this, bins, min ?? 0, max ?? 0);

    /// <summary>Indices of the nonzero elements, one per row.</summary>
    public Tensor nonzero() => Ops.nonzero.Call(this);

    private static (Tensor, Tensor) Pair(Tensor[] tensors) => (tensors[0], tensors[1]);
}
