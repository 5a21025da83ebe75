namespace Tinctor.Slides;

/// <summary>Kernel of <see cref="Image.Resize"/>, as in Pillow.</summary>
public enum ResizeKernel
{
    /// <summary>Nearest pixel, for label maps.</summary>
    Nearest,

    /// <summary>Triangle of radius 1 (bilinear).</summary>
    Linear,

    /// <summary>Catmull-Rom cubic of radius 2, a = -0.5 (bicubic).</summary>
    Cubic,

    /// <summary>Lanczos windowed sinc of radius 3.</summary>
    Lanczos3,
}
