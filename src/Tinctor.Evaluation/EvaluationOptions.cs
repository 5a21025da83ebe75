using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Sections;

namespace Tinctor.Evaluation;

/// <summary>What to evaluate, and how. Folders are matched by file name without extension.</summary>
public sealed record EvaluationOptions
{
    /// <summary>The images that models made: a folder a model, all with the same file names.</summary>
    public required IReadOnlyList<StainedFolder> Stained { get; init; }

    /// <summary>Folder of the real images of the target stain.</summary>
    public required string Real { get; init; }

    /// <summary>Folder of the model's inputs; needed for the identity baseline and shown in the report.</summary>
    public string? Source { get; init; }

    /// <summary>
    /// CSV with the columns name, label and, where known, slide_id; or a data set's manifest (target, split, label, slide_id), of which
    /// only the test split is then evaluated, and whose training split gives the mean colour. Without it BCI's level suffixes are
    /// recognised.
    /// </summary>
    public string? Labels { get; init; }

    /// <summary>Folder of the real target images of the training set, for the mean-colour baseline.</summary>
    public string? TrainReal { get; init; }

    /// <summary>Run folder of the model: its training curves and its configuration go into the report.</summary>
    public string? Run { get; init; }

    /// <summary>The report's title; by default the name of the run or of the stained folder.</summary>
    public string? Title { get; init; }

    /// <summary>Which SSIM.</summary>
    public SsimVariant Ssim { get; init; } = SsimVariant.Uniform7;

    /// <summary>Keys of the image metrics to compute, beside PSNR and SSIM; empty for all the usual ones.</summary>
    public IReadOnlyList<string> Metrics { get; init; } = [];

    /// <summary>Image metrics beside the usual ones, such as LPIPS.</summary>
    public IReadOnlyList<PairMetric> ExtraMetrics { get; init; } = [];

    /// <summary>What else is looked into: each fills a section of the report, in this order.</summary>
    public IReadOnlyList<IAnalysis> Analyses { get; init; } = [];

    /// <summary>Bootstrap resamples, at least 100.</summary>
    public int Resamples { get; init; } = 2000;

    /// <summary>Coverage of the confidence intervals.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Seed of the bootstrap.</summary>
    public int Seed { get; init; }
}

/// <summary>The images of one model.</summary>
/// <param name="Name">What reports call the model; also its key in files.</param>
/// <param name="Path">Its folder.</param>
public sealed record StainedFolder(string Name, string Path)
{
    /// <summary>Reads <c>NAME=DIR</c>, or <c>DIR</c> for a lone model without a name.</summary>
    /// <exception cref="TinctorException">The name is empty or one of a baseline's.</exception>
    public static StainedFolder Parse(string text)
    {
        int equals = text.IndexOf('=');
        if (equals < 0 || Directory.Exists(text)) return new(Method.Model, text);
        string name = text[..equals].Trim();
        if (name is "" or Method.Identity or Method.MeanColour)
            throw new TinctorException($"{text}: \"{name}\" cannot name a model; give NAME=DIR with another name");
        return new(name, text[(equals + 1)..]);
    }
}
