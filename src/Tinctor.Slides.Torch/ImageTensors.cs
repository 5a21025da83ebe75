using Tinctor.Torch;

namespace Tinctor.Slides.Torch;

/// <summary>Conversion between images and tensors.</summary>
internal static class ImageTensors
{
    /// <summary>Converts an image to a float32 tensor [Channels, Height, Width] on the CPU.</summary>
    public static Tensor ToTensor(this Image image, ValueRange range = ValueRange.ZeroToOne)
    {
        Tensor tensor = torch.empty([image.Channels, image.Height, image.Width], ScalarType.Float32);
        image.CopyTo(tensor.data<float>(), range);
        return tensor;
    }

    extension(Image)
    {
        /// <summary>
        /// Converts a float tensor [C, H, W] or [1, C, H, W] on any device to an image. Values outside of the range are clamped, NaN
        /// becomes black, halves are rounded up; so <see cref="ToTensor"/> and back is exact.
        /// </summary>
        /// <exception cref="ArgumentException">The tensor has another shape, or an empty side.</exception>
        public static Image FromTensor(Tensor chw, ValueRange range = ValueRange.ZeroToOne, SampleType sampleType = SampleType.UInt8)
        {
            long[] shape = chw.shape is [1, .. var rest] && rest.Length == 3 ? rest : chw.shape;
            if (shape is not [>= 1, >= 1, >= 1])
                throw new ArgumentException($"[C, H, W] without empty sides is needed, got [{string.Join(", ", chw.shape)}]", nameof(chw));
            using DisposeScope scope = torch.NewDisposeScope();
            var image = new Image((int)shape[2], (int)shape[1], (int)shape[0], sampleType);
            image.CopyFrom(chw.detach().to(ScalarType.Float32).cpu().contiguous().data<float>(), range);
            return image;
        }
    }
}
