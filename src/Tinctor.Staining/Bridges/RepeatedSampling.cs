using Tinctor.Torch;

namespace Tinctor.Staining.Bridges;

/// <summary>
/// Runs a sampler several times on the same source: averaging lessens the variance, and the spread tells where the bridge is unsure.
/// </summary>
public static class RepeatedSampling
{
    /// <summary>
    /// The mean of all runs, and the standard deviation over them (n - 1 in the denominator; 0 for one run), both of a run's shape. Only
    /// one run's image is held at a time.
    /// </summary>
    /// <param name="repeats">How many runs.</param>
    /// <param name="sample">One run, by its number; each with noise of its own.</param>
    public static (Tensor Mean, Tensor Deviation) Run(int repeats, Func<int, Tensor> sample)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(repeats, 1);
        using DisposeScope results = torch.NewDisposeScope();
        Tensor mean = sample(0).clone(), squares = torch.zeros_like(mean);
        for (int run = 1; run < repeats; run++)
        {
            // Welford 1962: exact for many runs of nearly the same value.
            using DisposeScope temporaries = torch.NewDisposeScope();
            Tensor image = sample(run), difference = image - mean;
            mean.add_(difference, 1.0 / (run + 1));
            squares.addcmul_(difference, image - mean);
        }
        Tensor deviation = (squares / Math.Max(repeats - 1, 1)).sqrt();
        return (mean.MoveToOuterDisposeScope(), deviation.MoveToOuterDisposeScope());
    }
}
