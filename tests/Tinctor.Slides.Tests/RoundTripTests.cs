namespace Tinctor.Slides.Tests;

public sealed class RoundTripTests : InTemporaryFolder
{
    public static TheoryData<string, int, SampleType> Lossless()
    {
        var data = new TheoryData<string, int, SampleType>();
        foreach (var type in Enum.GetValues<SampleType>())
        {
            for (var channels = 1; channels <= 6; channels++)
            {
                data.Add("a.tif", channels, type);
                if (channels <= 4)
                {
                    data.Add("a.png", channels, type);
                }
            }
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Lossless))]
    public void Write_lossless_format_keeps_every_sample(string name, int channels, SampleType type)
    {
        foreach (var (width, height) in new[] { (37, 23), (1, 1), (1, 50), (300, 2) })
        {
            var image = TestImages.Make(width, height, channels, type);
            image.Write(At(name));
            Assert.Equal(new ImageInfo(width, height, channels, type, name == "a.png" ? ImageFormat.Png : ImageFormat.Tiff),
                Image.ReadInfo(At(name), keepAlpha: true));
            var back = Image.Read(At(name), keepAlpha: true);
            Assert.Equal((width, height, channels, type), (back.Width, back.Height, back.Channels, back.SampleType));
            Assert.Equal(image.Data, back.Data);
        }
    }
}
