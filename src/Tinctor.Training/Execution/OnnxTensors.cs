using Tinctor.Staining.Execution;
using Tinctor.Torch;

namespace Tinctor.Training.Execution;

/// <summary>Runs ONNX networks on tensors.</summary>
internal static class OnnxTensors
{
    /// <summary>Gets ONNX Runtime's name of a device; null if the installed ONNX Runtime does not support it.</summary>
    public static OnnxDevice? DeviceFor(Device device)
    {
        string name = device.type == DeviceType.CUDA ? "cuda" : "cpu";
        return OnnxDevice.Available.Contains(name) ? new(name, Math.Max(0, device.index)) : null;
    }

    /// <summary>Runs a network on images [N,C,H,W]; the outputs are [N,D], on the CPU.</summary>
    /// <exception cref="TinctorException">The network does not take such images, or its outputs have other dimensions.</exception>
    public static Tensor[] RunForVectors(this OnnxNetwork network, Tensor images, params string[] outputs)
    {
        Tensor[] vectors = network.Run(images, outputs);
        foreach ((string name, Tensor vector) in outputs.Zip(vectors))
        {
            if (vector.ndim == 2 && vector.size(0) == images.size(0)) continue;
            throw new TinctorException(network.Path,
                $"the output {name} is [{string.Join(',', vector.shape)}] for {images.size(0)} images, "
                + $"expected [{images.size(0)},features]",
                "Delete the file; the network then runs from the weights");
        }
        return vectors;
    }

    /// <summary>Runs a network on images [N,C,H,W] of any device; the outputs are on the CPU.</summary>
    /// <exception cref="TinctorException">The network does not take such images.</exception>
    public static Tensor[] Run(this OnnxNetwork network, Tensor images, params string[] outputs)
    {
        int[] size = Array.ConvertAll(images.shape, length => (int)length);
        var batch = new ImageBatch(size[0], size[1], size[2], size[3],
            images.detach().cpu().to(ScalarType.Float32).contiguous().ToArray<float>());
        return Array.ConvertAll(network.Run(batch, outputs), output => torch.tensor<float>(output.Values, output.Shape));
    }
}
