using Tinctor.Training.Losses;
using Tinctor.Training.Methods.Pix2Pix;
// Times one pix2pix training step and one generator pass in Tinctor and in plain PyTorch, alternately in one run, and prints the ratios.
// bench/run builds and starts this program.
using System.Diagnostics;
using System.Globalization;
using Tinctor.Bench;
using Tinctor.Torch;
using Tinctor.Torch.Nn;

int threads = args.Length > 1 ? int.Parse(args[1]) : 2;
int rounds = args.Length > 2 ? int.Parse(args[2]) : 7;
torch.set_num_threads(threads);

var config = new Pix2PixConfig { Generator = "resnet_9blocks", Dropout = false, GanMode = GanMode.Lsgan };
using var method = new ConditionalGanMethod(config, Device.CPU);
using Tensor source = torch.rand([1, 3, 256, 256]) * 2 - 1, target = torch.rand([1, 3, 256, 256]) * 2 - 1;
using Tensor large = torch.rand([1, 3, 512, 512]) * 2 - 1;
double generatorFlops = Flops.Generator(256), discriminatorFlops = Flops.Discriminator(256);

var workloads = new (string name, Action run, double flops)[]
{
    // Generator: one forward pass; the backward pass costs twice as much.
    // Discriminator: two images forward and backward, then one forward and back to its input.
    ("train", Train, 3 * generatorFlops + 2 * 3 * discriminatorFlops + 2 * discriminatorFlops),
    ("forward", () => Forward(null), Flops.Generator(512)),
    ("forward_bf16", () => Forward(ScalarType.BFloat16), Flops.Generator(512)),
};

using Process python = StartPython(args[0], threads);
double peak = Peak();
Console.WriteLine($"{threads} threads, {rounds} rounds each, libtorch {torch.version.libtorch}; "
    + $"measured peak {peak:F0} GFLOP/s (float32 matrix product or convolution)");
Console.WriteLine($"{"",-14}{"Tinctor s",10}{"Python s",10}{"ratio",8}   (min..max of the rounds)   share of peak");
var medians = new Dictionary<string, (double ours, double theirs)>();
foreach ((string name, Action run, double flops) in workloads)
{
    List<double> ours = [], theirs = [], ratios = [];
    for (int round = -2; round < rounds; round++)
    {
        double our = Time(run), their = RunInPython(python, name);
        if (round < 0) continue; // warm-up
        ours.Add(our);
        theirs.Add(their);
        ratios.Add(our / their);
    }
    medians[name] = (Median(ours), Median(theirs));
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{name,-14}{Median(ours),10:F3}{Median(theirs),10:F3}{Median(ratios),8:F2}   "
        + $"({ratios.Min():F2}..{ratios.Max():F2}){flops / Median(ours) / 1e9 / peak,28:P0}"));
}
Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
    $"generator pass in bf16 / Python's in float32: {medians["forward_bf16"].ours / medians["forward"].theirs:F2}"));
python.StandardInput.WriteLine("quit");
return 0;

void Train()
{
    using DisposeScope scope = torch.NewDisposeScope();
    method.Generator.train();
    method.TrainStep(source, target);
}

void Forward(ScalarType? low)
{
    using DisposeScope scope = torch.NewDisposeScope();
    using Guard quiet = torch.inference_mode();
    using Guard? cast = low is ScalarType dtype ? torch.autocast(DeviceType.CPU, dtype) : null;
    method.Generator.eval();
    method.Generator.forward(large);
}

// Peak performance: the faster of a large matrix product and a large convolution.
static double Peak()
{
    using DisposeScope scope = torch.NewDisposeScope();
    using Guard quiet = torch.no_grad();
    Tensor a = torch.randn([2048, 2048]), image = torch.randn([1, 256, 128, 128]), kernel = torch.randn([256, 256, 3, 3]);
    return Math.Max(Rate(() => a.matmul(a).Dispose(), 2.0 * Math.Pow(2048, 3)),
        Rate(() => F.conv2d(image, kernel, padding: 1).Dispose(), 2.0 * 256 * 256 * 9 * 128 * 128));
}

static double Rate(Action run, double operations) => operations / Enumerable.Range(0, 10).Min(_ => Time(run)) / 1e9;

static double Time(Action run)
{
    var watch = Stopwatch.StartNew();
    run();
    return watch.Elapsed.TotalSeconds;
}

static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

static Process StartPython(string script, int threads) => Process.Start(new ProcessStartInfo("/usr/bin/python3", [script, $"{threads}"])
{
    RedirectStandardInput = true,
    RedirectStandardOutput = true,
})!;

static double RunInPython(Process python, string word)
{
    python.StandardInput.WriteLine(word);
    string? answer = python.StandardOutput.ReadLine();
    return double.Parse(answer ?? throw new InvalidOperationException("The Python process ended before it returned a time."),
        CultureInfo.InvariantCulture);
}
