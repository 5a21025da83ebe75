namespace Tinctor.Slides;

/// <summary>Kind of microscopy that an image comes from.</summary>
public enum Modality
{
    /// <summary>Light that passes through a stained section: RGB, white where nothing absorbs.</summary>
    Brightfield,

    /// <summary>Light that fluorophores emit: one channel for each, or RGB; black where nothing emits.</summary>
    Fluorescence,

    /// <summary>One channel that is bright in most places, such as a grey copy of a brightfield image.</summary>
    Grey,
}
