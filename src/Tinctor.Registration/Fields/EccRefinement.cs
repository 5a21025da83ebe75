using Tinctor.Registration.Metrics;
using Tinctor.Torch;
using Tinctor.Transforms;

namespace Tinctor.Registration.Fields;

/// <summary>
/// Refinement of a transform by maximising the enhanced correlation coefficient of the source and the warped target with forward additive
/// Gauss-Newton steps (Evangelidis and Psarakis 2008), from coarse to fine.
/// </summary>
internal static class EccRefinement
{
    private const int SmallestSide = 48, Levels = 4, Steps = 40;
    private const double Converged = 0.003; // pixels of the level, at the corners
    private const double LeastOverlap = 0.1;

    /// <summary>Refines a transform; returns the initial one if that does not increase the correlation.</summary>
    public static AffineTransform Refine(Tensor source, Tensor target, AffineTransform initial, TransformModel model)
    {
        using var scope = torch.NewDisposeScope();
        int levels = 1;
        while (levels < Levels && Math.Min(source.size(2), source.size(3)) >> levels >= SmallestSide) levels++;
        AffineTransform transform = initial;
        for (int level = levels - 1; level >= 0; level--)
        {
            int factor = 1 << level;
            Tensor a = Reduce(source, factor), b = Reduce(target, factor);
            transform = RefineLevel(a, b, transform.Reduced(factor), model).Enlarged(factor);
        }
        return Correlation.Warped(source, target, transform) > Correlation.Warped(source, target, initial) ? transform : initial;
    }

    private static Tensor Reduce(Tensor image, int factor) => StructureImage.Blur(factor == 1 ? image : F.avg_pool2d(image, factor), 1);

    private static AffineTransform RefineLevel(Tensor source, Tensor target, AffineTransform transform, TransformModel model)
    {
        (int width, int height) = ((int)source.size(3), (int)source.size(2));
        (Tensor gx, Tensor gy) = StructureImage.Gradient(target);
        Tensor layers = torch.cat([target, gx, gy], 1);
        var parameters = new ParameterModel(model, width, height);
        for (int step = 0; step < Steps; step++)
        {
            AffineTransform? next = Step(source, layers, transform, parameters);
            if (next is null) break;
            double change = next.Value.CornerDistance(transform, width, height);
            if (!(change < Math.Max(width, height) / 4.0)) break; // diverged
            transform = next.Value;
            if (change < Converged) break;
        }
        return transform;
    }

    // One Gauss-Newton step; null if the images hardly overlap or do not correlate.
    private static AffineTransform? Step(Tensor source, Tensor layers, AffineTransform transform, ParameterModel model)
    {
        using var scope = torch.NewDisposeScope();
        (Tensor warped, Tensor mask) = Correlation.Resample(layers, transform, model.Width, model.Height);
        double pixels = mask.sum().item();
        if (pixels < LeastOverlap * model.Width * model.Height) return null;
        Tensor Centred(Tensor image) => (image - ((image * mask).sum() / pixels)) * mask;
        Tensor a = Centred(source[0, 0]).view(-1), b = Centred(warped[0, 0]).view(-1);
        Tensor jacobian = model.Jacobian(transform, warped[0, 1] * mask, warped[0, 2] * mask); // [P, N]
        Tensor hessian = jacobian.matmul(jacobian.t()).to(ScalarType.Float64);
        Tensor onA = jacobian.matmul(a).to(ScalarType.Float64), onB = jacobian.matmul(b).to(ScalarType.Float64);
        double scale = hessian.diagonal().max().item();
        if (!(scale > 0)) return null;
        hessian = hessian + (torch.eye(model.Parameters, dtype: ScalarType.Float64) * (1e-9 * scale));
        Tensor solvedB = torch.linalg.solve(hessian, onB);
        double numerator = b.dot(b).item() - onB.dot(solvedB).item(), denominator = a.dot(b).item() - onA.dot(solvedB).item();
        if (!(denominator > 0)) return null;
        Tensor delta = torch.linalg.solve(hessian, (onA * (numerator / denominator)) - onB);
        double[] change = delta.ToArray<double>();
        return change.All(double.IsFinite) ? model.Moved(transform, change) : null;
    }

    /// <summary>Parameters of a transform about the image's centre, scaled to similar magnitudes.</summary>
    private sealed class ParameterModel
    {
        private readonly TransformModel kind;
        private readonly Tensor x, y;
        private readonly double cx, cy, unit;

        public ParameterModel(TransformModel kind, int width, int height)
        {
            (this.kind, Width, Height) = (kind, width, height);
            (cx, cy, unit) = ((width - 1) / 2.0, (height - 1) / 2.0, Math.Max(width, height) / 2.0);
            x = ((torch.arange(0, width, dtype: ScalarType.Float32) - cx) * (1 / unit)).unsqueeze(0);
            y = ((torch.arange(0, height, dtype: ScalarType.Float32) - cy) * (1 / unit)).unsqueeze(1);
        }

        public int Width { get; }

        public int Height { get; }

        public int Parameters => kind switch { TransformModel.Translation => 2, TransformModel.Rigid => 3, _ => 6 };

        /// <summary>
        /// Computes the derivatives [P, N] of the warped target with respect to the parameters; the gradients are [H, W].
        /// </summary>
        public Tensor Jacobian(AffineTransform t, Tensor gx, Tensor gy)
        {
            Tensor[] rows = kind switch
            {
                TransformModel.Translation => [gx, gy],
                // The derivative of a rotation with respect to its angle is the rotation by 90 degrees more.
                TransformModel.Rigid => [gx, gy, (gx * ((x * -t.Yx) - (y * t.Xx))) + (gy * ((x * t.Xx) - (y * t.Yx)))],
                _ => [gx, gy, gx * x, gx * y, gy * x, gy * y],
            };
            return torch.stack([.. rows.Select(row => row.reshape(-1))], 0);
        }

        public AffineTransform Moved(AffineTransform t, double[] d)
        {
            (double u, double v) = t.Apply(cx, cy);
            (double dx, double dy) = (u - cx + d[0], v - cy + d[1]);
            switch (kind)
            {
                case TransformModel.Translation:
                    return AffineTransform.About(cx, cy, t.Xx, t.Xy, t.Yx, t.Yy, dx, dy);
                case TransformModel.Rigid:
                    double angle = Math.Atan2(t.Yx, t.Xx) + (d[2] / unit);
                    return AffineTransform.About(cx, cy, Math.Cos(angle), -Math.Sin(angle), Math.Sin(angle), Math.Cos(angle), dx, dy);
                default:
                    return AffineTransform.About(
                        cx, cy, t.Xx + (d[2] / unit), t.Xy + (d[3] / unit), t.Yx + (d[4] / unit), t.Yy + (d[5] / unit), dx, dy);
            }
        }
    }
}
