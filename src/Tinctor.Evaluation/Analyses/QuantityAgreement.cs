using System.Globalization;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Sections;
using Tinctor.Evaluation.Statistics;
using Tinctor.Measurement;

namespace Tinctor.Evaluation.Analyses;

/// <summary>
/// Agreement of a quantity between the real images and those of one method: correlation, concordance, bias and limits of agreement.
/// </summary>
/// <param name="Quantity">The quantity.</param>
/// <param name="Method">Method that made the images.</param>
/// <param name="Per">Unit of measurement: image or slide.</param>
/// <param name="Names">Names of the images or slides.</param>
/// <param name="Real">Values of the real images.</param>
/// <param name="Made">Values of the method's images.</param>
internal sealed record QuantityAgreement(
    Quantity Quantity, ScoredMethod Method, string Per, IReadOnlyList<string> Names, IReadOnlyList<double> Real, IReadOnlyList<double> Made)
{
    /// <summary>Computes the agreement of pairs in which both numbers are defined.</summary>
    public static QuantityAgreement Compute(Quantity quantity, ScoredMethod method, string per,
        IEnumerable<(string Name, double Real, double Made)> values)
    {
        var defined = values.Where(value => double.IsFinite(value.Real) && double.IsFinite(value.Made)).ToArray();
        return new(quantity, method, per, [.. defined.Select(value => value.Name)], [.. defined.Select(value => value.Real)],
            [.. defined.Select(value => value.Made)]);
    }

    /// <summary>Definitions of the columns of the table.</summary>
    public static IReadOnlyList<Definition> Definitions { get; } =
    [
        new("r, ρ", "Pearson's and Spearman's correlation, which do not depend on scale and offset"),
        new("Lin's concordance", "2 cov / (var + var + difference of means squared) (Lin 1989); 1 only for equal values"),
        new("Bias, limits of agreement", "mean of the differences method - real with its 95% t interval, and bias ± 1.96 standard "
            + "deviations (Bland and Altman 1986): 95% of single differences are expected between the limits"),
    ];

    /// <summary>Creates a table with a row for each quantity and method.</summary>
    public static SectionTable Table(string key, string title, IEnumerable<QuantityAgreement> agreements) => new(key, title,
    [
        new("quantity", "Quantity"), new("per", "Per"), new("method", "Method"), new("n", "n", 0), new("mean_real", "Mean, real"),
        new("mean", "Mean, method"), new("pearson", "r"), new("spearman", "ρ"), new("concordance", "Lin's concordance"),
        new("bias", "Bias"), new("bias_low", "Bias, 95% low"), new("bias_high", "Bias, 95% high"), new("limit_low", "Lower limit"),
        new("limit_high", "Upper limit"),
    ], [.. agreements.Select(agreement => agreement.Row())]);

    /// <summary>Creates a scatter plot of a method and the real images, with the diagonal of perfect agreement.</summary>
    public static ScatterChart Scatter(IReadOnlyList<QuantityAgreement> methods)
    {
        Quantity quantity = methods[0].Quantity;
        return new(quantity.Key, $"{quantity.Title}: stained against real",
            $"Each point is one {methods[0].Per}; agreement lies on the diagonal.",
            $"{quantity.Heading}, real", $"{quantity.Heading}, stained",
            [.. methods.Select(method => new ChartSeries(method.Method.Title, method.Real, method.Made, method.Names))])
        {
            Diagonal = true,
        };
    }

    /// <summary>Creates a Bland-Altman plot with bias and limits of agreement; null for fewer than two points.</summary>
    public ScatterChart? BlandAltmanChart()
    {
        if (BlandAltman.Compute(Made, Real) is not { } agreement) return null;
        string Text(double value) => value.ToString($"F{Quantity.Digits}", CultureInfo.InvariantCulture);
        return new($"{Quantity.Key}_bland_altman_{Method.Key}", $"{Quantity.Title}: Bland-Altman of {Method.Title}",
            $"Each point is one {Per}. Bias {Text(agreement.Bias)}, limits of agreement {Text(agreement.Lower)} to "
            + $"{Text(agreement.Upper)}; values close to zero are good. A slope means that the error grows with the quantity.",
            $"{Quantity.Heading}, mean of the two", $"{Quantity.Heading}, stained - real",
            [new(Method.Title, [.. Made.Zip(Real, (m, r) => (m + r) / 2)], [.. Made.Zip(Real, (m, r) => m - r)], Names)])
        {
            Lines = [new("bias", agreement.Bias), new("lower limit", agreement.Lower), new("upper limit", agreement.Upper)],
        };
    }

    private IReadOnlyList<object?> Row()
    {
        BlandAltman? limits = BlandAltman.Compute(Made, Real);
        return
        [
            Quantity.Heading, Per, Method.Title, Real.Count, Number(Real.Count > 0 ? Real.Average() : double.NaN),
            Number(Made.Count > 0 ? Made.Average() : double.NaN), Number(SampleStatistics.Pearson(Made, Real)),
            Number(Agreement.Spearman(Made, Real)), Number(Agreement.Concordance(Made, Real)), limits?.Bias, limits?.BiasCi.Low,
            limits?.BiasCi.High, limits?.Lower, limits?.Upper,
        ];
    }

    private static object? Number(double value) => double.IsNaN(value) ? null : value;
}
