using System.Runtime.InteropServices;
using Tinctor.Tests;
using Tinctor.Torch.Serialization;

namespace Tinctor.Evaluation.Tests;

/// <summary>The image pairs and skimage 0.19.3's results in tests/vectors/metrics_ssim_psnr.</summary>
internal static class ReferenceVectors
{
    public static (byte[] Fake, byte[] Real, int Width, int Height) Pair(int index)
    {
        var (fake, shape) = Read<long>("io.safetensors", $"fake{index}");
        var (real, _) = Read<long>("io.safetensors", $"real{index}");
        return (Array.ConvertAll(fake, v => (byte)v), Array.ConvertAll(real, v => (byte)v), (int)shape[1], (int)shape[0]);
    }

    public static double[] Values(string name) => Read<double>("io_f64.safetensors", name).Values;

    private static (T[] Values, long[] Shape) Read<T>(string file, string name) where T : struct
    {
        string path = TestVectors.Path($"metrics_ssim_psnr/{file}");
        var header = SafeTensors.ReadHeader(path);
        string key = header.Tensors.ContainsKey(name) ? name : name + "_f64";
        var entry = header.Tensors[key];
        byte[] bytes = File.ReadAllBytes(path)[(int)(header.DataStart + entry.Begin)..(int)(header.DataStart + entry.End)];
        return (MemoryMarshal.Cast<byte, T>(bytes).ToArray(), entry.shape);
    }
}
