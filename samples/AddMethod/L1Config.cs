using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Methods;
using Tinctor.Training.Networks;

namespace AddMethod;

/// <summary>Settings of the method, under "model" in config.yaml.</summary>
internal sealed record L1Config : MethodConfig
{
    /// <summary>Channels of the generator's first convolution.</summary>
    [Range(1, 1024)]
    public int Ngf { get; init; } = 64;

    /// <summary>Learning rate of Adam.</summary>
    [Range(0.0, 1.0)]
    public double Lr { get; init; } = 2e-4;

    // The generator halves images twice.
    public override int SizeMultiple => 4;

    public override int SmallestSize => 8;

    public override Method Create(Device device) => new L1Method(this, device);

    public override Module<Tensor, Tensor> CreateGenerator() =>
        new ResnetGenerator(InputChannels, OutputChannels, Ngf, Norm.Instance, use_dropout: false, n_blocks: 6);
}
