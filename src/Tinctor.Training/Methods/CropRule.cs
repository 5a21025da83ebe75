namespace Tinctor.Training.Methods;

/// <summary>Constraint of a method's networks on the crop size.</summary>
/// <param name="model">Settings of the method.</param>
internal sealed class CropRule(MethodConfig model)
{
    private const int SmallestSetting = 16; // lower limit of data.crop_size

    private int Multiple => model.SizeMultiple * model.Upscaling;

    // Smallest multiple that is large enough.
    private int Smallest => (Math.Max(model.SmallestCrop, SmallestSetting) + Multiple - 1) / Multiple * Multiple;

    /// <summary>Whether the networks can be trained on crops of this size.</summary>
    public bool Allows(int crop) => crop % Multiple == 0 && crop >= model.SmallestCrop;

    /// <summary>Describes the constraint, as in "the generator unet_256 needs a multiple of 256".</summary>
    public string Describe()
    {
        string needs = Multiple == 1 ? "" : $"a multiple of {Multiple}";
        if (model.SmallestCrop > Multiple) needs += $"{(needs.Length > 0 ? ", " : "")}at least {Smallest}";
        return $"{model.NetworkName} needs {needs}";
    }

    /// <summary>Describes settings that replace an invalid crop size.</summary>
    public string Advise(int crop)
    {
        string setting = $"Use data.crop_size={Nearest(crop)}";
        if (model.FinerNetwork is not { } finer) return setting + ".";
        var rule = new CropRule(finer.Model);
        string least = rule.Smallest > rule.Multiple ? $", {rule.Smallest} or more" : "";
        return $"{setting}, or {finer.Setting} for any multiple of {rule.Multiple}{least}.";
    }

    /// <summary>Gets the largest valid crop size up to this one, or the smallest of all.</summary>
    public int Nearest(int crop) => Math.Max(crop / Multiple * Multiple, Smallest);

    /// <summary>Gets the valid side that is nearest to a side of a whole image.</summary>
    public int NearestTo(int side) => Math.Max((int)Math.Round((double)side / Multiple) * Multiple, Smallest);

    /// <summary>Describes settings for images whose shorter side is smaller than the crop.</summary>
    /// <param name="side">Shortest side of all images in pixels.</param>
    public string AdviseForImages(int side)
    {
        if (Nearest(side) <= side) return $"Use data.crop_size={Nearest(side)}, or leave these images out.";
        return model.FinerNetwork is { } finer && new CropRule(finer.Model) is var rule && rule.Nearest(side) <= side
            ? $"Use {finer.Setting} and data.crop_size={rule.Nearest(side)}, or leave these images out."
            : $"Leave these images out: {Describe()}.";
    }
}
