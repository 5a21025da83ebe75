using System.ComponentModel.DataAnnotations;

namespace Tinctor.Training.Import;

/// <summary>Order of the dimensions of images.</summary>
internal enum ImageLayout
{
    /// <summary>[N, C, H, W], as in PyTorch.</summary>
    Nchw,

    /// <summary>[N, H, W, C], as in TensorFlow.</summary>
    Nhwc,
}

/// <summary>Properties of a network in ONNX that another program exported. Ranges are the values of black and of white.</summary>
internal sealed record OnnxImportConfig
{
    /// <summary>Name of the model's method.</summary>
    [RegularExpression("[a-z0-9][a-z0-9-]*", ErrorMessage = "lower-case letters, digits and hyphens")]
    public string Method { get; init; } = "onnx";

    /// <summary>Name of the input; empty for the only one.</summary>
    public string Input { get; init; } = "";

    /// <summary>Name of the output with the stained image; empty for the first one.</summary>
    public string Output { get; init; } = "";

    /// <summary>Order of the dimensions.</summary>
    public ImageLayout Layout { get; init; } = ImageLayout.Nchw;

    /// <summary>Channels of sources; 0 for those that the file states.</summary>
    [Range(0, 64)]
    public int InputChannels { get; init; }

    /// <summary>Values of black and white in sources, before mean and standard deviation are applied.</summary>
    public double[] InputRange { get; init; } = [-1, 1];

    /// <summary>Mean of each channel, which is subtracted from sources; empty for none.</summary>
    public double[] InputMean { get; init; } = [];

    /// <summary>Standard deviation of each channel, which sources are divided by; empty for none.</summary>
    public double[] InputStd { get; init; } = [];

    /// <summary>Values of black and white in stained images.</summary>
    public double[] OutputRange { get; init; } = [-1, 1];

    /// <summary>Micrometres per pixel of the training images; 0 if unknown.</summary>
    [Range(0.0, 100.0)]
    public double Mpp { get; init; }

    /// <summary>Side of the only sources that the network takes, in pixels; 0 for any, or for the one that the file states.</summary>
    [Range(0, 16384)]
    public int TileSize { get; init; }

    /// <summary>Height and width of sources are multiples of this.</summary>
    [Range(1, 1024)]
    public int SizeMultiple { get; init; } = 1;

    /// <summary>Licence of the weights.</summary>
    public string Licence { get; init; } = "not stated";
}
