using System.Text.Json.Nodes;
using Tinctor.Data.Tests;
using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Torch.Serialization;
using Tinctor.Training.Configuration;
using Tinctor.Training.Files;
using Tinctor.Training.Learners;
using Tinctor.Training.Methods;
using Tinctor.Training.Methods.Pix2Pix;
using Tinctor.Training.Runs;

namespace Tinctor.Training.Tests.Loop;

[Collection(Alone.Name)]
public sealed class TrainingStateTests : DataFolder
{
    private static readonly Pix2PixConfig Config = new() { Generator = "resnet_6blocks", Ngf = 2, Ndf = 2, PoolSize = 2 };

    [Fact]
    public void Load_state_resumes_to_same_bytes()
    {
        torch.manual_seed(1);
        Run(save: (3, At("three")), end: At("six"), load: null);
        torch.manual_seed(99);
        Run(save: null, end: At("six again"), load: At("three"));
        Assert.Equal(File.ReadAllBytes(At("six")), File.ReadAllBytes(At("six again")));
    }

    [Fact]
    public void Load_other_configuration_or_file_is_refused()
    {
        Run(save: null, end: At("state"), load: null);
        using Method method = (Config with { Ngf = 3 }).Create(Device.CPU);
        using var state = new TrainingState(method, Ema(0.9), Device.CPU, "psnr");
        Assert.Throws<TinctorException>(() => state.Load(At("state")));
        using Method same = Config.Create(Device.CPU);
        using var noAverage = new TrainingState(same, Ema(0), Device.CPU, "psnr");
        noAverage.Load(At("state"));
        Assert.Equal(6, noAverage.Step);
        noAverage.Save(At("without"));
        using var average = new TrainingState(same, Ema(0.9), Device.CPU, "psnr");
        Assert.Contains("incomplete or of another configuration",
            Assert.Throws<TinctorException>(() => average.Load(At("without"))).Message);
    }

    [Fact]
    public void Load_earlier_version_is_read_and_newer_refused()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        using var state = new TrainingState(method, Ema(0), Device.CPU, "accuracy");
        state.Advance();
        state.RecordScore(0.75);
        state.RecordScore(0.5);
        state.Save(At("state"));
        JsonObject numbers = Numbers(At("state"));
        Assert.Equal(("tinctor-checkpoint", 2, "accuracy"),
            ((string)numbers["format"]!, (int)numbers["version"]!, (string)numbers["score"]!));
        Assert.Equal((0.5, 0.75), ((double)numbers["last_score"]!, (double)numbers["best_score"]!));

        foreach (string key in (string[])["format", "version", "score", "last_score", "best_score"]) numbers.Remove(key);
        (numbers["last_psnr"], numbers["best_psnr"]) = (0.25, 0.875);
        Rewrite("earlier");
        using var read = new TrainingState(method, Ema(0), Device.CPU, "accuracy");
        read.Load(At("earlier"));
        Assert.Equal((1, 0.25, 0.875), (read.Step, read.LastScore, read.BestScore));

        numbers["version"] = 3;
        Rewrite("newer");
        string message = Assert.Throws<NewerFormatException>(() => read.Load(At("newer"))).Message;
        Assert.StartsWith($"{At("newer")}: the format has version 3, but this program reads up to version 2", message);
        Assert.DoesNotContain('\n', message);

        void Rewrite(string name) => SafeTensors.Save(At(name), SafeTensors.Load(At("state")),
            new Dictionary<string, string> { ["training_state"] = numbers.ToJsonString() });

        static JsonObject Numbers(string path)
        {
            SafeTensors.Load(path, out OrderedDictionary<string, string> metadata);
            return JsonNode.Parse(metadata["training_state"])!.AsObject();
        }
    }

    [Fact]
    public void Load_restores_the_schedule_plateau()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        var config = new TrainingConfig { Schedule = Schedule.Plateau, PlateauPatience = 1 };
        using var state = new TrainingState(method, config, Device.CPU, "psnr");
        foreach (double score in (double[])[20, 20, 20, 20]) state.RecordScore(score);
        state.Save(At("state"));
        using var read = new TrainingState(method, config, Device.CPU, "psnr");
        read.Load(At("state"));
        Assert.Equal((0.2, 0.2), (state.PlateauFactor, read.PlateauFactor));
        foreach (TrainingState each in (TrainingState[])[state, read]) each.RecordScore(20);
        Assert.Equal(0.04, read.PlateauFactor, 1e-12);
        Assert.Equal(state.PlateauFactor, read.PlateauFactor);
        using var linear = new TrainingState(method, new TrainingConfig(), Device.CPU, "psnr");
        linear.Load(At("state"));
        Assert.Equal(1, linear.PlateauFactor);
    }

    [Fact]
    public void UseAverage_has_own_statistics_and_keeps_training_state()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        using var state = new TrainingState(method, Ema(0.5), Device.CPU, "psnr");
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

    [Theory]
    [InlineData(true, 0, 1e-3)]
    [InlineData(false, 0.97, 0.98)] // 0.9999^240
    public void UseAverage_after_few_steps_holds_initial_weights_only_without_warm_up(bool warmUp, double least, double most)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        Tensor weight = method.Trained.parameters().First();
        using (torch.no_grad()) weight.fill_(1);
        using var state = new TrainingState(method, new TrainingConfig { Ema = 0.9999, EmaWarmUp = warmUp }, Device.CPU, "psnr");
        using (torch.no_grad()) weight.fill_(0);
        for (int step = 0; step < 240; step++) state.Advance();
        using (state.UseAverage(() => { })) Assert.InRange(weight.mean().item(), least, most);
    }

    private static TrainingConfig Ema(double decay) => new() { Ema = decay };

    // Six steps in all, on images that depend on the step alone; dropout and pool draw from the random state.
    private static void Run((int step, string path)? save, string end, string? load)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Method method = Config.Create(Device.CPU);
        using var state = new TrainingState(method, Ema(0.9), Device.CPU, "psnr");
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
