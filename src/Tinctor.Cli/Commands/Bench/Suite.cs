namespace Tinctor.Cli.Commands.Bench;

/// <summary>The workloads of <c>tinctor bench</c>, with the goals of docs/performance.md.</summary>
/// <param name="threads">Number of threads.</param>
/// <param name="python">Python interpreter of the peers.</param>
/// <param name="peer">PyTorch; null if it is missing.</param>
/// <param name="folder">Folder for models, slides and images.</param>
internal sealed class Suite(int threads, string python, PythonPeer? peer, string folder)
{
    private const double PassGoal = 0.4, StepGoal = 0.6, SlideGoal = 0.35, SlideGoalBfloat16 = 0.6, EvaluationGoal = 0.1, HelpLimit = 0.2;
    private const int DistinctPairs = 8;

    /// <summary>All workloads, the short ones first.</summary>
    public IEnumerable<Workload> All() => [.. Programs(), .. Passes(), .. Steps(), .. Slides()];

    private IEnumerable<Workload> Passes() =>
        from side in new[] { 512, 1024 }
        from network in NetworkPass.Networks
        select new NetworkPass(network, side, threads, peer, At("models")) { Goal = PassGoal };

    private IEnumerable<Workload> Steps() =>
        from step in new (string Name, int Side, int Batch)[]
        {
            ("pix2pix", 256, 1), ("pix2pix", 256, 4), ("pix2pix-resnet9", 256, 1), ("derestainer", 512, 1),
            ("ceff", 512, 1), ("bbdm", 256, 1), ("i2sb", 256, 1),
        }
        select new TrainingStep(step.Name, step.Side, step.Batch, peer) { Goal = StepGoal };

    private IEnumerable<Workload> Programs()
    {
        yield return new ProgramRun("help", ["--help"], [], () => { }) { LargestSeconds = HelpLimit };
        const int pairs = 200;
        string stained = At("evaluate/stained"), real = At("evaluate/real");
        yield return new ProgramRun($"evaluate:{pairs}",
            ["evaluate", "--stained", stained, "--real", real, "-o", At("evaluate/report"), "--metrics", "mae_dab", "--no-alignment",
                "--overwrite", "--threads", $"{threads}"],
            Peer("evaluate.py", stained, real), () => MakePairs(pairs, stained, real))
        { Goal = EvaluationGoal };
    }

    private IEnumerable<Workload> Slides() =>
        from side in new[] { 2560, 10000, 20000 }
        from norm in new[] { "batch", "instance" }
        from format in new[] { "float32", "bfloat16" }
        select Slide(side, norm, format);

    private ProgramRun Slide(int side, string norm, string format)
    {
        string model = At($"models/resnet9-{norm}"), slide = At($"slides/{side}/he/s001_f01.ome.tif");
        return new ProgramRun($"slide:{norm}:{side}:{format}",
            ["stain", model, slide, "-o", At("slides/stained"), "--whole-slide", "--overwrite", "--threads", $"{threads}"],
            Peer("whole_slide.py", Path.Combine(model, "model.safetensors"), slide, At("slides/plain.ome.tif"), $"{threads}", format),
            () =>
            {
                NetworkPass.WriteModel(model, $"resnet9-{norm}");
                if (File.Exists(slide)) return;
                Own("phantom", "-o", At($"slides/{side}"), "--slides", "1", "--size", $"{side}x{side}", "--stains", "he", "--whole-slides",
                    "--overwrite");
            })
        { Goal = format == "float32" ? SlideGoal : SlideGoalBfloat16 };
    }

    private void MakePairs(int count, string stained, string real)
    {
        if (Directory.Exists(stained)) return;
        Own("phantom", "-o", At("evaluate/phantom"), "--slides", $"{DistinctPairs}", "--size", "1024x1024");
        string[] sources = [.. Directory.GetFiles(At("evaluate/phantom/source")).Order()];
        Directory.CreateDirectory(real);
        Directory.CreateDirectory(stained);
        for (int i = 0; i < count; i++)
        {
            string source = sources[i % sources.Length], name = $"pair{i:D4}.png";
            File.Copy(source, Path.Combine(stained, name));
            File.Copy(Path.Combine(At("evaluate/phantom/target"), Path.GetFileName(source)), Path.Combine(real, name));
        }
    }

    private string[] Peer(string script, params ReadOnlySpan<string> arguments) =>
        peer is null ? [] : [python, Path.Combine(PythonPeer.Scripts, script), .. arguments];

    private static void Own(params ReadOnlySpan<string> arguments) => ProgramRun.Seconds(OwnProgram.Command(arguments));

    private string At(string name) => Path.Combine(folder, name);
}
