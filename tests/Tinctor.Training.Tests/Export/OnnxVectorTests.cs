using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Export;
using Tinctor.Training.Networks;
using Tinctor.Tests;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Export;

/// <summary>Exported networks against the official implementations.</summary>
public class OnnxVectorTests
{
    private const double Tolerance = 1e-4;

    [Theory]
    [InlineData("p2p_resnet6_instance"), InlineData("p2p_resnet6_batch"), InlineData("p2p_resnet9_instance")]
    [InlineData("p2p_unet128_instance"), InlineData("p2p_unet128_batch")]
    public void Pix2Pix_generator_equals_official_code(string name)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using Module<Tensor, Tensor> network = Pix2PixNetworkTests.Build(name);
        network.load_state_dict(vectors.Weights());
        vectors.Check("y_eval", Run(network, name.Contains("unet") ? 128 : 4, vectors["x"]), Tolerance);
    }

    [Fact]
    public void Ceff_generator_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("ceff_model_narrow");
        using CeffGenerator network = CeffNetworkTests.Generator(vectors);
        vectors.Check("y_eval", Run(network, 8, vectors["x"]), Tolerance);
    }

    [Fact]
    public void Dimension_matcher_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_compress_narrow");
        using var network = new DimensionMatcher(factor: 5, width: 8);
        network.load_state_dict(vectors.Weights());
        vectors.Check("y", Run(network, 1, vectors["x"]), Tolerance);
    }

    [Theory]
    [InlineData("i2sb_unet_uncond"), InlineData("i2sb_unet_cond"), InlineData("i2sb_unet_plain_newattn")]
    [InlineData("bbdm_unet", "context", "denoise_fn."), InlineData("yijie_unet", "low_res")]
    public void Diffusion_network_equals_official_code(string name, string? condition = null, string prefix = "")
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read(name);
        using DiffusionUnet network = DiffusionUnetTests.Official(vectors, name, prefix);
        Tensor x = vectors["x"], times = vectors["t"], state = x.narrow(1, 0, 3);
        Tensor? joined = condition is not null ? vectors[condition] : x.size(1) > 3 ? x.narrow(1, 3, 3) : null;
        string[] names = joined is null ? ["source", "time"] : ["source", "time", "end"];
        var function = new ExportFunction(name, size => [Zeros(size), torch.zeros([1]), .. joined is null ? (Tensor[])[] : [Zeros(size)]],
            names, inputs => [network.forward(inputs[0], inputs[1], inputs.ElementAtOrDefault(2))], ["image"])
        { Size = new(1, 16, 24), SizeMultiple = 2 };
        using InferenceSession session = Open(network, function);
        // The exported network takes one time for all images.
        Tensor[] images = [.. Enumerable.Range(0, (int)x.size(0)).Select(i => Run(session, [(names[0], state.narrow(0, i, 1)),
            (names[1], times.narrow(0, Math.Min(i, times.size(0) - 1), 1).to(ScalarType.Float32)),
            .. joined is null ? ((string, Tensor)[])[] : [(names[2], joined.narrow(0, i, 1))]]))];
        vectors.Check("y", torch.cat(images, 0), Tolerance);

        static Tensor Zeros(InputSize size) => torch.zeros([size.Count, 3, size.Height, size.Width]);
    }

    private static Tensor Run(Module<Tensor, Tensor> network, int multiple, Tensor x)
    {
        long channels = x.size(1), side = Math.Max(32, multiple);
        var function = new ExportFunction("test", size => [torch.zeros([size.Count, channels, size.Height, size.Width])], ["source"],
            inputs => [network.forward(inputs[0])], ["image"])
        { Size = new(1, side, side + multiple), SizeMultiple = multiple };
        using InferenceSession session = Open(network, function);
        return Run(session, [("source", x)]);
    }

    private static InferenceSession Open(Module network, ExportFunction function)
    {
        network.eval();
        return new(OnnxExporter.Export(network, function, new Dictionary<string, string>()).ToByteArray());
    }

    private static Tensor Run(InferenceSession session, (string Name, Tensor Value)[] inputs)
    {
        var feeds = inputs.ToDictionary(input => input.Name,
            input => OrtValue.CreateTensorValueFromMemory(input.Value.contiguous().ToArray<float>(), input.Value.shape));
        foreach ((string name, NodeMetadata input) in session.InputMetadata)
        {
            if (name == "moments") feeds[name] = OrtValue.CreateTensorValueFromMemory(
                new float[inputs[0].Value.size(0) * input.Dimensions[1]], [inputs[0].Value.size(0), input.Dimensions[1]]);
            if (name == "use_moments") feeds[name] = OrtValue.CreateTensorValueFromMemory(new bool[1], [1]);
        }
        using var options = new RunOptions();
        using IDisposableReadOnlyCollection<OrtValue> outputs = session.Run(options, feeds, ["image"]);
        foreach (OrtValue value in feeds.Values) value.Dispose();
        return torch.tensor(outputs[0].GetTensorDataAsSpan<float>().ToArray()).reshape(outputs[0].GetTensorTypeAndShape().Shape);
    }
}
