#:project ../src/Tinctor.Training/Tinctor.Training.csproj
#:property AssemblyName=Tinctor.Bench
#:property PublishAot=false
// Compares the memory formats contiguous and channels-last: a forward pass of ResNet-9 at 512x512 and a pix2pix training step at 256x256,
// alternately in one run. Prints medians of seconds and of ratios; processor time depends less on other programs.
// ./tinctor builds the native library that TINCTOR_NATIVE names:
//   export TINCTOR_NATIVE=$PWD/build/native/debian/libtinctor_torch.so OMP_WAIT_POLICY=passive
//   dotnet run -c Release bench/memory-format.cs [threads] [rounds]
using System.Diagnostics;
using System.Globalization;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Methods.Pix2Pix;

int threads = args.Length > 0 ? int.Parse(args[0]) : 2, rounds = args.Length > 1 ? int.Parse(args[1]) : 7;
torch.set_num_threads(threads);
var formats = new[] { MemoryFormat.Contiguous, MemoryFormat.ChannelsLast };
var methods = formats.ToDictionary(format => format, Create);
Console.WriteLine($"{threads} threads, {rounds} rounds, libtorch {torch.version.libtorch}");
foreach ((string name, Action<MemoryFormat> run) in new (string, Action<MemoryFormat>)[] { ("forward", Forward), ("train", Train) })
{
    List<(double Wall, double Processor)> plain = [], last = [];
    for (int round = -2; round < rounds; round++)
    {
        (double, double)[] seconds = [.. formats.Select(format => Time(() => run(format)))];
        if (round < 0) continue; // warm-up
        plain.Add(seconds[0]);
        last.Add(seconds[1]);
    }
    Report(name, "wall clock", [.. plain.Select(time => time.Wall)], [.. last.Select(time => time.Wall)]);
    Report(name, "processor", [.. plain.Select(time => time.Processor)], [.. last.Select(time => time.Processor)]);
}

static void Report(string name, string clock, double[] plain, double[] last)
{
    double[] ratios = [.. last.Zip(plain, (a, b) => a / b)];
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name,-8} {clock,-11} contiguous {Median(plain):F3} s, channels-last "
        + $"{Median(last):F3} s, ratio {Median(ratios):F2} ({ratios.Min():F2} to {ratios.Max():F2})"));
}

ConditionalGanMethod Create(MemoryFormat format)
{
    var method = new ConditionalGanMethod(new Pix2PixConfig { Generator = "resnet_9blocks", Dropout = false }, Device.CPU);
    foreach (Module network in method.Networks.Values) network.to(format);
    return method;
}

void Forward(MemoryFormat format)
{
    using DisposeScope scope = torch.NewDisposeScope();
    using Guard quiet = torch.inference_mode();
    methods[format].Generator.eval();
    methods[format].Generator.forward(torch.rand([1, 3, 512, 512]).contiguous(format));
}

void Train(MemoryFormat format)
{
    using DisposeScope scope = torch.NewDisposeScope();
    methods[format].Generator.train();
    methods[format].TrainStep(torch.rand([1, 3, 256, 256]).contiguous(format), torch.rand([1, 3, 256, 256]).contiguous(format));
}

static (double Wall, double Processor) Time(Action run)
{
    var watch = Stopwatch.StartNew();
    TimeSpan before = Environment.CpuUsage.TotalTime;
    run();
    return (watch.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalSeconds);
}

static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
