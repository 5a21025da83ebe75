using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Methods;
using Tinctor.Training.Networks;

namespace AddMethod;

/// <summary>Regression with an L1 loss: a generator alone, without a discriminator.</summary>
internal sealed class L1Method : Method
{
    private readonly Adam optimizer;

    public L1Method(L1Config config, Device device)
    {
        Generator = config.CreateGenerator();
        WeightInit.Apply(Generator, "normal", 0.02);
        Generator.to(device);
        Generator.train();
        optimizer = new Adam(Generator.parameters(), config.Lr, (0.5, 0.999));
    }

    public override Module<Tensor, Tensor> Generator { get; }

    public override IReadOnlyDictionary<string, Module> Networks => new Dictionary<string, Module> { ["G"] = Generator };

    public override IReadOnlyDictionary<string, Optimizer> Optimizers => new Dictionary<string, Optimizer> { ["G"] = optimizer };

    public override IReadOnlyDictionary<string, Tensor> TrainStep(Tensor source, Tensor target, IReadOnlyList<string?>? labels = null)
    {
        optimizer.zero_grad();
        Tensor loss = F.l1_loss(Generator.forward(source), target);
        loss.backward();
        optimizer.step();
        return new Dictionary<string, Tensor> { ["G_L1"] = loss.detach() };
    }
}
