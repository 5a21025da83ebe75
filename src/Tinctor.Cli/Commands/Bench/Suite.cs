namespace Tinctor.Cli.Commands.Bench;

/// <summary>The workloads of <c>tinctor bench</c>, with the goals of docs/performance.md.</summary>
/// <param name="threads">Number of threads.</param>
/// <param name="python">Python interpreter of the peers.</param>
/// <param name="peer">PyTorch; null if it is missing.</param>
/// <param name="folder">Folder for models, slides and images.</param>
internal sealed class Suite(int threads, string python, PythonPeer? peer, string folder)
{
    private const double PassGoal = 0.4, StepGoal = 0.6, SlideGoal = 0.35, SlideGoalBfloat16 = 0.6, EvaluationGoal = 0.1, ConvertGoal = 1.3;
    private const double RegistrationGoal = 0.25, RegistrationLimit = 15, TileGoal = 1.2, CachedTileLimit = 0.02, HelpLimit = 0.2;
    private const int DistinctPairs = 8;

    /// <summary>All workloads, the short ones first.</summary>
    public IEnumerable<Workload> All() => [.. Programs(), .. Tiles(), .. Passes(), .. Steps(), .. Slides()];

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
        from mixed in new[] { false, true }
        select new TrainingStep(step.Name, step.Side, step.Batch, mixed, peer) { Goal = StepGoal };

    private IEnumerable<Workload> Programs()
    {
        yield return new ProgramRun("help", ["--help"], [], () => { }) { LargestSeconds = HelpLimit };
        const int pairs = 200;
        string stained = At("evaluate/stained"), real = At("evaluate/real");
        yield return new ProgramRun($"evaluate:{pairs}",
            ["evaluate", "--stained", stained, "--real", real, "-o", At("evaluate/report"), "--metrics", "mae_dab", "--no-alignment"],
            Peer("evaluate.py", stained, real), () => MakePairs(pairs, stained, real))
        { Goal = EvaluationGoal };

        string source = At("register/he/s001_f01.ome.tif"), target = At("register/her2/s001_f01.ome.tif");
        yield return new ProgramRun("register:2000", ["register", source, target, "-o", At("register/tinctor"), "--overwrite"],
            Peer("register.py", source, target, At("register/plain.npz"), $"{threads}"), () => MakeSlides("register", 2000, "he,her2"))
        { Goal = RegistrationGoal, LargestSeconds = RegistrationLimit };

        foreach (int side in new[] { 2560, 20000 })
        {
            string slide = At($"slides/{side}/he/s001_f01.ome.tif"), copy = At("slides/copy.ome.tif");
            string[] vips = ["vips", $"--vips-concurrency={threads}", "tiffsave", slide, At("slides/plain.tif"), "--tile",
                "--tile-width", "512", "--tile-height", "512", "--pyramid", "--subifd", "--bigtiff", "--compression", "jpeg", "--Q", "90"];
            yield return new ProgramRun($"convert:{side}", ["convert", slide, "-o", copy, "--overwrite"], vips,
                () => MakeSlides($"slides/{side}", side, "he"))
            { Goal = ConvertGoal };
        }
    }

    private IEnumerable<Workload> Tiles()
    {
        yield return new ViewerTile(cached: false, threads, folder, arguments => Own(arguments)) { Goal = TileGoal };
        yield return new ViewerTile(cached: true, threads, folder, arguments => Own(arguments)) { LargestSeconds = CachedTileLimit };
    }

    private IEnumerable<Workload> Slides() =>
        from side in new[] { 2560, 10000, 20000 }
        from norm in new[] { "batch", "instance" }
        from format in new[] { "float32", "bfloat16" }
        select Slide(side, norm, format);

    // The halo is stated, because the receptive field of random weights is wider than that of a trained network.
    private ProgramRun Slide(int side, string norm, string format)
    {
        string model = At($"models/resnet9-{norm}"), slide = At($"slides/{side}/he/s001_f01.ome.tif");
        return new ProgramRun($"slide:{norm}:{side}:{format}",
            ["stain", model, slide, "-o", At("slides/stained"), "--whole-slide", "--overwrite", "--threads", $"{threads}"],
            Peer("whole_slide.py", Path.Combine(model, "model.safetensors"), slide, At("slides/plain.ome.tif"), $"{threads}", format),
            () =>
            {
                NetworkPass.WriteModel(model, $"resnet9-{norm}");
                MakeSlides($"slides/{side}", side, "he");
            })
        { Goal = format == "float32" ? SlideGoal : SlideGoalBfloat16 };
    }

    // One slide for each stain, of sections that are displaced by up to 20 pixels.
    private void MakeSlides(string name, int side, string stains)
    {
        if (Directory.Exists(At(name))) return;
        Own("phantom", "-o", At(name), "--slides", "1", "--size", $"{side}x{side}", "--stains", stains, "--misalign", "20",
            "--whole-slides");
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
