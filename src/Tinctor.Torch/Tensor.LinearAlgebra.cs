namespace Tinctor.Torch;

public sealed partial class Tensor
{
    /// <summary>The matrix product, with broadcasting over leading dimensions.</summary>
    public Tensor matmul(Tensor other) => Ops.matmul.Call(this, other);

    /// <summary>The product of two matrices.</summary>
    public Tensor mm(Tensor mat2) => Ops.mm.Call(this, mat2);

    /// <summary>The products of two batches of matrices.</summary>
    public Tensor bmm(Tensor mat2) => Ops.bmm.Call(this, mat2);

    /// <summary>A matrix times a vector.</summary>
    public Tensor mv(Tensor vec) => Ops.mv.Call(this, vec);

    /// <summary>The inner product of two vectors.</summary>
    public Tensor dot(Tensor other) => Ops.dot.Call(this, other);

    /// <summary>The outer product of two vectors.</summary>
    public Tensor outer(Tensor vec2) => Ops.outer.Call(this, vec2);

    /// <summary>beta * this + alpha * mat1 @ mat2.</summary>
    public Tensor addmm(Tensor mat1, Tensor mat2, Scalar? beta = null, Scalar? alpha = null) =>
        Ops.addmm.Call(this, mat1, mat2, beta ?? 1, alpha ?? 1);

    /// <summary>The sum of a matrix's diagonal.</summary>
    public Tensor trace() => Ops.trace.Call(this);
}
