using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Tinctor.Data.Phantom;

namespace Tinctor.Cli.Commands;

/// <summary>tinctor phantom: synthetic paired sections with known truth.</summary>
public static class PhantomCommand
{
    private const string Description = """
        Make synthetic paired sections with known truth: tissue, glands, tumour, nuclei and HER2 membranes in several stains.
        The same seed gives the same bytes. The same command resumes an interrupted run.

        Examples:
          tinctor phantom -o pairs                                        8 slides, H&E to HER2
          tinctor phantom -o pairs --slides 20 --fields 4 --size 512x512  80 pairs of 20 slides
          tinctor phantom -o ki67 --stains he,ki67 --misalign 12          misaligned by up to 12 pixels, with the exact field
          tinctor phantom -o af --stains af,he --size 1280x1280           autofluorescence at 1/5 of the resolution to H&E
          tinctor phantom -o wsi --slides 1 --size 40000x40000 --whole-slides             whole slides, he/*.ome.tif and her2/*.ome.tif
          tinctor phantom -o lv --slides 99 --size 128x128 --output-mpp 1 --on-tumour --level-in-he 1   H&E that shows the level
          tinctor phantom -o bci --preset bci --slides 40                 consecutive sections like those of BCI, in its folders
        """;

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        var output = new Option<string>("--output", "-o")
        {
            Description = "Output folder; an interrupted phantom is completed",
            HelpName = "DIR",
            Required = true,
        };
        var slides = Of("--slides", "Number of slides; each has its own staining and tumour", 8);
        var fields = Of("--fields", "Images per slide, 1 to 64", 1);
        var size = new Option<(int Width, int Height)?>("--size")
        {
            Description = "Size of an image in pixels [default: 1024x1024, rounded down to the autofluorescence factor]",
            HelpName = "WxH",
            CustomParser = ParseSize,
        };
        var stains = new Option<PhantomStain[]>("--stains")
        {
            Description = "Source, then targets: he, her2, ki67, unstained, af (autofluorescence)",
            HelpName = "STAIN,STAIN",
            CustomParser = ParseStains,
            DefaultValueFactory = _ => [PhantomStain.He, PhantomStain.Her2],
        };
        var level = Of("--level", "HER2 level of the tumours", "mixed", "mixed|0|1+|2+|3+");
        level.Among("mixed", "0", "1+", "2+", "3+");
        var levelInHe = Of("--level-in-he", "Strength with which nuclei show the HER2 level in H&E, 0 to 1", 0.0);
        var levelInFields = new Option<bool>("--level-in-fields")
        {
            Description = "Only fields of about 200 um and more show the HER2 level in H&E; stained membranes vary independently",
        };
        var onTumour = new Option<bool>("--on-tumour")
        {
            Description = "Place fields on tumour; useful for small fields",
        };
        var seed = Of("--seed", "Random seed", 0UL);
        var stainSeed = new Option<ulong?>("--stain-seed")
        {
            Description = "Random seed of the stained membranes, with the morphology of --seed [default: part of --seed]",
            HelpName = "N",
        };
        var serial = new Option<bool>("--serial")
        {
            Description = "Targets are the next sections, 4 um deeper: the same glands, other cells",
        };
        var preset = new Option<string?>("--preset")
        {
            Description = "Defaults for consecutive sections like those of BCI, or for a section that is stained twice",
            HelpName = "bci|restain",
        };
        preset.Among("bci", "restain");
        var layout = Of("--layout", "Folders and names of the images", "tinctor", "tinctor|bci");
        layout.Among("tinctor", "bci");
        var mpp = Of("--output-mpp", "Pixel size in micrometres, 0.1 to 4", 0.5, "UM");
        var misalign = Of("--misalign", "Largest displacement of targets, affine and elastic", 0.0, "PX");
        var factor = Of("--af-factor", "Pixels per autofluorescence pixel, 1 to 16", 5);
        var ki67 = new Option<double?>("--ki67")
        {
            Description = "Share of positive tumour nuclei, 0 to 1 [default: random per slide]",
            HelpName = "SHARE"
        };
        var variation = Of("--stain-variation", "Stain variation between slides, 0 to 3", 1.0);
        var shading = Of("--shading", "Uneven illumination, 0 to 3", 1.0);
        var blur = new Option<double?>("--blur")
        {
            Description = "Focus blur in micrometres, 0 to 10 [default: 0.25 to 0.5, random per slide]",
            HelpName = "UM",
        };
        var noise = Of("--noise", "Sensor noise, 0 to 10", 1.0);
        var val = Of("--val", "Share of slides for validation", 0.15, "SHARE");
        var test = Of("--test", "Share of slides for testing", 0.15, "SHARE");
        var threads = Of("--threads", "Threads; 0 for one per core", 0);
        var whole = new Option<bool>("--whole-slides")
        {
            Description = "Write pyramidal OME-TIFFs of any size, without truth and manifest",
        };
        var overwrite = CommonOptions.Overwrite("Replace an existing phantom in the folder");
        var command = new GroupedCommand("phantom", Description)
        {
            { "Output", output, layout, whole, overwrite },
            { "Slides", preset, slides, fields, size, mpp, stains, seed, val, test },
            { "Tissue", serial, level, levelInHe, levelInFields, stainSeed, ki67, onTumour },
            { "Imaging", misalign, factor, variation, shading, blur, noise },
            { "Computation", threads },
        };
        command.SetAction((result, cancel) =>
        {
            PhantomStain[] chosen = result.GetRequiredValue(stains);
            string? kind = result.GetValue(preset);
            int f = chosen.Contains(PhantomStain.Autofluorescence) ? Math.Max(1, result.GetValue(factor)) : 1;
            (int width, int height) = result.GetValue(size) ?? (1024 / f * f, 1024 / f * f);
            var dataset = new PhantomDataset
            {
                Slides = result.GetValue(slides),
                FieldsPerSlide = result.GetValue(fields),
                Level = result.GetRequiredValue(level) is "mixed" ? null : result.GetRequiredValue(level)[0] - '0',
                ValidationShare = Preset(val, kind == "bci", 0),
                TestShare = result.GetValue(test),
                BciLayout = Preset(layout, kind == "bci", "bci") == "bci",
                Options = new PhantomOptions
                {
                    Width = width,
                    Height = height,
                    Mpp = result.GetValue(mpp),
                    Seed = result.GetValue(seed),
                    Stains = chosen,
                    LevelInHe = result.GetValue(levelInHe),
                    LevelInFields = Preset(levelInFields, kind is not null, true),
                    StainSeed = result.GetValue(stainSeed),
                    Serial = Preset(serial, kind == "bci", true),
                    OnTumour = result.GetValue(onTumour),
                    Ki67Share = result.GetValue(ki67),
                    Misalign = Preset(misalign, kind is not null, kind == "bci" ? 8 : 2),
                    AutofluorescenceFactor = result.GetValue(factor),
                    StainVariation = result.GetValue(variation),
                    Shading = result.GetValue(shading),
                    Blur = result.GetValue(blur),
                    SensorNoise = result.GetValue(noise),
                    Threads = result.GetValue(threads),
                },
            };
            string folder = result.GetRequiredValue(output);
            Write(dataset, folder, progress =>
            {
                if (result.GetValue(whole)) dataset.WriteSlides(folder, progress, cancel);
                else dataset.Write(folder, result.GetValue(overwrite), progress, cancel);
            });
            return Task.FromResult(0);

            // The value of a preset, unless the option is given.
            T Preset<T>(Option<T> option, bool applies, T value) =>
                applies && result.GetResult(option) is null or { Implicit: true } ? value : result.GetValue(option)!;
        });
        return command;
    }

    private static void Write(PhantomDataset dataset, string folder, Action<IProgress<PhantomProgress>> write)
    {
        try
        {
            ProgressDisplay.Show("phantom", display =>
                write(new DelegateProgress<PhantomProgress>(step => display.Report(step.Share, step.Name))));
        }
        catch (ArgumentException e)
        {
            throw new TinctorException(e.Message, e);
        }
        int images = dataset.Slides * dataset.FieldsPerSlide;
        string[] stains = [.. dataset.Options.Stains.Select(PhantomDataset.StainName)];
        string counts = $"{images} {(images == 1 ? "field" : "fields")} of {dataset.Slides} {(dataset.Slides == 1 ? "slide" : "slides")}";
        string size = $"{dataset.Options.Width}x{dataset.Options.Height}";
        Terminal.Result($"{folder}: {counts}, {stains[0]}{(stains.Length > 1 ? $" to {string.Join(", ", stains[1..])}" : "")}, {size}");
    }

    private static Option<T> Of<T>(string name, string description, T value, string unit = "N") =>
        new(name) { Description = description, HelpName = unit, DefaultValueFactory = _ => value };

    private static (int Width, int Height)? ParseSize(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        string[] sides = text.Split('x', 'X');
        if (sides.Length == 2 && int.TryParse(sides[0], NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            && int.TryParse(sides[1], NumberStyles.None, CultureInfo.InvariantCulture, out int height))
        {
            return (width, height);
        }
        result.AddError($"--size {text}: write it as 1024x768");
        return null;
    }

    private static PhantomStain[] ParseStains(ArgumentResult result)
    {
        List<PhantomStain> stains = [];
        PhantomStain[] all = Enum.GetValues<PhantomStain>();
        foreach (string name in result.Tokens.SelectMany(token =>
            token.Value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            PhantomStain[] matches = [.. all.Where(s => PhantomDataset.StainName(s) == name.ToLowerInvariant())];
            if (matches.Length == 0)
                result.AddError($"--stains {name}: not one of {string.Join(", ", all.Select(PhantomDataset.StainName))}");
            stains.AddRange(matches);
        }
        return [.. stains];
    }
}
