using Tinctor.Torch;
using Tinctor.Torch.Optim;

namespace Tinctor.Registration.Sections;

/// <summary>What keeps a displacement smooth.</summary>
public enum Smoothness
{
    /// <summary>Mean squared first derivatives: neighbours move alike.</summary>
    Diffusion,

    /// <summary>Mean squared changes of the first derivatives from node to node: any affine motion is free.</summary>
    Bending,
}

/// <summary>One size at which the displacement is optimised.</summary>
/// <param name="Side">The source's longer side in pixels.</param>
/// <param name="Window">The window's side of local correlation, in pixels.</param>
/// <param name="Steps">How many steps.</param>
public sealed record ElasticLevel(int Side, int Window, int Steps);

/// <summary>
/// A dense displacement for one pair of sections, without training: from coarse to fine, gradient ascent (Adam) on a similarity less a
/// penalty on roughness. The displacement is kept free of folds.
/// </summary>
public static class ElasticRegistration
{
    private const int NodeSpacing = 4; // pixels of the level
    private const double Rate = 0.3; // pixels of the level
    private const double LeastArea = 0.15; // to which any piece of the plane may shrink
    private const int MostSmoothing = 100;

    /// <summary>
    /// Where the source's pixels move before the affine transform takes them to the target, in source pixels [2, h, w]: the centres of
    /// h x w equal cells that cover the source, bilinear in between.
    /// </summary>
    /// <param name="source">What stays, [1, 1, H, W].</param>
    /// <param name="target">What is moved, [1, 1, h, w].</param>
    /// <param name="affine">From source to target pixels.</param>
    /// <param name="similarity">What is maximised.</param>
    /// <param name="smoothness">How roughness is measured.</param>
    /// <param name="weight">How much it counts against similarity.</param>
    /// <param name="levels">The sizes, from coarse to fine.</param>
    /// <param name="progress">Told the share of steps that are done, 0 to 1.</param>
    public static Tensor Estimate(Tensor source, Tensor target, AffineTransform affine, Similarity similarity, Smoothness smoothness,
        double weight, IReadOnlyList<ElasticLevel> levels, IProgress<double>? progress = null)
    {
        using var scope = torch.NewDisposeScope();
        Tensor shifts = torch.zeros([1, 2, 4, 4]); // in shares of the source's width
        foreach ((int i, ElasticLevel level) in levels.Index())
        {
            (Tensor a, Tensor b) = Levels.Reduce(source, target, level.Side);
            AffineTransform map = affine.Between(Levels.Scaling(source, a), Levels.Scaling(target, b));
            double width = a.size(3);
            Tensor nodes = F.interpolate(shifts * width, size: Nodes(a), mode: "bilinear");
            shifts = Unfolded(Optimise(a, b, map, nodes, similarity, smoothness, weight, level)) * (1 / width);
            progress?.Report((i + 1.0) / levels.Count);
        }
        return (shifts[0] * source.size(3)).MoveToOuterDisposeScope();
    }

    private static Size2 Nodes(Tensor image) =>
        (Math.Max(4, image.size(2) / NodeSpacing), Math.Max(4, image.size(3) / NodeSpacing));

    private static Tensor Optimise(Tensor source, Tensor target, AffineTransform affine, Tensor start, Similarity similarity,
        Smoothness smoothness, double weight, ElasticLevel level)
    {
        using var scope = torch.NewDisposeScope();
        (int width, int height) = ((int)source.size(3), (int)source.size(2));
        (Tensor u, Tensor v) = Warp.Positions(affine, width, height);
        Tensor nodes = start.detach().clone().requires_grad_();
        using var optimizer = new Adam([nodes], lr: Rate);
        var schedule = new LambdaLR(optimizer, step => (1 + Math.Cos(Math.PI * step / (level.Steps + 1))) / 2);
        for (int step = 0; step < level.Steps; step++)
        {
            using var temporaries = torch.NewDisposeScope();
            Tensor moved = F.interpolate(nodes, size: (height, width), mode: "bilinear");
            (Tensor dx, Tensor dy) = (moved[0, 0], moved[0, 1]);
            (Tensor warped, Tensor inside) =
                Warp.Sample(target, u + (dx * affine.Xx) + (dy * affine.Xy), v + (dx * affine.Yx) + (dy * affine.Yy));
            Tensor loss = (Roughness(nodes, smoothness) * weight) - Similarities.Of(similarity, source, warped, inside, level.Window);
            optimizer.zero_grad();
            loss.backward();
            optimizer.step();
            schedule.step();
        }
        return nodes.detach().MoveToOuterDisposeScope();
    }

    private static Tensor Roughness(Tensor nodes, Smoothness smoothness)
    {
        (Tensor x, Tensor y) = (Across(nodes), Down(nodes));
        const double perPixel = 1.0 / (NodeSpacing * NodeSpacing);
        if (smoothness == Smoothness.Diffusion) return ((x * x).mean() + (y * y).mean()) * perPixel;
        (Tensor xx, Tensor xy, Tensor yy) = (Across(x), Down(x), Down(y));
        return ((xx * xx).mean() + ((xy * xy).mean() * 2) + (yy * yy).mean()) * perPixel;
    }

    private static Tensor Across(Tensor nodes) => nodes[.., .., .., 1..] - nodes[.., .., .., ..^1];

    private static Tensor Down(Tensor nodes) => nodes[.., .., 1.., ..] - nodes[.., .., ..^1, ..];

    // Smoothing shrinks derivatives, so that folds vanish: around them, and everywhere if that does not do.
    private static Tensor Unfolded(Tensor nodes)
    {
        using var scope = torch.NewDisposeScope();
        using var quiet = torch.no_grad();
        for (int i = 0; i < MostSmoothing; i++)
        {
            Tensor narrow = (SmallestDeterminants(nodes) < LeastArea).to(ScalarType.Float32);
            if (narrow.max().item() == 0) break;
            Tensor smooth = F.avg_pool2d(F.pad(nodes, [1, 1, 1, 1], "replicate"), 3, 1);
            Tensor around = F.max_pool2d(F.pad(narrow, [0, 1, 0, 1]), 5, 1, 2);
            nodes = i < MostSmoothing / 2 ? nodes + (around * (smooth - nodes)) : smooth;
        }
        return nodes.MoveToOuterDisposeScope();
    }

    // Of the four triangles of each cell [1, 1, h - 1, w - 1].
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
}
