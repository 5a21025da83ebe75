using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Entropic transport plan between two sets of vectors (Sinkhorn's iteration; models/sinkhorn.py of the official SIM-GAN). Vectors of the
/// same place are excluded.
/// </summary>
internal static class SinkhornPlan
{
    private const int Iterations = 50;
    private const double Excluded = -10;

    /// <summary>Computes the plan [N,P,P], whose rows and columns have the sum 1.</summary>
    /// <param name="first">Vectors [N*P,D] of length one, image by image.</param>
    /// <param name="second">Vectors of the same places.</param>
    /// <param name="images">Number of images N; 1 for a plan between the vectors of all images.</param>
    /// <param name="easy">Whether dissimilar vectors have large weights (easy), or similar ones (hard).</param>
    /// <param name="epsilon">Entropic regularisation.</param>
    public static Tensor Compute(Tensor first, Tensor second, long images, bool easy, double epsilon)
    {
        using DisposeScope temporaries = torch.NewDisposeScope();
        using Guard exact = torch.autocast(first.device.type, enabled: false);
        Tensor cosines = first.view(images, -1, first.size(1)).bmm(second.view(images, -1, second.size(1)).transpose(1, 2));
        long places = cosines.size(1);
        Tensor own = torch.eye(places, device: cosines.device).to(ScalarType.Bool).unsqueeze(0);
        Tensor kernel = ((easy ? 1 - cosines : cosines).masked_fill(own, Excluded) / epsilon).exp();
        Tensor rows = torch.ones([images, places, 1], dtype: kernel.dtype, device: kernel.device);
        Tensor columns = rows.transpose(1, 2);
        for (int i = 0; i < Iterations; i++)
        {
            rows = kernel.bmm(columns.transpose(1, 2)).reciprocal();
            columns = rows.transpose(1, 2).bmm(kernel).reciprocal();
        }
        return (rows * (kernel * columns)).transpose(1, 2).MoveToOuterDisposeScope();
    }
}
