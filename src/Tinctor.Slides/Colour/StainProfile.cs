using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tinctor.Slides.Colour;

/// <summary>Method of stain estimation and normalisation.</summary>
public enum StainMethod
{
    /// <summary>Stain directions by extreme angles in the plane of the densities, concentrations scaled (Macenko et al. 2009).</summary>
    Macenko,

    /// <summary>Stain directions by sparse non-negative matrix factorisation, concentrations scaled (Vahadane et al. 2016).</summary>
    Vahadane,

    /// <summary>Mean and standard deviation of colours in L*a*b*, without stains (Reinhard et al. 2001).</summary>
    Reinhard,
}

/// <summary>Stain estimated from images.</summary>
public sealed record StainVector
{
    /// <summary>H (haematoxylin), E (eosin) or DAB.</summary>
    public string Name { get; init; } = "";

    /// <summary>Direction of the optical density in R, G and B, of length 1.</summary>
    public double[] Od { get; init; } = [];

    /// <summary>99th percentile of the concentration over stained pixels, in decimal optical density.</summary>
    public double Maximum { get; init; }
}

/// <summary>Stain profile of one or more images, which serves as a reference for normalisation. Saved as JSON.</summary>
public sealed record StainProfile
{
    private const int Fewest = 100;

    // In L*a*b*: tissue varies by more than this, noise of JPEG and 8 bits by less than a range of NoiseRange.
    private const double TissueDeviation = 5;
    private const double NoiseRange = 2;

    private static readonly JsonSerializerOptions Json = new(JsonFormat.Readable)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Method of the estimation.</summary>
    public StainMethod Method { get; init; }

    /// <summary>Haematoxylin and the other stain; empty for Reinhard.</summary>
    public StainVector[] Stains { get; init; } = [];

    /// <summary>Mean L*, a*, b* of the stained pixels.</summary>
    public double[] LabMean { get; init; } = [];

    /// <summary>Standard deviation of L*, a*, b* over the stained pixels.</summary>
    public double[] LabDeviation { get; init; } = [];

    /// <summary>Number of images in the estimation.</summary>
    public int Images { get; init; }

    /// <summary>Number of stained pixels in the estimation.</summary>
    public int Pixels { get; init; }

    /// <summary>Creates the matrix of the two stains and an orthogonal residual; not for Reinhard.</summary>
    public StainMatrix Matrix() => StainMatrix.FromStains(Stains[0].Od, Stains[1].Od);

    /// <summary>Estimates a profile.</summary>
    /// <exception cref="TinctorException">
    /// Fewer than 100 pixels are stained, or there is only one stain (Reinhard: one colour). The exception names no file.
    /// </exception>
    internal static StainProfile Estimate(StainedPixels pixels, StainMethod method)
    {
        if (pixels.Count < Fewest)
            throw new TinctorException(
                $"only {pixels.Count} of the sampled pixels are stained, but {Fewest} are needed to estimate the stains");
        float[] lab = pixels.Light;
        CieLab.FromRgb(lab, lab);
        (double[] mean, double[] deviation) = LabStatistics(lab);
        if (method == StainMethod.Reinhard && deviation.Max() < TissueDeviation && HasOneColour(lab))
            throw new TinctorException("all stained pixels have one colour");
        return new()
        {
            Method = method,
            Stains = method == StainMethod.Reinhard ? [] : FindStains(pixels.Density, method),
            LabMean = mean,
            LabDeviation = deviation,
            Images = pixels.Images,
            Pixels = pixels.Count,
        };
    }

    /// <summary>Reads a profile.</summary>
    /// <exception cref="TinctorException">The file is missing or is not a valid profile.</exception>
    public static StainProfile Read(string path)
    {
        using FileStream stream = InputFile.Open(path);
        try
        {
            StainProfile profile = JsonSerializer.Deserialize<StainProfile>(stream, Json)
                ?? throw new TinctorException("the file is empty");
            profile.Validate();
            return profile;
        }
        catch (Exception e) when (e is JsonException or TinctorException)
        {
            throw new TinctorException(path, $"is not a stain profile ({e.Message})", "Estimate a profile from a reference image.", e);
        }
    }

    /// <summary>Writes the profile as JSON, atomically.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>Checks the profile.</summary>
    /// <exception cref="TinctorException">A value is missing or out of range.</exception>
    public void Validate()
    {
        if (!Enum.IsDefined(Method) || Stains is null || Stains.Length != (Method == StainMethod.Reinhard ? 0 : 2))
        {
            throw new TinctorException($"{Stains?.Length ?? 0} stains, but a profile of {Method.ToString().ToLowerInvariant()} has "
                + $"{(Method == StainMethod.Reinhard ? "none" : "two")}");
        }
        if (!IsTriple(LabMean) || !IsTriple(LabDeviation) || LabDeviation.Any(value => value < 0))
        {
            throw new TinctorException("lab_mean and lab_deviation must be three numbers each");
        }
        foreach (var stain in Stains)
        {
            if (stain is null || !IsTriple(stain.Od) || Math.Abs(Length(stain.Od) - 1) > 0.01 || !(stain.Maximum is > 0 and < 100))
            {
                throw new TinctorException("each stain needs od (three numbers, a vector of length 1) and maximum (above 0)");
            }
        }
        if (Stains is [var first, var second] && Math.Abs(Dot(first.Od, second.Od)) > 0.9999)
        {
            throw new TinctorException("both stains have the same colour");
        }
    }

    private static StainVector[] FindStains(float[] density, StainMethod method)
    {
        var matrix = method == StainMethod.Macenko
            ? StainEstimation.Macenko(density, minimum: 0)
            : StainEstimation.Vahadane(density);
        double[] first = [.. matrix.Rows[..3]], second = [.. matrix.Rows[3..6]];
        var concentrations = new StainConcentrations(first, second);
        var (a, b) = (new double[density.Length / 3], new double[density.Length / 3]);
        for (var i = 0; i < a.Length; i++)
        {
            (a[i], b[i]) = concentrations.Solve(density[3 * i], density[3 * i + 1], density[3 * i + 2]);
        }
        return
        [
            new() { Name = "H", Od = first, Maximum = StainEstimation.Percentile(a, 99) },
            new() { Name = CounterName(second), Od = second, Maximum = StainEstimation.Percentile(b, 99) },
        ];
    }

    // Eosin absorbs green light most, DAB blue.
    private static string CounterName(double[] stain) => stain[1] > stain[2] ? "E" : "DAB";

    private static (double[] Mean, double[] Deviation) LabStatistics(float[] lab)
    {
        (double[] mean, double[] deviation) = (new double[3], new double[3]);
        int count = lab.Length / 3;
        for (int i = 0; i < lab.Length; i++) mean[i % 3] += lab[i] / (double)count;
        for (int i = 0; i < lab.Length; i++) deviation[i % 3] += Math.Pow(lab[i] - mean[i % 3], 2) / count;
        return (mean, Array.ConvertAll(deviation, Math.Sqrt));
    }

    // Percentiles, as a few specks of dust are no second colour.
    private static bool HasOneColour(float[] lab) => Enumerable.Range(0, 3).All(c =>
    {
        var values = new double[lab.Length / 3];
        for (int i = 0; i < values.Length; i++) values[i] = lab[(3 * i) + c];
        return StainEstimation.Percentile(values, 99) - StainEstimation.Percentile(values, 1) < NoiseRange;
    });

    private static bool IsTriple(double[]? values) => values is [var a, var b, var c] && double.IsFinite(a + b + c);

    private static double Length(double[] v) => Math.Sqrt(Dot(v, v));

    private static double Dot(double[] a, double[] b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
