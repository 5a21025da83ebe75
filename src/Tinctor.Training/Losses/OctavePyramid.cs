using Tinctor.Torch;

namespace Tinctor.Training.Losses;

/// <summary>
/// Gaussian pyramid of PyramidPix2pix (Liu et al. 2022; models/pix2pix_model.py of bupt-ai-cz/BCI): each octave is the previous one,
/// blurred four times with a window of 3x3 pixels and sigma 1 with reflected borders, of which every second pixel is kept.
/// </summary>
internal static class OctavePyramid
{
    private const int Blurs = 4;

    /// <summary>Computes the octaves of images [N,C,H,W], the images themselves first.</summary>
    /// <param name="images">Images; each side has 2 pixels or more in all octaves but the last.</param>
    /// <param name="count">Number of octaves; 0 for none.</param>
    public static Tensor[] Octaves(Tensor images, int count)
    {
        if (count == 0) return [];
        using DisposeScope temporaries = torch.NewDisposeScope();
        Tensor window = GaussianWindow.Create(3, 1).to(images.device, images.dtype);
        var octaves = new Tensor[count];
        octaves[0] = images;
        for (int octave = 1; octave < count; octave++)
        {
            Tensor blurred = octaves[octave - 1];
            for (int i = 0; i < Blurs; i++) blurred = GaussianPyramid.Blur(blurred, window);
            octaves[octave] = GaussianPyramid.Halve(blurred).MoveToOuterDisposeScope();
        }
        return octaves;
    }
}
