namespace Tinctor.Evaluation.Statistics;

/// <summary>Student's t distribution with integer degrees of freedom.</summary>
internal static class StudentT
{
    /// <summary>The share of the distribution between -t and t (the finite series of Abramowitz and Stegun 26.7.3 and 26.7.4).</summary>
    /// <param name="t">At least 0.</param>
    /// <param name="degrees">Degrees of freedom, at least 1.</param>
    public static double Central(double t, int degrees)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(degrees, 1);
        double angle = Math.Atan2(t, Math.Sqrt(degrees)), sine = Math.Sin(angle), cosine = Math.Cos(angle);
        bool odd = degrees % 2 == 1;
        double term = odd ? cosine : 1, sum = 0;
        for (int k = odd ? 1 : 0; k <= degrees - 2; k += 2)
        {
            sum += term;
            term *= cosine * cosine * (k + 1) / (k + 2);
        }
        return odd ? 2 / Math.PI * (angle + (sine * sum)) : sine * sum;
    }

    /// <summary>The t that leaves (1 - confidence) / 2 above it.</summary>
    /// <param name="confidence">In (0, 1).</param>
    /// <param name="degrees">Degrees of freedom, at least 1.</param>
    public static double Quantile(double confidence, int degrees)
    {
        double low = 0, high = 1;
        while (Central(high, degrees) < confidence) high *= 2;
        while (high - low > 1e-12 * high)
        {
            double middle = (low + high) / 2;
            if (Central(middle, degrees) < confidence) low = middle;
            else high = middle;
        }
        return high;
    }
}
