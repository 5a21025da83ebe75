namespace Tinctor.Training.Methods;

/// <summary>Crops that the networks of a method can be trained on, and settings that fit.</summary>
/// <param name="model">Settings of the method.</param>
internal sealed class CropRule(MethodConfig model)
{
    private const int SmallestSetting = 16; // the range of data.crop_size

    private int Multiple => model.SizeMultiple * model.Upscaling;

    // The smallest multiple that is large enough.
    private int Smallest => (Math.Max(model.SmallestCrop, SmallestSetting) + Multiple - 1) / Multiple * Multiple;

    /// <summary>Whether crops of this side can be trained on.</summary>
    public bool Allows(int crop) => crop % Multiple == 0 && crop >= model.SmallestCrop;

    /// <summary>The constraint, as in "the generator unet_256 needs a multiple of 256".</summary>
    public string Describe()
    {
        string needs = Multiple == 1 ? "" : $"a multiple of {Multiple}";
        if (model.SmallestCrop > Multiple) needs += $"{(needs.Length > 0 ? ", " : "")}at least {Smallest}";
        return $"{model.NetworkName} needs {needs}";
    }

    /// <summary>Describes settings to replace a crop that cannot be trained on.</summary>
    public string Instead(int crop)
    {
        string setting = $"Use data.crop_size={Nearest(crop)}";
        if (model.FinerNetwork is not { } finer) return setting + ".";
        var rule = new CropRule(finer.Model);
        string least = rule.Smallest > rule.Multiple ? $" from {rule.Smallest} on" : "";
        return $"{setting}, or {finer.Setting} for any multiple of {rule.Multiple}{least}.";
    }

    /// <summary>The largest crop that can be trained on and is no larger than this one, or else the smallest of all.</summary>
    public int Nearest(int crop) => Math.Max(crop / Multiple * Multiple, Smallest);

    /// <summary>Describes settings for images whose shorter side is smaller than the crop.</summary>
    /// <param name="side">The shortest side of all, in pixels.</param>
    public string ForImagesOf(int side)
    {
        if (Nearest(side) <= side) return $"Use data.crop_size={Nearest(side)}, or leave these images out.";
        return model.FinerNetwork is { } finer && new CropRule(finer.Model) is var rule && rule.Nearest(side) <= side
            ? $"Use {finer.Setting} and data.crop_size={rule.Nearest(side)}, or leave these images out."
            : $"Leave these images out: {Describe()}.";
    }
}
