// Evaluates stained images with a metric of its own: EvaluateWithMetric STAINED REAL REPORT
using Tinctor.Evaluation;
using Tinctor.Evaluation.Data;
using Tinctor.Evaluation.Metrics;
using Tinctor.Evaluation.Report;

var options = new EvaluationOptions
{
    Stained = [StainedFolder.Parse(args[0])],
    Real = args[1],
    Metrics = ["psnr", "ssim"],
    ExtraMetrics = [new MeanRedDifference()],
};
EvaluationResult result = Evaluator.Run(options);
Console.WriteLine(EvaluationFiles.Write(result, args[2]).Html);

internal sealed class MeanRedDifference : PairMetric
{
    public override string Key => "mean_red_difference";

    public override string Title => "Difference of mean red";

    public override bool HigherIsBetter => false;

    public override string Definition => "absolute difference of the mean of the red channel, 0 to 255";

    public override double Compute(ScoredImage image, ScoredImage reference) => Math.Abs(MeanRed(image) - MeanRed(reference));

    private static double MeanRed(ScoredImage image)
    {
        double sum = 0;
        for (int i = 0; i < image.Image.Data.Length; i += 3) sum += image.Image.Data[i];
        return sum / (image.Width * image.Height);
    }
}
