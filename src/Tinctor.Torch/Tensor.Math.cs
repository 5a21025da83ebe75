namespace Tinctor.Torch;

public sealed partial class Tensor
{
    /// <summary>|x|, element by element.</summary>
    public Tensor abs() => Ops.abs.Call(this);

    /// <summary>-x, element by element.</summary>
    public Tensor neg() => Ops.neg.Call(this);

    /// <summary>e to the x, element by element.</summary>
    public Tensor exp() => Ops.exp.Call(this);

    /// <summary>e to the x, minus 1, element by element.</summary>
    public Tensor expm1() => Ops.expm1.Call(this);

    /// <summary>The natural logarithm, element by element.</summary>
    public Tensor log() => Ops.log.Call(this);

    /// <summary>The natural logarithm of 1 + x, element by element.</summary>
    public Tensor log1p() => Ops.log1p.Call(this);

    /// <summary>The logarithm to base 2, element by element.</summary>
    public Tensor log2() => Ops.log2.Call(this);

    /// <summary>The logarithm to base 10, element by element.</summary>
    public Tensor log10() => Ops.log10.Call(this);

    /// <summary>The square root, element by element.</summary>
    public Tensor sqrt() => Ops.sqrt.Call(this);

    /// <summary>1 over the square root, element by element.</summary>
    public Tensor rsqrt() => Ops.rsqrt.Call(this);

    /// <summary>x squared, element by element.</summary>
    public Tensor square() => Ops.square.Call(this);

    /// <summary>1 over x, element by element.</summary>
    public Tensor reciprocal() => Ops.reciprocal.Call(this);

    /// <summary>-1, 0 or 1, element by element.</summary>
    public Tensor sign() => Ops.sign.Call(this);

    /// <summary>Sine, element by element.</summary>
    public Tensor sin() => Ops.sin.Call(this);

    /// <summary>Cosine, element by element.</summary>
    public Tensor cos() => Ops.cos.Call(this);

    /// <summary>Tangent, element by element.</summary>
    public Tensor tan() => Ops.tan.Call(this);

    /// <summary>Arc sine, element by element.</summary>
    public Tensor asin() => Ops.asin.Call(this);

    /// <summary>Arc cosine, element by element.</summary>
    public Tensor acos() => Ops.acos.Call(this);

    /// <summary>Arc tangent, element by element.</summary>
    public Tensor atan() => Ops.atan.Call(this);

    /// <summary>Hyperbolic sine, element by element.</summary>
    public Tensor sinh() => Ops.sinh.Call(this);

    /// <summary>Hyperbolic cosine, element by element.</summary>
    public Tensor cosh() => Ops.cosh.Call(this);

    /// <summary>Hyperbolic tangent, element by element.</summary>
    public Tensor tanh() => Ops.tanh.Call(this);

    /// <summary>The error function, element by element.</summary>
    public Tensor erf() => Ops.erf.Call(this);

    /// <summary>1 / (1 + exp(-x)), element by element.</summary>
    public Tensor sigmoid() => Ops.sigmoid.Call(this);

    /// <summary>max(x, 0), element by element.</summary>
    public Tensor relu() => Ops.relu.Call(this);

    /// <summary>Rounds down, element by element.</summary>
    public Tensor floor() => Ops.floor.Call(this);

    /// <summary>Rounds up, element by element.</summary>
    public Tensor ceil() => Ops.ceil.Call(this);

    /// <summary>Rounds towards zero, element by element.</summary>
    public Tensor trunc() => Ops.trunc.Call(this);

    /// <summary>Rounds half to even, element by element.</summary>
    public Tensor round() => Ops.round.Call(this);

    /// <summary>Fractional part, element by element.</summary>
    public Tensor frac() => Ops.frac.Call(this);

    /// <summary>True where x is NaN, element by element.</summary>
    public Tensor isnan() => Ops.isnan.Call(this);

    /// <summary>True where x is infinite, element by element.</summary>
    public Tensor isinf() => Ops.isinf.Call(this);

    /// <summary>True where x is finite, element by element.</summary>
    public Tensor isfinite() => Ops.isfinite.Call(this);

    /// <summary>True where x is zero, element by element.</summary>
    public Tensor logical_not() => Ops.logical_not.Call(this);

    /// <summary>Every bit flipped, element by element.</summary>
    public Tensor bitwise_not() => Ops.bitwise_not.Call(this);

    /// <summary><see cref="abs"/> in place.</summary>
    public Tensor abs_()
    {
        Ops.abs_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="neg"/> in place.</summary>
    public Tensor neg_()
    {
        Ops.neg_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="exp"/> in place.</summary>
    public Tensor exp_()
    {
        Ops.exp_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="sqrt"/> in place.</summary>
    public Tensor sqrt_()
    {
        Ops.sqrt_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="rsqrt"/> in place.</summary>
    public Tensor rsqrt_()
    {
        Ops.rsqrt_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="reciprocal"/> in place.</summary>
    public Tensor reciprocal_()
    {
        Ops.reciprocal_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="tanh"/> in place.</summary>
    public Tensor tanh_()
    {
        Ops.tanh_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="sigmoid"/> in place.</summary>
    public Tensor sigmoid_()
    {
        Ops.sigmoid_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="relu"/> in place.</summary>
    public Tensor relu_()
    {
        Ops.relu_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="floor"/> in place.</summary>
    public Tensor floor_()
    {
        Ops.floor_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="round"/> in place.</summary>
    public Tensor round_()
    {
        Ops.round_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="square"/> in place.</summary>
    public Tensor square_()
    {
        Ops.square_.CallVoid(this);
        return this;
    }

    /// <summary><see cref="log"/> in place.</summary>
    public Tensor log_()
    {
        Ops.log_.CallVoid(this);
        return this;
    }

    /// <summary>this + alpha * other, with broadcasting.</summary>
    public Tensor add(Tensor other, Scalar? alpha = null) => Ops.add__Tensor.Call(this, other, alpha ?? 1);

    /// <summary>this + alpha * other, with broadcasting.</summary>
    public Tensor add(Scalar other, Scalar? alpha = null) => Ops.add__Scalar.Call(this, other, alpha ?? 1);

    /// <summary>this + alpha * other, with broadcasting. In place.</summary>
    public Tensor add_(Tensor other, Scalar? alpha = null)
    {
        Ops.add___Tensor.CallVoid(this, other, alpha ?? 1);
        return this;
    }

    /// <summary>this + alpha * other, with broadcasting. In place.</summary>
    public Tensor add_(Scalar other, Scalar? alpha = null)
    {
        Ops.add___Scalar.CallVoid(this, other, alpha ?? 1);
        return this;
    }

    /// <summary>this - alpha * other, with broadcasting.</summary>
    public Tensor sub(Tensor other, Scalar? alpha = null) => Ops.sub__Tensor.Call(this, other, alpha ?? 1);

    /// <summary>this - alpha * other, with broadcasting.</summary>
    public Tensor sub(Scalar other, Scalar? alpha = null) => Ops.sub__Scalar.Call(this, other, alpha ?? 1);

    /// <summary>this - alpha * other, with broadcasting. In place.</summary>
    public Tensor sub_(Tensor other, Scalar? alpha = null)
    {
        Ops.sub___Tensor.CallVoid(this, other, alpha ?? 1);
        return this;
    }

    /// <summary>this - alpha * other, with broadcasting. In place.</summary>
    public Tensor sub_(Scalar other, Scalar? alpha = null)
    {
        Ops.sub___Scalar.CallVoid(this, other, alpha ?? 1);
        return this;
    }

    /// <summary>this * other, with broadcasting.</summary>
    public Tensor mul(Tensor other) => Ops.mul__Tensor.Call(this, other);

    /// <summary>this * other, with broadcasting.</summary>
    public Tensor mul(Scalar other) => Ops.mul__Scalar.Call(this, other);

    /// <summary>this * other, with broadcasting. In place.</summary>
    public Tensor mul_(Tensor other)
    {
        Ops.mul___Tensor.CallVoid(this, other);
        return this;
    }

    /// <summary>this * other, with broadcasting. In place.</summary>
    public Tensor mul_(Scalar other)
    {
        Ops.mul___Scalar.CallVoid(this, other);
        return this;
    }

    /// <summary>this / other, with broadcasting; integers become floats.</summary>
    public Tensor div(Tensor other) => Ops.div__Tensor.Call(this, other);

    /// <summary>this / other, with broadcasting; integers become floats.</summary>
    public Tensor div(Scalar other) => Ops.div__Scalar.Call(this, other);

    /// <summary>this / other, with broadcasting; integers become floats. In place.</summary>
    public Tensor div_(Tensor other)
    {
        Ops.div___Tensor.CallVoid(this, other);
        return this;
    }

    /// <summary>this / other, with broadcasting; integers become floats. In place.</summary>
    public Tensor div_(Scalar other)
    {
        Ops.div___Scalar.CallVoid(this, other);
        return this;
    }

    /// <summary>The remainder with the sign of the divisor, as Python's %.</summary>
    public Tensor remainder(Tensor other) => Ops.remainder__Tensor.Call(this, other);

    /// <summary>The remainder with the sign of the divisor, as Python's %.</summary>
    public Tensor remainder(Scalar other) => Ops.remainder__Scalar.Call(this, other);

    /// <summary>The remainder with the sign of the divisor, as Python's %. In place.</summary>
    public Tensor remainder_(Tensor other)
    {
        Ops.remainder___Tensor.CallVoid(this, other);
        return this;
    }

    /// <summary>The remainder with the sign of the divisor, as Python's %. In place.</summary>
    public Tensor remainder_(Scalar other)
    {
        Ops.remainder___Scalar.CallVoid(this, other);
        return this;
    }

    /// <summary>A boolean tensor: this == other.</summary>
    public Tensor eq(Tensor other) => Ops.eq__Tensor.Call(this, other);

    /// <summary>A boolean tensor: this == other.</summary>
    public Tensor eq(Scalar other) => Ops.eq__Scalar.Call(this, other);

    /// <summary>A boolean tensor: this != other.</summary>
    public Tensor ne(Tensor other) => Ops.ne__Tensor.Call(this, other);

    /// <summary>A boolean tensor: this != other.</summary>
    public Tensor ne(Scalar other) => Ops.ne__Scalar.Call(this, other);

    /// <summary>A boolean tensor: this &lt; other.</summary>
    public Tensor lt(Tensor other) => Ops.lt__Tensor.Call(this, other);

    /// <summary>A boolean tensor: this &lt; other.</summary>
    public Tensor lt(Scalar other) => Ops.lt__Scalar.Call(this, other);

    /// <summary>A boolean tensor: this &lt;= other.</summary>
    public Tensor le(Tensor other) => Ops.le__Tensor.Call(this, other);

    /// <summary>A boolean tensor: this &lt;= other.</summary>
    public Tensor le(Scalar other) => Ops.le__Scalar.Call(this, other);

    /// <summary>A boolean tensor: this &gt; other.</summary>
    public Tensor gt(Tensor other) => Ops.gt__Tensor.Call(this, other);

    /// <summary>A boolean tensor: this &gt; other.</summary>
    public Tensor gt(Scalar other) => Ops.gt__Scalar.Call(this, other);

    /// <summary>A boolean tensor: this &gt;= other.</summary>
    public Tensor ge(Tensor other) => Ops.ge__Tensor.Call(this, other);

    /// <summary>A boolean tensor: this &gt;= other.</summary>
    public Tensor ge(Scalar other) => Ops.ge__Scalar.Call(this, other);

    /// <summary>this / other, rounded: "trunc" or "floor".</summary>
    public Tensor div(Tensor other, string rounding_mode) => Ops.div__Tensor_mode.Call(this, other, rounding_mode);

    /// <summary>this to the power of a number.</summary>
    public Tensor pow(Scalar exponent) => Ops.pow__Tensor_Scalar.Call(this, exponent);

    /// <summary>this to the power of another tensor.</summary>
    public Tensor pow(Tensor exponent) => Ops.pow__Tensor_Tensor.Call(this, exponent);

    /// <summary>The larger of both, element by element.</summary>
    public Tensor maximum(Tensor other) => Ops.maximum.Call(this, other);

    /// <summary>The smaller of both, element by element.</summary>
    public Tensor minimum(Tensor other) => Ops.minimum.Call(this, other);

    /// <summary>The angle of the point (other, this), element by element.</summary>
    public Tensor atan2(Tensor other) => Ops.atan2.Call(this, other);

    /// <summary>sqrt(this² + other²), element by element.</summary>
    public Tensor hypot(Tensor other) => Ops.hypot.Call(this, other);

    /// <summary>True where both are not zero, element by element.</summary>
    public Tensor logical_and(Tensor other) => Ops.logical_and.Call(this, other);

    /// <summary>True where one is not zero, element by element.</summary>
    public Tensor logical_or(Tensor other) => Ops.logical_or.Call(this, other);

    /// <summary>True where exactly one is not zero, element by element.</summary>
    public Tensor logical_xor(Tensor other) => Ops.logical_xor.Call(this, other);

    /// <summary>Bitwise and.</summary>
    public Tensor bitwise_and(Tensor other) => Ops.bitwise_and__Tensor.Call(this, other);

    /// <summary>Bitwise or.</summary>
    public Tensor bitwise_or(Tensor other) => Ops.bitwise_or__Tensor.Call(this, other);

    /// <summary>Bitwise exclusive or.</summary>
    public Tensor bitwise_xor(Tensor other) => Ops.bitwise_xor__Tensor.Call(this, other);

    /// <summary>Elements limited to [min, max].</summary>
    public Tensor clamp(Scalar? min = null, Scalar? max = null) => Ops.clamp.Call(this, min, max);

    /// <summary><see cref="clamp"/> in place.</summary>
    public Tensor clamp_(Scalar? min = null, Scalar? max = null)
    {
        Ops.clamp_.CallVoid(this, min, max);
        return this;
    }

    /// <summary>this + weight * (end - this).</summary>
    public Tensor lerp(Tensor end, Scalar weight) => Ops.lerp__Scalar.Call(this, end, weight);

    /// <summary><see cref="lerp"/> in place.</summary>
    public Tensor lerp_(Tensor end, Scalar weight)
    {
        Ops.lerp___Scalar.CallVoid(this, end, weight);
        return this;
    }

    /// <summary>this + value * tensor1 * tensor2.</summary>
    public Tensor addcmul(Tensor tensor1, Tensor tensor2, Scalar? value = null) => Ops.addcmul.Call(this, tensor1, tensor2, value ?? 1);

    /// <summary><see cref="addcmul"/> in place.</summary>
    public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar? value = null)
    {
        Ops.addcmul_.CallVoid(this, tensor1, tensor2, value ?? 1);
        return this;
    }

    /// <summary>this + value * tensor1 / tensor2.</summary>
    public Tensor addcdiv(Tensor tensor1, Tensor tensor2, Scalar? value = null) => Ops.addcdiv.Call(this, tensor1, tensor2, value ?? 1);

    /// <summary><see cref="addcdiv"/> in place.</summary>
    public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar? value = null)
    {
        Ops.addcdiv_.CallVoid(this, tensor1, tensor2, value ?? 1);
        return this;
    }

    /// <summary>The value where the mask is true.</summary>
    public Tensor masked_fill(Tensor mask, Scalar value) => Ops.masked_fill__Scalar.Call(this, mask, value);

    /// <summary><see cref="masked_fill"/> in place.</summary>
    public Tensor masked_fill_(Tensor mask, Scalar value)
    {
        Ops.masked_fill___Scalar.CallVoid(this, mask, value);
        return this;
    }

    /// <summary>The elements where the mask is true, as one dimension.</summary>
    public Tensor masked_select(Tensor mask) => Ops.masked_select.Call(this, mask);

    /// <summary>NaN and infinities replaced.</summary>
    public Tensor nan_to_num(double? nan = null, double? posinf = null, double? neginf = null) =>
        Ops.nan_to_num.Call(this, nan, posinf, neginf);

    /// <summary>The real part, a view.</summary>
    public Tensor real() => Ops.real.Call(this);

    /// <summary>The imaginary part, a view.</summary>
    public Tensor imag() => Ops.imag.Call(this);

    /// <summary>The angle of complex numbers.</summary>
    public Tensor angle() => Ops.angle.Call(this);

    /// <summary>The complex conjugate, a view.</summary>
    public Tensor conj() => Ops.conj.Call(this);

    /// <summary>add, element by element.</summary>
    public static Tensor operator +(Tensor left, Tensor right) => left.add(right);

    /// <summary>add, element by element.</summary>
    public static Tensor operator +(Tensor left, Scalar right) => left.add(right);

    /// <summary>sub, element by element.</summary>
    public static Tensor operator -(Tensor left, Tensor right) => left.sub(right);

    /// <summary>sub, element by element.</summary>
    public static Tensor operator -(Tensor left, Scalar right) => left.sub(right);

    /// <summary>mul, element by element.</summary>
    public static Tensor operator *(Tensor left, Tensor right) => left.mul(right);

    /// <summary>mul, element by element.</summary>
    public static Tensor operator *(Tensor left, Scalar right) => left.mul(right);

    /// <summary>div, element by element.</summary>
    public static Tensor operator /(Tensor left, Tensor right) => left.div(right);

    /// <summary>div, element by element.</summary>
    public static Tensor operator /(Tensor left, Scalar right) => left.div(right);

    /// <summary>add, element by element.</summary>
    public static Tensor operator +(Scalar left, Tensor right) => right.add(left);

    /// <summary>left - right.</summary>
    public static Tensor operator -(Scalar left, Tensor right) => Ops.rsub__Scalar.Call(right, left, 1);

    /// <summary>mul, element by element.</summary>
    public static Tensor operator *(Scalar left, Tensor right) => right.mul(left);

    /// <summary>left / right.</summary>
    public static Tensor operator /(Scalar left, Tensor right)
    {
        using Tensor inverse = right.reciprocal();
        return inverse.mul(left);
    }

    /// <summary>neg.</summary>
    public static Tensor operator -(Tensor tensor) => tensor.neg();

    /// <summary>A boolean tensor: left &lt; right.</summary>
    public static Tensor operator <(Tensor left, Tensor right) => left.lt(right);

    /// <summary>A boolean tensor: left &lt; right.</summary>
    public static Tensor operator <(Tensor left, Scalar right) => left.lt(right);

    /// <summary>A boolean tensor: left &lt;= right.</summary>
    public static Tensor operator <=(Tensor left, Tensor right) => left.le(right);

    /// <summary>A boolean tensor: left &lt;= right.</summary>
    public static Tensor operator <=(Tensor left, Scalar right) => left.le(right);

    /// <summary>A boolean tensor: left &gt; right.</summary>
    public static Tensor operator >(Tensor left, Tensor right) => left.gt(right);

    /// <summary>A boolean tensor: left &gt; right.</summary>
    public static Tensor operator >(Tensor left, Scalar right) => left.gt(right);

    /// <summary>A boolean tensor: left &gt;= right.</summary>
    public static Tensor operator >=(Tensor left, Tensor right) => left.ge(right);

    /// <summary>A boolean tensor: left &gt;= right.</summary>
    public static Tensor operator >=(Tensor left, Scalar right) => left.ge(right);

    /// <summary>logical_and.</summary>
    public static Tensor operator &(Tensor left, Tensor right) => left.logical_and(right);

    /// <summary>logical_or.</summary>
    public static Tensor operator |(Tensor left, Tensor right) => left.logical_or(right);

    /// <summary>logical_not.</summary>
    public static Tensor operator !(Tensor tensor) => tensor.logical_not();
}
