using Tinctor.Torch.Nn;

namespace Tinctor.Torch.Tests.Nn;

public class ModuleTests
{
    private sealed class Block : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv;
        private readonly BatchNorm2d norm;

        public Block(long channels)
        {
            conv = register_module("conv", new Conv2d(channels, channels, 3, padding: 1));
            norm = register_module("norm", new BatchNorm2d(channels));
            scale = register_parameter("scale", torch.ones([1]))!;
            register_buffer("scratch", torch.zeros([2]), persistent: false);
        }

        public Tensor scale { get; }

        public override Tensor forward(Tensor input) => norm.forward(conv.forward(input)) * scale;
    }

    private static readonly string[] blockKeys =
    [
        "scale", "conv.weight", "conv.bias", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var",
        "norm.num_batches_tracked",
    ];

    [Fact]
    public void StateDict_names_and_order_equal_PyTorch()
    {
        using var net = new Sequential([("stem", new Conv2d(3, 4, 1)), ("body", new Sequential(new Block(4), new ReLU(), new Block(4)))]);
        string[] first = [.. blockKeys.Select(key => "body.0." + key)], second = [.. blockKeys.Select(key => "body.2." + key)];
        Assert.Equal(["stem.weight", "stem.bias", .. first, .. second], net.state_dict().Keys);
        Assert.Equal(["", "stem", "body", "body.0", "body.0.conv", "body.0.norm", "body.1", "body.2", "body.2.conv", "body.2.norm"],
            net.named_modules().Select(named => named.name));
        Assert.Contains("body.0.scratch", net.named_buffers().Select(named => named.name));
        Assert.Equal(2 + (2 * 5), net.parameters().Count());
        Assert.StartsWith("Sequential()\n  (stem): Conv2d(weight [4, 3, 1, 1], bias [4])\n  (body): Sequential()", net.ToString());
    }

    [Fact]
    public void StateDict_shared_part_is_saved_under_both_names()
    {
        var shared = new Linear(2, 2);
        using var net = new Sequential(shared, new ReLU(), shared);
        Assert.Equal(2, net.parameters().Count());
        Assert.Equal(["0.weight", "0.bias", "2.weight", "2.bias"], net.state_dict().Keys);
    }

    [Fact]
    public void Parameters_outlive_scope_of_their_creation()
    {
        Block block;
        Tensor result;
        using (torch.NewDisposeScope())
        {
            block = new Block(2);
            result = block.forward(torch.ones([1, 2, 3, 3])).MoveToOuterDisposeScope();
        }
        Assert.All(block.state_dict().Values, tensor => Assert.False(tensor.IsDisposed));
        result.Dispose();
        Tensor weight = block.state_dict()["conv.weight"];
        block.Dispose();
        Assert.True(weight.IsDisposed);
    }

    [Fact]
    public void LoadStateDict_copies_in_place()
    {
        using var scope = torch.NewDisposeScope();
        using Block a = new(2), b = new(2);
        Tensor before = b.scale;
        a.scale.detach().fill_(3);
        b.load_state_dict(a.state_dict());
        Assert.Same(before, b.scale);
        Assert.All(a.state_dict(), pair => Assert.True(torch.equal(pair.Value, b.state_dict()[pair.Key]), pair.Key));
        Assert.True(b.scale.requires_grad);
    }

    [Fact]
    public void LoadStateDict_mismatch_is_one_line_and_changes_nothing()
    {
        using var scope = torch.NewDisposeScope();
        using Block block = new(2);
        OrderedDictionary<string, Tensor> state = block.state_dict();
        state.Remove("conv.bias");
        state.Remove("norm.num_batches_tracked");
        state["extra"] = torch.zeros([1]);
        state["norm.weight"] = torch.zeros([4]);
        state["scale"] = torch.full([1], 5);
        var error = Assert.Throws<TinctorException>(() => block.load_state_dict(state));
        const string report = "1 missing: conv.bias; 1 unexpected: extra; 1 misshapen: norm.weight [4] -> [2]";
        Assert.Equal("the weights do not fit Block: " + report, error.Message);
        Assert.Equal(1, block.scale.item());

        StateDictMismatch mismatch = block.load_state_dict(state, strict: false);
        Assert.Equal(["conv.bias"], mismatch.missing);
        Assert.Equal(["extra"], mismatch.unexpected);
        Assert.Equal(["norm.weight [4] -> [2]"], mismatch.misshapen);
        Assert.Equal(5, block.scale.item());
    }

    [Fact]
    public void To_other_type_keeps_tensors_of_optimiser()
    {
        using var scope = torch.NewDisposeScope();
        using Block block = new(2);
        Tensor weight = block.state_dict()["conv.weight"];
        block.forward(torch.ones([1, 2, 3, 3])).sum().backward();
        block.to(ScalarType.Float64);
        Assert.Same(weight, block.state_dict()["conv.weight"]);
        Assert.Equal(ScalarType.Float64, weight.dtype);
        Assert.Equal(ScalarType.Float64, weight.grad!.dtype);
        Assert.Equal(ScalarType.Int64, block.state_dict()["norm.num_batches_tracked"].dtype);
        Assert.True(weight.is_leaf && weight.requires_grad);
        block.zero_grad();
        Assert.Null(weight.grad);
        block.to(MemoryFormat.ChannelsLast).forward(torch.ones([1, 2, 3, 3], ScalarType.Float64)).sum().backward();
        Assert.True(weight.is_contiguous(MemoryFormat.ChannelsLast));
        block.zero_grad(set_to_none: false);
        Assert.Equal(0, weight.grad!.abs().sum().item());
    }

    [Fact]
    public void Eval_and_Apply_reach_every_part()
    {
        using var net = new Sequential(new Block(2), new Dropout());
        net.eval();
        Assert.All(net.modules(), module => Assert.False(module.training));
        var visited = new List<string>();
        net.train().apply(module => visited.Add(module.GetType().Name));
        Assert.Equal(["Conv2d", "BatchNorm2d", "Block", "Dropout", "Sequential"], visited);
        net.requires_grad_(false);
        Assert.All(net.parameters(), parameter => Assert.False(parameter.requires_grad));
    }

    [Fact]
    public void Sequential_frees_intermediate_results()
    {
        using var net = new Sequential(new Conv2d(1, 1, 1), new Spy(), new Spy(), new ReLU(true), new Spy());
        using Tensor x = torch.ones([1, 1, 2, 2]);
        using Tensor y = net.forward(x);
        Assert.False(x.IsDisposed);
        Assert.Equal([true, true, false], net.OfType<Spy>().Select(spy => spy.seen!.IsDisposed));
        Assert.Same(y, ((Spy)net[4]).seen);
    }

    private sealed class Spy : Module<Tensor, Tensor>
    {
        public Tensor? seen;

        public override Tensor forward(Tensor input) => seen = seen is null && input.requires_grad ? input.alias() : input;
    }

    [Fact]
    public void Constructors_with_invalid_arguments_throw()
    {
        Assert.Throws<ArgumentException>(() => new Conv2d(3, 4, 1, groups: 2));
        Assert.Throws<ArgumentException>(() => new GroupNorm(3, 4));
        Assert.Throws<ArgumentException>(() => new ModuleDict<Module>([("a.b", new ReLU())]));
        Assert.Throws<ArgumentException>(() => new Sequential([("a", new ReLU()), ("a", new ReLU())]));
        using var norm = new BatchNorm2d(2);
        using Tensor single = torch.zeros([1, 2, 1, 1]), other = torch.zeros([1, 3, 4, 4]);
        Assert.Contains("more than one value", Assert.Throws<ArgumentException>(() => norm.forward(single)).Message);
        var error = Assert.Throws<ArgumentException>(() => norm.forward(other));
        Assert.Equal("BatchNorm2d takes [N, 2, H, W], got [1, 3, 4, 4]", error.Message);
    }

    [Fact]
    public void ModuleList_and_ModuleDict_name_their_parts()
    {
        using var list = new ModuleList<Linear>(new Linear(1, 1, bias: false), new Linear(1, 2, bias: false));
        Assert.Equal(["0.weight", "1.weight"], list.state_dict().Keys);
        Assert.Equal(2, list[1].weight.size(0));
        using var dictionary = new ModuleDict<Linear>([("HER2", new Linear(1, 1)), ("Ki67", new Linear(1, 1, bias: false))]);
        Assert.Equal(["HER2.weight", "HER2.bias", "Ki67.weight"], dictionary.state_dict().Keys);
    }
}
