using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Transforms;

/// <summary>Conversion between displacement fields and tensors.</summary>
internal static class DisplacementTensors
{
    /// <summary>Copies the displacements to a float32 tensor [2, h, w], x, then y.</summary>
    public static Tensor ToTensor(this DisplacementField field) =>
        torch.tensor<float>(field.ToArray(), 2, field.Grid.Rows, field.Grid.Columns);

    extension(DisplacementField)
    {
        /// <summary>
        /// Creates a field over an image of this size from displacements [2, h, w] (x, then y) at the centres of h x w equal cells that
        /// cover it.
        /// </summary>
        /// <exception cref="ArgumentException">The tensor has another shape.</exception>
        public static DisplacementField Covering(double width, double height, Tensor shifts)
        {
            if (shifts.shape is not [2, > 0, > 0]) throw new ArgumentException("displacements must be [2, height, width]", nameof(shifts));
            float[] Values(int axis) => shifts[axis].to(ScalarType.Float32).contiguous().ToArray<float>();
            return DisplacementField.FromCells(width, height, (int)shifts.size(2), Values(0), Values(1));
        }
    }
}
