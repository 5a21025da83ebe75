using Tinctor.Staining.Execution;
using Tinctor.Torch;

namespace Tinctor.Training.Execution;

/// <summary>Conversion between arrays, which ONNX Runtime takes, and tensors.</summary>
internal static class OnnxTensors
{
    /// <summary>Gets ONNX Runtime's name of a device; null if the installed ONNX Runtime does not support it.</summary>
    public static OnnxDevice? DeviceFor(Device device)
    {
        string name = device.type == DeviceType.CUDA ? "cuda" : "cpu";
        return OnnxDevice.Available.Contains(name) ? new(name, Math.Max(0, device.index)) : null;
    }

    /// <summary>Converts images to a tensor [N,C,H,W] on the CPU.</summary>
    public static Tensor ToTensor(this ImageBatch images) =>
        torch.tensor<float>(images.Values, images.Count, images.Channels, images.Height, images.Width);

    /// <summary>Converts a tensor [N,C,H,W] of any device and type to images.</summary>
    public static ImageBatch ToBatch(this Tensor images)
    {
        int[] size = Array.ConvertAll(images.shape, length => (int)length);
        return new(size[0], size[1], size[2], size[3],
            images.detach().cpu().to(ScalarType.Float32).contiguous().ToArray<float>());
    }

    /// <summary>Converts a tensor [N,D] of any device and type to N vectors.</summary>
    public static float[][] ToVectors(this Tensor vectors) =>
        [.. vectors.detach().cpu().to(ScalarType.Float32).contiguous().ToArray<float>().Chunk((int)vectors.size(1))];
}
