using System.Text.Json.Nodes;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Torch.Serialization;

namespace Tinctor.Torch.Tests.Optim;

public class OptimizerTests
{
    private static readonly Dictionary<string, Func<Tensor[], Optimizer>> optimisers = new()
    {
        ["sgd"] = p => new SGD(p, lr: 0.1),
        ["sgd_momentum"] = p => new SGD(p, lr: 0.1, momentum: 0.9, dampening: 0.2, weight_decay: 0.05),
        ["sgd_nesterov"] = p => new SGD(p, lr: 0.1, momentum: 0.8, nesterov: true, weight_decay: 0.05),
        ["adam"] = p => new Adam(p),
        ["adam_pix2pix"] = p => new Adam(p, lr: 2e-4, betas: (0.5, 0.999)),
        ["adam_decay"] = p => new Adam(p, lr: 0.01, weight_decay: 0.1, eps: 1e-6),
        ["adam_amsgrad"] = p => new Adam(p, lr: 0.02, amsgrad: true),
        ["adamw"] = p => new AdamW(p, lr: 0.01),
        ["adamw_amsgrad"] = p => new AdamW(p, lr: 0.01, betas: (0.8, 0.95), weight_decay: 0.3, amsgrad: true),
    };

    public static TheoryData<string> Names => [.. optimisers.Keys];

    private static Tensor[] Start() =>
        [.. Vectors.Load("optimisers.safetensors", "start").Values.Select(tensor => tensor.requires_grad_())];

    private static Optimizer Make(string name, Tensor[] parameters)
    {
        Optimizer optimiser = optimisers[name](parameters[..3]);
        optimiser.add_param_group(parameters[3..], lr: 0.05, weight_decay: 0.01);
        return optimiser;
    }

    // The third parameter has no gradient in the first five steps.
    private static void Step(Optimizer optimiser, Tensor[] parameters, Generator random, int step)
    {
        foreach ((int i, Tensor parameter) in parameters.Index())
        {
            Tensor gradient = torch.randn(parameter.shape, random);
            parameter.grad = i == 2 && step < 5 ? null : gradient;
        }
        optimiser.step();
    }

    [Theory, InlineData("adam_amsgrad"), InlineData("adamw")]
    public void Step_of_large_parameter_equals_steps_of_its_rows(string name)
    {
        using var scope = torch.NewDisposeScope();
        // More numbers than are updated together, in rows that do not divide them.
        Tensor start = torch.randn([7, 200, 1501]);
        Tensor whole = start.clone().requires_grad_();
        Tensor[] rows = Array.ConvertAll(start.unbind(0), row => row.clone().requires_grad_());
        using Optimizer ofWhole = optimisers[name]([whole]), ofRows = optimisers[name](rows);
        for (int step = 0; step < 3; step++)
        {
            Tensor gradient = torch.randn(start.shape);
            whole.grad = gradient;
            foreach ((Tensor row, Tensor part) in rows.Zip(gradient.unbind(0))) row.grad = part.clone();
            ofWhole.step();
            ofRows.step();
        }
        Vectors.AssertClose(torch.stack(rows), whole, "the parameter", 1e-6, 1e-7);
        Assert.NotEqual(0, (whole - start).abs().max().item());
    }

    [Theory, MemberData(nameof(Names))]
    public void Step_twenty_times_equals_PyTorch(string name)
    {
        using var scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = Vectors.Load("optimisers.safetensors", name);
        Tensor[] parameters = Start();
        using Optimizer optimiser = Make(name, parameters);
        using var random = new Generator().manual_seed(12);
        for (int step = 0; step < 20; step++)
        {
            Step(optimiser, parameters, random, step);
            if (step is not (0 or 19)) continue;
            foreach ((int i, Tensor parameter) in parameters.Index())
                Vectors.AssertClose(expected[$"{step + 1}.{i}"], parameter, $"parameter {i} after step {step + 1}", 1e-6, 1e-7);
        }
    }

    [Theory, MemberData(nameof(Names))]
    public void Load_state_resumes_bit_for_bit(string name)
    {
        using var scope = torch.NewDisposeScope();
        Tensor[] straight = Start();
        using Optimizer first = Make(name, straight);
        using var random = new Generator().manual_seed(12);
        for (int step = 0; step < 8; step++) Step(first, straight, random, step);

        Tensor[] resumed = Array.ConvertAll(straight, tensor => tensor.detach().clone().requires_grad_());
        using Optimizer second = Make(name, resumed);
        second.param_groups[0].lr = 123;
        string file = Path.Combine(Directory.CreateTempSubdirectory("tinctor").FullName, "optimizer.safetensors");
        OptimizerState state = first.state_dict();
        SafeTensors.Save(file, state.tensors);
        second.load_state_dict(new(SafeTensors.Load(file), JsonNode.Parse(state.numbers.ToJsonString())!.AsObject()));
        Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        Assert.Equal(first.state_dict().numbers.ToJsonString(), second.state_dict().numbers.ToJsonString());

        using Tensor drawn = random.get_state();
        for (int step = 8; step < 12; step++) Step(first, straight, random, step);
        random.set_state(drawn);
        for (int step = 8; step < 12; step++) Step(second, resumed, random, step);
        Assert.All(straight.Zip(resumed), pair => Assert.True(torch.equal(pair.First, pair.Second)));
    }

    [Fact]
    public void Load_state_of_other_optimiser_throws()
    {
        using var scope = torch.NewDisposeScope();
        Tensor[] a = [torch.zeros([2]).requires_grad_()], b = [torch.zeros([3]).requires_grad_()];
        using Adam adam = new(a), other = new(b), both = new([a[0], b[0]]);
        using AdamW adamw = new(a);
        a[0].grad = torch.ones([2]);
        adam.step();
        OptimizerState state = adam.state_dict();
        Assert.Equal("the state is of the optimiser Adam, not AdamW", Refusal(adamw, state));
        Assert.Equal("the optimiser's state '0.exp_avg' [2] fits no parameter", Refusal(other, state));
        Assert.Equal("the optimiser's state has 1 parameters, the network 2", Refusal(both, state));
        Assert.Throws<ArgumentException>(() => adam.add_param_group(a));
        Assert.Throws<ArgumentException>(() => new Adam([(a[0] * 2)]));
        Assert.Throws<ArgumentOutOfRangeException>(() => new Adam(a, lr: -1));
    }

    private static string Refusal(Optimizer optimiser, OptimizerState state) =>
        Assert.Throws<TinctorException>(() => optimiser.load_state_dict(state)).Message;

    [Fact]
    public void State_outlives_scope_of_step()
    {
        using Tensor weight = torch.ones([3]).requires_grad_();
        using var adam = new Adam([weight]);
        for (int step = 0; step < 3; step++)
        {
            using var scope = torch.NewDisposeScope();
            adam.zero_grad();
            (weight * weight).sum().backward();
            adam.step();
        }
        Assert.All(adam.state_dict().tensors.Values, tensor => Assert.False(tensor.IsDisposed));
        adam.zero_grad(set_to_none: false);
        Assert.Equal([0f, 0, 0], weight.grad!.ToArray<float>());
        adam.zero_grad();
        Assert.Null(weight.grad);
    }

    [Theory]
    [InlineData("norm"), InlineData("norm_large"), InlineData("norm_1"), InlineData("norm_inf"), InlineData("value")]
    public void Clip_gradients_equals_PyTorch(string name)
    {
        using var scope = torch.NewDisposeScope();
        OrderedDictionary<string, Tensor> expected = Vectors.Load("clipping.safetensors", name);
        Tensor[] parameters = [.. Vectors.Load("clipping.safetensors", "given").Values.Select(gradient =>
        {
            Tensor parameter = torch.zeros(gradient.shape).requires_grad_();
            parameter.grad = gradient;
            return parameter;
        })];
        Tensor? norm = null;
        switch (name)
        {
            case "norm": norm = utils.clip_grad_norm_(parameters, 1.5); break;
            case "norm_large": norm = utils.clip_grad_norm_(parameters, 1e6); break;
            case "norm_1": norm = utils.clip_grad_norm_(parameters, 2, 1); break;
            case "norm_inf": norm = utils.clip_grad_norm_(parameters, 2, double.PositiveInfinity); break;
            default: utils.clip_grad_value_(parameters, 0.7); break;
        }
        if (norm is not null) Vectors.AssertClose(expected["norm"], norm, "norm");
        foreach ((int i, Tensor parameter) in parameters.Index())
            Vectors.AssertClose(expected[$"{i}"], parameter.grad!, $"gradient {i}", 1e-6);
    }

    [Fact]
    public void Clip_nonfinite_gradient_throws_on_request()
    {
        using var scope = torch.NewDisposeScope();
        Tensor parameter = torch.zeros([2]).requires_grad_();
        Assert.Equal(0, utils.clip_grad_norm_([parameter], 1).item());
        parameter.grad = torch.tensor([1f, float.NaN]);
        Assert.Throws<ArithmeticException>(() => utils.clip_grad_norm_([parameter], 1, error_if_nonfinite: true));
    }
}
