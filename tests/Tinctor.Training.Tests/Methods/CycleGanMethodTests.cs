using Tinctor.Data.Tests;
using Tinctor.Slides;
using Tinctor.Staining;
using Tinctor.Staining.Models;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Losses;
using Tinctor.Training.Methods.CycleGan;
using Tinctor.Training.Networks;
using Tinctor.Training.Tests.Networks;

namespace Tinctor.Training.Tests.Methods;

[Collection(Alone.Name)]
public sealed class CycleGanMethodTests : DataFolder
{
    private static readonly CycleGanConfig Small = new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2, NLayersD = 1, PoolSize = 2 };

    /// <summary>Three whole steps in float64 against tests/vectors/make_cyclegan.py.</summary>
    [Fact]
    public void TrainStep_three_times_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = SafeTensors.Load(TestVectors.Path("cyclegan/io.safetensors"));
        ResnetGenerator[] generators = [Generator(), Generator()];
        using var method = new CycleGanMethod(new() { Ndf = 4, NLayersD = 2, LambdaB = 8 }, generators[0], generators[1], Device.CPU);
        foreach (Module network in method.Networks.Values)
        {
            network.to(ScalarType.Float64);
            FormulaWeights.Fill(network);
        }
        for (int step = 0; step < 3; step++)
        {
            IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(Image(0.05 + (0.01 * step)), Image(0.07 + (0.01 * step)));
            foreach (string name in (string[])["D_A", "G_A", "cycle_A", "idt_A", "D_B", "G_B", "cycle_B", "idt_B"])
                Vectors.Close(expected[$"{name}{step}"], losses[name].reshape(1), name, 1e-6);
        }
        foreach ((string name, Module network) in method.Networks)
        {
            Tensor sums = torch.stack([.. network.parameters().Select(parameter =>
                (parameter.detach() * FormulaWeights.Wave(1.3, parameter.shape)).sum())]);
            Vectors.Close(expected[$"final.{name}"], sums, name, 1e-5);
        }

        static ResnetGenerator Generator() => new(3, 3, 4, Norm.Instance, n_blocks: 2);
        static Tensor Image(double speed) => FormulaWeights.Wave(speed, 1, 3, 24, 32) * 0.9;
    }

    [Fact]
    public void LoadState_restores_both_pools()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using var method = new CycleGanMethod(Small, Device.CPU);
        using var other = new CycleGanMethod(Small, Device.CPU);
        for (int i = 0; i < 2; i++) method.TrainStep(torch.rand([1, 3, 16, 16]), torch.rand([1, 3, 16, 16]));
        other.LoadState(method.State);
        Assert.Equal(4, other.State.Count);
        Assert.Equal(method.State.Keys.Order(), other.State.Keys.Order());
        Assert.All(method.State, pair => Assert.True(torch.equal(pair.Value, other.State[pair.Key])));
        Assert.False(torch.equal(other.State["A.pool.0"], other.State["B.pool.0"]));
    }

    [Theory]
    [InlineData(GanMode.Wgangp, "pixel", Norm.Batch), InlineData(GanMode.Vanilla, "patch", Norm.None)]
    public void TrainStep_of_other_modes_is_finite(GanMode mode, string discriminator, Norm norm)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var config = Small with { GanMode = mode, Discriminator = discriminator, Norm = norm, InputChannels = 1, LambdaIdentity = 0 };
        using var method = new CycleGanMethod(config, Device.CPU);
        IReadOnlyDictionary<string, Tensor> losses = method.TrainStep(torch.rand([2, 1, 16, 16]), torch.rand([2, 3, 16, 16]));
        Assert.Equal(["D_A", "D_B", "G_A", "G_B", "cycle_A", "cycle_B"], losses.Keys.Order(StringComparer.Ordinal));
        Assert.All(losses.Values, loss => Assert.True(double.IsFinite(loss.item())));
    }

    [Fact]
    public void Train_unpaired_run_resumes_with_same_weights_and_has_models_of_both_directions()
    {
        for (int i = 0; i < 3; i++) Write($"trainA/a{i}.png", 20, 20, i);
        for (int i = 0; i < 2; i++) Write($"trainB/b{i}.png", 24, 20, 9 + i);
        Assert.True(Trainer.Start(Settings(), At("whole"), new Watcher(_ => { })).Finished);
        var stop = new CancellationTokenSource();
        Assert.False(Trainer.Start(Settings(), At("cut"), new Watcher(step => { if (step == 4) stop.Cancel(); }), stop.Token).Finished);
        Assert.True(Trainer.Resume(At("cut"), new Watcher(_ => { })).Finished);
        Assert.Equal(ModelFolder.Sha256(At("whole")), ModelFolder.Sha256(At("cut")));
        Assert.Equal(ModelFolder.Sha256(At("whole/model_reverse")), ModelFolder.Sha256(At("cut/model_reverse")));
        Assert.NotEqual(ModelFolder.Sha256(At("whole")), ModelFolder.Sha256(At("whole/model_reverse")));
        Assert.True(File.Exists(At("whole/model/model.onnx")) && File.Exists(At("whole/model_reverse/model.onnx")));
        Assert.Equal(("AtoB", "BtoA"),
            (TrainedModel.ReadConfig(At("whole")).Direction, TrainedModel.ReadConfig(At("whole/model_reverse")).Direction));
        using Stainer stainer = TrainedModel.LoadStainer(At("whole/model_reverse"), Device.CPU);
        Assert.Equal((24, 20), (stainer.Stain(Image.Read(At("trainB/b0.png"))).Image.Width, 20));

        RunConfig Settings() => ConfigFile.Load(null, "cyclegan", [$"data.path={Root}", "data.crop_size=16", "model.ngf=2", "model.ndf=2",
            "model.n_layers_d=1", "model.generator=resnet_6blocks", "model.pool_size=2", "training.steps=6", "training.log_every=1",
            "training.device=cpu", "data.workers=1"]);
    }

    [Fact]
    public void Remarks_identity_loss_needs_equal_channels() =>
        Assert.Contains("maps 1 channels to 3", Assert.Throws<TinctorException>(() =>
            (Small with { InputChannels = 1 }).Remarks([], [])).Message);

    private sealed class Watcher(Action<int> onStep) : ITrainingObserver
    {
        public void Note(string text) { }

        public void Step(TrainingProgress progress) => onStep(progress.Step);
    }
}
