namespace Tinctor.Torch;

/// <summary>Properties of the element types.</summary>
internal static class ScalarTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this ScalarType type) => type switch
    {
        ScalarType.Byte or ScalarType.Int8 or ScalarType.Bool => 1,
        ScalarType.Int16 or ScalarType.Float16 or ScalarType.BFloat16 => 2,
        ScalarType.Int32 or ScalarType.Float32 => 4,
        ScalarType.Int64 or ScalarType.Float64 or ScalarType.ComplexFloat32 => 8,
        ScalarType.ComplexFloat64 => 16,
        _ => throw new NotSupportedException($"element type {type}"),
    };

    /// <summary>Gets the element type of a .NET type.</summary>
    /// <exception cref="NotSupportedException">There is no such element type.</exception>
    public static ScalarType Of<T>() where T : unmanaged => default(T) switch
    {
        byte => ScalarType.Byte,
        sbyte => ScalarType.Int8,
        short => ScalarType.Int16,
        int => ScalarType.Int32,
        long => ScalarType.Int64,
        Half => ScalarType.Float16,
        float => ScalarType.Float32,
        double => ScalarType.Float64,
        bool => ScalarType.Bool,
        System.Numerics.Complex => ScalarType.ComplexFloat64,
        _ => throw new NotSupportedException($"no tensor element type for {typeof(T).Name}"),
    };
}
