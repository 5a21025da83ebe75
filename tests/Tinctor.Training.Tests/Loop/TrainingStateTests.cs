using Tinctor.Data.Tests;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Runs;

namespace Tinctor.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class TrainingStateTests : DataFolder
{
    private static readonly Pix2PixConfig Config = new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2, PoolSize = 2 };

    [Fact]
    public void A_state_taken_up_goes_on_to_the_same_bytes()
    {
        torch.manual_seed(1);
        Run(save: (3, At("three")), end: At("six"), load: null);
        torch.manual_seed(99);
        Run(save: null, end: At("six again"), load: At("three"));
        Assert.Equal(File.ReadAllBytes(At("six")), File.ReadAllBytes(At("six again")));
    }

    [Fact]
    public void Another_configuration_and_other_files_are_refused()
    {
        Run(save: null, end: At("state"), load: null);
        using Method method = (Config with { Ngf = 3 }).Create(Device.CPU);
        using var state = new TrainingState(method, 0.9, Device.CPU);
        Assert.Throws<TinctorException>(() => state.Load(At("state")));
        using Method same = Config.Create(Device.CPU);
        using var noAverage = new TrainingState(same, 0, Device.CPU);
        noAverage.Load(At("state"));
        Assert.Equal(6, noAverage.Step);
        noAverage.Save(At("without"));
        using var average = new TrainingState(same, 0.9, Device.CPU);
        Assert.Contains("lacks something", Assert.Throws<TinctorException>(() => average.Load(At("without"))).Message);
    }

    [Fact]
    public void Averaged_weights_have_statistics_of_their_own_and_leave_those_of_the_training_alone()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        using var state = new TrainingState(method, 0.5, Device.CPU);
        Tensor image = torch.linspace(-1, 1, 3 * 24 * 24).view(1, 3, 24, 24);
        for (int step = 0; step < 3; step++)
        {
            method.TrainStep(image, image.neg());
            state.Advance();
        }
        state.Save(At("before"));
        using (state.UseAverage(() => method.Generator.forward(image)))
        {
            using Guard quiet = torch.no_grad();
            Assert.False(method.Generator.training);
            OrderedDictionary<string, Tensor> model = state.ModelWeights();
            Tensor first = F.conv2d(F.pad(image, [3, 3, 3, 3], "reflect"), model["model.1.weight"]);
            Assert.True(torch.allclose(model["model.2.running_mean"], first.mean([0, 2, 3]), 1e-4, 1e-6));
            Assert.True(torch.allclose(model["model.2.running_var"], first.transpose(0, 1).flatten(1).var([1]), 1e-4, 1e-6));
            Assert.Equal(1, model["model.2.num_batches_tracked"].item());
        }
        state.Save(At("after"));
        Assert.Equal(File.ReadAllBytes(At("before")), File.ReadAllBytes(At("after")));
    }

    // Six steps in all, on images that depend on the step alone; dropout and pool draw from the random state.
    private static void Run((int step, string path)? save, string end, string? load)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        using var state = new TrainingState(method, 0.9, Device.CPU);
        if (load is not null) state.Load(load);
        while (state.Step < 6)
        {
            Tensor image = torch.linspace(-1, 1, 3 * 24 * 24).view(1, 3, 24, 24) * (state.Step + 1) / 6;
            method.TrainStep(image, image.neg());
            state.Advance();
            if (state.Step == save?.step) state.Save(save.Value.path);
        }
        state.Save(end);
    }
}
