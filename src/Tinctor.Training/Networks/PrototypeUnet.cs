using Tinctor.Torch;
using Tinctor.Torch.Nn;

namespace Tinctor.Training.Networks;

/// <summary>
/// U-Net for two classes whose last features are compared with prototypes (UNet_pro in models/PCLS.py of the official PSPStain; its
/// state-dict keys). [N,3,H,W] to features [N,32,H,W] and logits [N,2,H,W].
/// </summary>
internal sealed class PrototypeUnet : Module
{
    private const int Classes = 2;
    private static readonly int[] Widths = [32, 32, 64, 128, 256];
    private static readonly double[] Dropouts = [0.05, 0.1, 0.2, 0.3, 0.5];
    private readonly Encoder encoder;
    private readonly Decoder decoder;

    /// <param name="dropout">Whether the encoder has dropout in training mode.</param>
    public PrototypeUnet(bool dropout = true)
    {
        encoder = register_module("encoder", new Encoder(dropout));
        decoder = register_module("decoder1", new Decoder());
    }

    /// <summary>Computes the last features and the class logits.</summary>
    public (Tensor Features, Tensor Logits) Run(Tensor images) => decoder.Run(encoder.Run(images));

    private static Sequential Block(int from, int to, double dropout) => new(
    [
        ("conv_conv", new Sequential(new Conv2d(from, to, 3, padding: 1), new BatchNorm2d(to), new LeakyReLU(), new Dropout(dropout),
            new Conv2d(to, to, 3, padding: 1), new BatchNorm2d(to), new LeakyReLU())),
    ]);

    private sealed class Encoder : Module
    {
        private readonly Sequential[] levels;

        public Encoder(bool dropout) => levels = [.. Widths.Select((width, level) => level == 0
            ? register_module("in_conv", Block(3, width, dropout ? Dropouts[level] : 0))
            : register_module($"down{level}", new Sequential(
            [
                ("maxpool_conv", new Sequential(new MaxPool2d(2), Block(Widths[level - 1], width, dropout ? Dropouts[level] : 0))),
            ])))];

        public Tensor[] Run(Tensor x) => [.. levels.Select(level => x = level.forward(x))];
    }

    private sealed class Decoder : Module
    {
        private readonly Up[] levels;
        private readonly Conv2d head;

        public Decoder()
        {
            levels = [.. Enumerable.Range(1, Widths.Length - 1)
                .Select(i => register_module($"up{i}", new Up(Widths[^i], Widths[^(i + 1)])))];
            head = register_module("out_conv", new Conv2d(Widths[0], Classes, 3, padding: 1));
        }

        public (Tensor Features, Tensor Logits) Run(Tensor[] features)
        {
            Tensor x = features[^1];
            for (int i = 0; i < levels.Length; i++) x = levels[i].Merge(x, features[^(i + 2)]);
            return (x, head.forward(x));
        }
    }

    private sealed class Up : Module
    {
        private readonly Conv2d conv1x1;
        private readonly Sequential conv;

        public Up(int from, int to)
        {
            conv1x1 = register_module("conv1x1", new Conv2d(from, to, 1));
            conv = register_module("conv", Block(to * 2, to, dropout: 0));
        }

        public Tensor Merge(Tensor x, Tensor skip)
        {
            Tensor larger = F.interpolate(conv1x1.forward(x), (Size2)(skip.size(2), skip.size(3)), mode: "bilinear", align_corners: true);
            return conv.forward(torch.cat([skip, larger], 1));
        }
    }
}
