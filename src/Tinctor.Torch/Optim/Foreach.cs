namespace Tinctor.Torch.Optim;

/// <summary>Operators on lists of tensors: one launch for all of them on a GPU. Only overloads that libtorch 1.13 and 2.x share.</summary>
internal static class Foreach
{
    public static readonly Operator add__List = new("aten::_foreach_add", "List");
    public static readonly Operator add___List = new("aten::_foreach_add_", "List");
    public static readonly Operator add___Scalar = new("aten::_foreach_add_", "Scalar");
    public static readonly Operator addcdiv___Scalar = new("aten::_foreach_addcdiv_", "Scalar");
    public static readonly Operator addcmul___Scalar = new("aten::_foreach_addcmul_", "Scalar");
    public static readonly Operator div___Scalar = new("aten::_foreach_div_", "Scalar");
    public static readonly Operator maximum___List = new("aten::_foreach_maximum_", "List");
    public static readonly Operator mul___Scalar = new("aten::_foreach_mul_", "Scalar");
    public static readonly Operator sqrt = new("aten::_foreach_sqrt");
}
