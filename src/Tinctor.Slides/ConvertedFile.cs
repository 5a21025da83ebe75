namespace Tinctor.Slides;

/// <summary>Slide whose pixels are converted as they are read.</summary>
internal sealed class ConvertedFile : SlideFile
{
    private readonly SlideFile source;
    private readonly Func<Image, Image> convert;
    private readonly byte[]? profile;

    /// <summary>Wraps a slide, which is disposed with this one.</summary>
    /// <param name="source">The slide.</param>
    /// <param name="convert">Conversion to 8-bit or 16-bit RGB, called on several threads.</param>
    /// <param name="profile">ICC profile of the result; null for none.</param>
    public ConvertedFile(SlideFile source, Func<Image, Image> convert, byte[]? profile)
    {
        (this.source, this.convert, this.profile) = (source, convert, profile);
        SampleType = convert(new Image(1, 1, source.Channels, source.SampleType)).SampleType;
        Files = source.Files;
        (PixelSize, Objective, Properties) = (source.PixelSize, source.Objective, source.Properties);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> AssociatedNames => source.AssociatedNames;

    /// <inheritdoc/>
    public override ushort[] Background => source.Channels == Channels ? Converted(source.Background) : base.Background;

    /// <inheritdoc/>
    public override Image Read(int level, int x, int y, int width, int height) => convert(source.Read(level, x, y, width, height));

    /// <inheritdoc/>
    public override byte[]? ReadIccProfile() => profile;

    /// <inheritdoc/>
    public override Image ReadAssociated(string name) => source.ReadAssociated(name);

    /// <inheritdoc/>
    public override void Dispose() => source.Dispose();

    /// <inheritdoc/>
    protected internal override Image ReadOnWhite(int level, int x, int y, int width, int height) =>
        convert(source.ReadOnWhite(level, x, y, width, height));

    private ushort[] Converted(ushort[] pixel)
    {
        var image = new Image(1, 1, source.Channels, source.SampleType);
        image.Fill(pixel);
        Image converted = convert(image);
        return [.. Enumerable.Range(0, Channels).Select(c => (ushort)converted.Samples(c)[0])];
    }
}
