namespace Tinctor.Evaluation.Data;

/// <summary>Conditions that images must meet to be scored.</summary>
/// <param name="Window">Side of the window of SSIM, in pixels: the smallest width and height.</param>
/// <param name="Protocol">Name of the protocol.</param>
/// <param name="Crop">Side of the square at the centre that is scored, in pixels; 0 for whole images.</param>
/// <param name="Size">Width and height of all images, in pixels; 0 for any.</param>
internal sealed record ImageRequirements(int Window, string Protocol, int Crop = 0, int Size = 0)
{
    /// <summary>Describes the condition that an image does not meet; null if it meets all.</summary>
    public string? Unmet(int width, int height)
    {
        int side = Math.Min(width, height);
        return Size > 0 && (width, height) != (Size, Size) ? $"the protocol {Protocol} needs {Size}x{Size}"
            : side < Crop ? $"the protocol {Protocol} needs {Crop}x{Crop}"
            : side < Window ? $"the window of SSIM needs {Window}x{Window}" : null;
    }
}
