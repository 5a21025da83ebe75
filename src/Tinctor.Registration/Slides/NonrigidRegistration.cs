using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Torch;
using Tinctor.Torch.Optim;
using Tinctor.Transforms;

namespace Tinctor.Registration.Slides;

/// <summary>Resolution at which the displacement is optimised.</summary>
/// <param name="Side">Longer side of the source in pixels.</param>
/// <param name="Window">Side of the windows of local correlation, in pixels.</param>
/// <param name="Steps">Number of steps.</param>
internal sealed record NonrigidLevel(int Side, int Window, int Steps);

/// <summary>
/// Nonrigid registration: gradient ascent (Adam) on a similarity metric minus a smoothness penalty, from coarse to fine. After each
/// resolution the displacement is smoothed where source and target are not similar, by normalised convolution with the squared local
/// correlation as certainty (Knutsson and Westin 1993), and is kept free of folds.
/// </summary>
internal static class NonrigidRegistration
{
    private const int NodeSpacing = 4; // pixels of the level
    private const double Rate = 0.3; // pixels of the level
    private const double MinArea = 0.15; // smallest relative area of a cell
    private const int MaxSmoothing = 100;
    private const double NarrowSigma = 2, WideSigma = 6, WideWeight = 0.2; // Gaussian kernels, in nodes
    private const double HalfCertainty = 0.15; // squared correlation at which half of a node's own displacement remains
    private const double MinCertainty = 1e-4;

    /// <summary>
    /// Estimates the displacement of the source's pixels, applied before the affine transform, in source pixels [2, h, w] at the centres of
    /// h x w equal cells that cover the source; bilinear between them.
    /// </summary>
    /// <param name="source">Source, [1, 1, H, W].</param>
    /// <param name="target">Target, [1, 1, h, w].</param>
    /// <param name="affine">Transform from source to target pixels.</param>
    /// <param name="metric">Metric that is maximised.</param>
    /// <param name="regularization">Smoothness penalty.</param>
    /// <param name="weight">Weight of the penalty relative to the similarity.</param>
    /// <param name="levels">Resolutions, from coarse to fine.</param>
    /// <param name="progress">Receives the completed share of the steps, 0 to 1.</param>
    public static Tensor Estimate(Tensor source, Tensor target, AffineTransform affine, SimilarityMetric metric,
        Regularization regularization, double weight, IReadOnlyList<NonrigidLevel> levels, IProgress<double>? progress = null)
    {
        using var scope = torch.NewDisposeScope();
        Tensor shifts = torch.zeros([1, 2, 4, 4]); // as shares of the source's width
        foreach ((int i, NonrigidLevel level) in levels.Index())
        {
            (Tensor a, Tensor b) = Resolutions.Reduce(source, target, level.Side);
            AffineTransform map = affine.Rescaled(Resolutions.Scaling(source, a), Resolutions.Scaling(target, b));
            double width = a.size(3);
            Tensor nodes = F.interpolate(shifts * width, size: Nodes(a), mode: "bilinear");
            nodes = Optimise(a, b, map, nodes, metric, regularization, weight, level);
            shifts = Unfolded(Smoothed(nodes, Certainty(a, b, map, nodes, metric, level.Window))) * (1 / width);
            progress?.Report((i + 1.0) / levels.Count);
        }
        return (shifts[0] * source.size(3)).MoveToOuterDisposeScope();
    }

    private static Size2 Nodes(Tensor image) =>
        (Math.Max(4, image.size(2) / NodeSpacing), Math.Max(4, image.size(3) / NodeSpacing));

    private static Tensor Optimise(Tensor source, Tensor target, AffineTransform affine, Tensor start, SimilarityMetric metric,
        Regularization regularization, double weight, NonrigidLevel level)
    {
        using var scope = torch.NewDisposeScope();
        var moves = new Moves(source, target, affine);
        Tensor nodes = start.detach().clone().requires_grad_();
        using var optimizer = new Adam([nodes], lr: Rate);
        var schedule = new LambdaLR(optimizer, step => (1 + Math.Cos(Math.PI * step / (level.Steps + 1))) / 2);
        for (int step = 0; step < level.Steps; step++)
        {
            using var temporaries = torch.NewDisposeScope();
            (Tensor warped, Tensor inside) = moves.Sample(nodes);
            Tensor loss = (Penalty(nodes, regularization) * weight)
                - SimilarityMetrics.Compute(metric, source, warped, inside, level.Window);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            schedule.step();
        }
        return nodes.detach().MoveToOuterDisposeScope();
    }

    // Squared local correlation at the nodes, [1, 1, h, w]; of either sign for metrics that accept inverse contrast.
    private static Tensor Certainty(Tensor source, Tensor target, AffineTransform affine, Tensor nodes, SimilarityMetric metric, int window)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        (Tensor warped, Tensor inside) = new Moves(source, target, affine).Sample(nodes);
        (Tensor ncc, Tensor share) = SimilarityMetrics.LocalNccMap(source, warped, inside, window);
        if (metric is SimilarityMetric.LocalNcc or SimilarityMetric.GlobalNcc) ncc = ncc.clamp(min: 0);
        Tensor correlation = F.interpolate(ncc * share, size: (nodes.size(2), nodes.size(3)), mode: "bilinear");
        return ((correlation * correlation) + MinCertainty).MoveToOuterDisposeScope();
    }

    // Normalised convolution: uncertain nodes follow the certain ones around them.
    private static Tensor Smoothed(Tensor nodes, Tensor certainty)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        Tensor smooth = torch.cat([Blur(nodes.narrow(1, 0, 1) * certainty), Blur(nodes.narrow(1, 1, 1) * certainty)], 1) / Blur(certainty);
        return (smooth + ((nodes - smooth) * (certainty / (certainty + HalfCertainty)))).MoveToOuterDisposeScope();

        // The wide kernel reaches into large areas without certain nodes.
        static Tensor Blur(Tensor image) => StructureImage.Blur(image, NarrowSigma) + (StructureImage.Blur(image, WideSigma) * WideWeight);
    }

    private static Tensor Penalty(Tensor nodes, Regularization regularization)
    {
        (Tensor x, Tensor y) = (Across(nodes), Down(nodes));
        const double perPixel = 1.0 / (NodeSpacing * NodeSpacing);
        if (regularization == Regularization.Diffusion) return ((x * x).mean() + (y * y).mean()) * perPixel;
        (Tensor xx, Tensor xy, Tensor yy) = (Across(x), Down(x), Down(y));
        return ((xx * xx).mean() + ((xy * xy).mean() * 2) + (yy * yy).mean()) * perPixel;
    }

    private static Tensor Across(Tensor nodes) => nodes[.., .., .., 1..] - nodes[.., .., .., ..^1];

    private static Tensor Down(Tensor nodes) => nodes[.., .., 1.., ..] - nodes[.., .., ..^1, ..];

    // Smoothing reduces derivatives, which removes folds; first around them, then everywhere if that does not suffice.
    private static Tensor Unfolded(Tensor nodes)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        for (int i = 0; i < MaxSmoothing; i++)
        {
            Tensor narrow = (SmallestDeterminants(nodes) < MinArea).to(ScalarType.Float32);
            if (narrow.max().item() == 0) break;
            Tensor smooth = F.avg_pool2d(F.pad(nodes, [1, 1, 1, 1], "replicate"), 3, 1);
            Tensor around = F.max_pool2d(F.pad(narrow, [0, 1, 0, 1]), 5, 1, 2);
            nodes = i < MaxSmoothing / 2 ? nodes + (around * (smooth - nodes)) : smooth;
        }
        return nodes.MoveToOuterDisposeScope();
    }

    // Smallest determinant of the four triangles of each cell, [1, 1, h - 1, w - 1].
    private static Tensor SmallestDeterminants(Tensor nodes)
    {
        Tensor x = Across(nodes) * (1.0 / NodeSpacing), y = Down(nodes) * (1.0 / NodeSpacing);
        (long rows, long columns) = (y.size(2), x.size(3));
        Tensor? smallest = null;
        foreach (long below in (long[])[0, 1])
        {
            foreach (long right in (long[])[0, 1])
            {
                Tensor a = x.narrow(2, below, rows), b = y.narrow(3, right, columns);
                Tensor determinant = ((a[.., 0] + 1) * (b[.., 1] + 1)) - (a[.., 1] * b[.., 0]);
                smallest = smallest is null ? determinant : torch.minimum(smallest, determinant);
            }
        }
        return smallest!.unsqueeze(1);
    }

    /// <summary>The target at the pixels of the source, which are displaced before the affine transform.</summary>
    private sealed class Moves(Tensor source, Tensor target, AffineTransform affine)
    {
        private readonly Tensor positions = Warp.Positions(affine, target, source.size(3), source.size(2));
        private readonly Tensor linear = Warp.Matrices(Warp.ToGrid(target).After(affine))[0].narrow(1, 0, 2).to(ScalarType.Float32);

        public (Tensor Warped, Tensor Inside) Sample(Tensor nodes)
        {
            Tensor shifts = linear.matmul(nodes.flatten(2)).view(nodes.shape);
            return Warp.Sample(target, positions + F.interpolate(shifts, size: (positions.size(2), positions.size(3)), mode: "bilinear"));
        }
    }
}
