using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Files;

namespace Tinctor.Training.Networks;

/// <summary>
/// Inception v3 as TensorFlow's 2015-12-05 model has it, which FID, KID and IS are defined by (Szegedy et al. 2016; differences from
/// torchvision's after pytorch-fid's inception.py: average pooling leaves the padding out of the count, the last block pools by maximum,
/// 1,008 classes). [N,3,299,299] in [-1,1] to features [N,2048]; keys are those of pytorch-fid's weights.
/// </summary>
internal sealed class InceptionV3 : Module<Tensor, Tensor>
{
    /// <summary>Length of the feature vector.</summary>
    public const int Features = 2048;

    private readonly ConvBlock Conv2d_1a_3x3, Conv2d_2a_3x3, Conv2d_2b_3x3, Conv2d_3b_1x1, Conv2d_4a_3x3;
    private readonly Module<Tensor, Tensor>[] mixed;
    private readonly Linear fc;

    /// <summary>Creates the network with the default initialisation of PyTorch.</summary>
    public InceptionV3()
    {
        Conv2d_1a_3x3 = register_module("Conv2d_1a_3x3", new ConvBlock(3, 32, 3, stride: 2));
        Conv2d_2a_3x3 = register_module("Conv2d_2a_3x3", new ConvBlock(32, 32, 3));
        Conv2d_2b_3x3 = register_module("Conv2d_2b_3x3", new ConvBlock(32, 64, 3, padding: 1));
        Conv2d_3b_1x1 = register_module("Conv2d_3b_1x1", new ConvBlock(64, 80, 1));
        Conv2d_4a_3x3 = register_module("Conv2d_4a_3x3", new ConvBlock(80, 192, 3));
        mixed =
        [
            register_module("Mixed_5b", new InceptionA(192, 32)),
            register_module("Mixed_5c", new InceptionA(256, 64)),
            register_module("Mixed_5d", new InceptionA(288, 64)),
            register_module("Mixed_6a", new InceptionB(288)),
            register_module("Mixed_6b", new InceptionC(768, 128)),
            register_module("Mixed_6c", new InceptionC(768, 160)),
            register_module("Mixed_6d", new InceptionC(768, 160)),
            register_module("Mixed_6e", new InceptionC(768, 192)),
            register_module("Mixed_7a", new InceptionD(768)),
            register_module("Mixed_7b", new InceptionE(1280, maximum: false)),
            register_module("Mixed_7c", new InceptionE(2048, maximum: true)),
        ];
        fc = register_module("fc", new Linear(Features, 1008));
    }

    /// <summary>Loads the weights of pytorch-fid, in evaluation mode.</summary>
    /// <exception cref="TinctorException">The file holds other weights.</exception>
    public static InceptionV3 FromFile(string path)
    {
        // pytorch-fid's file also holds the auxiliary classifier, which is not used.
        var weights = StateDictFile.Load(path).Where(w => !w.Key.StartsWith("AuxLogits.", StringComparison.Ordinal)).ToDictionary();
        var network = new InceptionV3();
        try
        {
            network.load_state_dict(weights);
        }
        catch (TinctorException e)
        {
            network.Dispose();
            throw new TinctorException(path, $"not the weights of FID's Inception ({e.Message})",
                "Use pytorch-fid's pt_inception-2015-12-05-6726825d.pth, or StyleGAN's TorchScript inception-2015-12-05.pt", e);
        }
        network.eval();
        return network;
    }

    /// <inheritdoc/>
    public override Tensor forward(Tensor x)
    {
        x = Conv2d_2b_3x3.forward(Conv2d_2a_3x3.forward(Conv2d_1a_3x3.forward(x)));
        x = F.max_pool2d(x, 3, stride: 2);
        x = Conv2d_4a_3x3.forward(Conv2d_3b_1x1.forward(x));
        x = F.max_pool2d(x, 3, stride: 2);
        foreach (Module<Tensor, Tensor> block in mixed) x = block.forward(x);
        return F.adaptive_avg_pool2d(x, 1).flatten(1);
    }

    /// <summary>Class probabilities [N,1008] of features, without the bias, as the Inception Score's own code has them.</summary>
    public Tensor Probabilities(Tensor features) => F.softmax(F.linear(features, fc.weight), 1);

    private static Tensor AveragePool(Tensor x) => F.avg_pool2d(x, 3, stride: 1, padding: 1, count_include_pad: false);

    private sealed class ConvBlock : Module<Tensor, Tensor>
    {
        private readonly Conv2d conv;
        private readonly BatchNorm2d bn;

        public ConvBlock(int input, int output, Size2 kernel, Size2? stride = null, Size2? padding = null)
        {
            conv = register_module("conv", new Conv2d(input, output, kernel, stride, padding, bias: false));
            bn = register_module("bn", new BatchNorm2d(output, eps: 0.001));
        }

        public override Tensor forward(Tensor x) => F.relu(bn.forward(conv.forward(x)), inplace: true);
    }

    private sealed class InceptionA : Module<Tensor, Tensor>
    {
        private readonly ConvBlock branch1x1, branch5x5_1, branch5x5_2, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3, branch_pool;

        public InceptionA(int input, int pool)
        {
            branch1x1 = register_module("branch1x1", new ConvBlock(input, 64, 1));
            branch5x5_1 = register_module("branch5x5_1", new ConvBlock(input, 48, 1));
            branch5x5_2 = register_module("branch5x5_2", new ConvBlock(48, 64, 5, padding: 2));
            branch3x3dbl_1 = register_module("branch3x3dbl_1", new ConvBlock(input, 64, 1));
            branch3x3dbl_2 = register_module("branch3x3dbl_2", new ConvBlock(64, 96, 3, padding: 1));
            branch3x3dbl_3 = register_module("branch3x3dbl_3", new ConvBlock(96, 96, 3, padding: 1));
            branch_pool = register_module("branch_pool", new ConvBlock(input, pool, 1));
        }

        public override Tensor forward(Tensor x) => torch.cat(
        [
            branch1x1.forward(x),
            branch5x5_2.forward(branch5x5_1.forward(x)),
            branch3x3dbl_3.forward(branch3x3dbl_2.forward(branch3x3dbl_1.forward(x))),
            branch_pool.forward(AveragePool(x)),
        ], 1);
    }

    private sealed class InceptionB : Module<Tensor, Tensor>
    {
        private readonly ConvBlock branch3x3, branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3;

        public InceptionB(int input)
        {
            branch3x3 = register_module("branch3x3", new ConvBlock(input, 384, 3, stride: 2));
            branch3x3dbl_1 = register_module("branch3x3dbl_1", new ConvBlock(input, 64, 1));
            branch3x3dbl_2 = register_module("branch3x3dbl_2", new ConvBlock(64, 96, 3, padding: 1));
            branch3x3dbl_3 = register_module("branch3x3dbl_3", new ConvBlock(96, 96, 3, stride: 2));
        }

        public override Tensor forward(Tensor x) => torch.cat(
        [
            branch3x3.forward(x),
            branch3x3dbl_3.forward(branch3x3dbl_2.forward(branch3x3dbl_1.forward(x))),
            F.max_pool2d(x, 3, stride: 2),
        ], 1);
    }

    private sealed class InceptionC : Module<Tensor, Tensor>
    {
        private readonly ConvBlock branch1x1, branch7x7_1, branch7x7_2, branch7x7_3;
        private readonly ConvBlock branch7x7dbl_1, branch7x7dbl_2, branch7x7dbl_3, branch7x7dbl_4, branch7x7dbl_5, branch_pool;

        public InceptionC(int input, int c7)
        {
            ConvBlock Row(string name, int from, int to) => register_module(name, new ConvBlock(from, to, (1, 7), padding: (0, 3)));
            ConvBlock Column(string name, int from, int to) => register_module(name, new ConvBlock(from, to, (7, 1), padding: (3, 0)));
            branch1x1 = register_module("branch1x1", new ConvBlock(input, 192, 1));
            branch7x7_1 = register_module("branch7x7_1", new ConvBlock(input, c7, 1));
            branch7x7_2 = Row("branch7x7_2", c7, c7);
            branch7x7_3 = Column("branch7x7_3", c7, 192);
            branch7x7dbl_1 = register_module("branch7x7dbl_1", new ConvBlock(input, c7, 1));
            branch7x7dbl_2 = Column("branch7x7dbl_2", c7, c7);
            branch7x7dbl_3 = Row("branch7x7dbl_3", c7, c7);
            branch7x7dbl_4 = Column("branch7x7dbl_4", c7, c7);
            branch7x7dbl_5 = Row("branch7x7dbl_5", c7, 192);
            branch_pool = register_module("branch_pool", new ConvBlock(input, 192, 1));
        }

        public override Tensor forward(Tensor x)
        {
            Tensor twice = branch7x7dbl_3.forward(branch7x7dbl_2.forward(branch7x7dbl_1.forward(x)));
            return torch.cat(
            [
                branch1x1.forward(x),
                branch7x7_3.forward(branch7x7_2.forward(branch7x7_1.forward(x))),
                branch7x7dbl_5.forward(branch7x7dbl_4.forward(twice)),
                branch_pool.forward(AveragePool(x)),
            ], 1);
        }
    }

    private sealed class InceptionD : Module<Tensor, Tensor>
    {
        private readonly ConvBlock branch3x3_1, branch3x3_2, branch7x7x3_1, branch7x7x3_2, branch7x7x3_3, branch7x7x3_4;

        public InceptionD(int input)
        {
            branch3x3_1 = register_module("branch3x3_1", new ConvBlock(input, 192, 1));
            branch3x3_2 = register_module("branch3x3_2", new ConvBlock(192, 320, 3, stride: 2));
            branch7x7x3_1 = register_module("branch7x7x3_1", new ConvBlock(input, 192, 1));
            branch7x7x3_2 = register_module("branch7x7x3_2", new ConvBlock(192, 192, (1, 7), padding: (0, 3)));
            branch7x7x3_3 = register_module("branch7x7x3_3", new ConvBlock(192, 192, (7, 1), padding: (3, 0)));
            branch7x7x3_4 = register_module("branch7x7x3_4", new ConvBlock(192, 192, 3, stride: 2));
        }

        public override Tensor forward(Tensor x) => torch.cat(
        [
            branch3x3_2.forward(branch3x3_1.forward(x)),
            branch7x7x3_4.forward(branch7x7x3_3.forward(branch7x7x3_2.forward(branch7x7x3_1.forward(x)))),
            F.max_pool2d(x, 3, stride: 2),
        ], 1);
    }

    private sealed class InceptionE : Module<Tensor, Tensor>
    {
        private readonly ConvBlock branch1x1, branch3x3_1, branch3x3_2a, branch3x3_2b;
        private readonly ConvBlock branch3x3dbl_1, branch3x3dbl_2, branch3x3dbl_3a, branch3x3dbl_3b, branch_pool;
        private readonly bool maximum;

        public InceptionE(int input, bool maximum)
        {
            ConvBlock Row(string name) => register_module(name, new ConvBlock(384, 384, (1, 3), padding: (0, 1)));
            ConvBlock Column(string name) => register_module(name, new ConvBlock(384, 384, (3, 1), padding: (1, 0)));
            this.maximum = maximum;
            branch1x1 = register_module("branch1x1", new ConvBlock(input, 320, 1));
            branch3x3_1 = register_module("branch3x3_1", new ConvBlock(input, 384, 1));
            branch3x3_2a = Row("branch3x3_2a");
            branch3x3_2b = Column("branch3x3_2b");
            branch3x3dbl_1 = register_module("branch3x3dbl_1", new ConvBlock(input, 448, 1));
            branch3x3dbl_2 = register_module("branch3x3dbl_2", new ConvBlock(448, 384, 3, padding: 1));
            branch3x3dbl_3a = Row("branch3x3dbl_3a");
            branch3x3dbl_3b = Column("branch3x3dbl_3b");
            branch_pool = register_module("branch_pool", new ConvBlock(input, 192, 1));
        }

        public override Tensor forward(Tensor x)
        {
            Tensor once = branch3x3_1.forward(x), twice = branch3x3dbl_2.forward(branch3x3dbl_1.forward(x));
            Tensor pooled = maximum ? F.max_pool2d(x, 3, stride: 1, padding: 1) : AveragePool(x);
            return torch.cat(
            [
                branch1x1.forward(x),
                branch3x3_2a.forward(once), branch3x3_2b.forward(once),
                branch3x3dbl_3a.forward(twice), branch3x3dbl_3b.forward(twice),
                branch_pool.forward(pooled),
            ], 1);
        }
    }
}
