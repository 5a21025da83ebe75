using Tinctor.Slides;
using Tinctor.Slides.Torch;
using Tinctor.Torch;
using Tinctor.Training.Segmentation;

namespace Tinctor.Training.Tests.Segmentation;

/// <summary>Masks as people have them: black and white, classes, numbers or colours of objects.</summary>
public sealed class MaskFormatTests : IDisposable
{
    private const int Size = 24;
    private readonly string root = Directory.CreateTempSubdirectory("tinctor-masks-").FullName;

    [Fact]
    public void Detect_black_and_white_is_binary()
    {
        MaskFormat format = MaskFormat.Detect(Write(i => i > 0 ? 255 : 0));
        Assert.Equal(MaskKind.Binary, format.Kind);
        Assert.Equal("binary, 8-bit grey; foreground: all except black", format.Describe());
        Assert.Equal(4, format.Read(Path.Combine(root, "0.png")).Count);
    }

    [Fact]
    public void Detect_recurring_values_are_classes()
    {
        MaskFormat format = MaskFormat.Detect(Write(i => i == 0 ? 0 : 1 + (i % 2)));
        Assert.Equal(MaskKind.Classes, format.Kind);
        Assert.Equal(4, format.Read(Path.Combine(root, "0.png")).Count);
        Assert.Equal(2, MaskFormat.Detect(Files, foreground: ["1"]).Read(Path.Combine(root, "0.png")).Count);
    }

    [Fact]
    public void Detect_one_value_per_object_is_instances()
    {
        MaskFormat format = MaskFormat.Detect(Write(i => i, SampleType.UInt16));
        Assert.Equal((MaskKind.Instances, SampleType.UInt16), (format.Kind, format.SampleType));
        Assert.Equal([24 * 24 - 4 * 25, 25, 25, 25, 25], format.Read(Path.Combine(root, "0.png")).Areas());
    }

    [Fact]
    public void Detect_one_colour_per_object_is_instances()
    {
        MaskFormat format = MaskFormat.Detect(Write(i => i * 0x2A3B1C, channels: 3));
        Assert.Equal("instance labels, 8-bit colour; foreground: all except black", format.Describe());
        Assert.Equal(4, format.Read(Path.Combine(root, "0.png")).Count);
    }

    [Fact]
    public void Detect_other_images_throws()
    {
        Assert.Contains("all masks are black", Assert.Throws<TinctorException>(() => MaskFormat.Detect(Write(_ => 0))).Message);
        var noise = new Image(Size, Size, 3);
        new Random(1).NextBytes(noise.Data);
        noise.Write(Path.Combine(root, "0.png"));
        Assert.Contains("flat colours",
            Assert.Throws<TinctorException>(() => MaskFormat.Detect([Path.Combine(root, "0.png")])).Message);
        Assert.Contains("#ff0000", Assert.Throws<OptionException>(() => MaskFormat.Detect(Files, foreground: ["red"])).Message);
    }

    [Theory]
    [InlineData(SampleType.UInt8, 1), InlineData(SampleType.UInt16, 1), InlineData(SampleType.UInt8, 3)]
    public void Codes_of_loaded_masks_equal_file(SampleType type, int channels)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        var mask = new Image(16, 16, channels, type);
        new Random(4).NextBytes(mask.Data);
        var format = new MaskFormat(MaskKind.Instances, type, channels, []);
        float[] codes = format.Codes(mask.ToTensor(ValueRange.MinusOneToOne).unsqueeze(0)).ToArray<float>();
        for (int i = 0; i < codes.Length; i++)
        {
            int expected = channels == 3 ? (mask.Data[3 * i] << 16) + (mask.Data[(3 * i) + 1] << 8) + mask.Data[(3 * i) + 2]
                : type == SampleType.UInt16 ? mask.Samples16[i] : mask.Data[i];
            Assert.Equal(expected, codes[i]);
        }
    }

    [Fact]
    public void Truth_boundaries_separate_touching_nuclei_only()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor codes = torch.tensor<float>(
        [
            7, 7, 7, 9, 9,
            7, 7, 7, 9, 9,
            7, 7, 7, 9, 9,
            0, 0, 0, 0, 0,
        ], [1, 1, 4, 5]);
        Assert.Equal([1, 1, 2, 2, 1, 1, 1, 2, 2, 1, 2, 2, 2, 2, 2, 0, 0, 0, 0, 0],
            SegmenterTask.Truth(codes, SegmentationTarget.Nuclei).ToArray<long>());
        Assert.Equal([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0],
            SegmenterTask.Truth(codes, SegmentationTarget.Tissue).ToArray<long>());
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private string[] Files => Directory.GetFiles(root);

    // Four squares of 5 pixels, numbered from 1.
    private string[] Write(Func<int, int> code, SampleType type = SampleType.UInt8, int channels = 1)
    {
        foreach (int file in new[] { 0, 1 })
        {
            var image = new Image(Size, Size, channels, type);
            for (int i = 0; i < Size * Size; i++)
            {
                (int x, int y) = (i % Size, i / Size);
                int value = code(x % 12 < 5 && y % 12 < 5 ? 1 + (x / 12) + (2 * (y / 12)) : 0);
                if (type == SampleType.UInt16) image.Samples16[i] = (ushort)value;
                else
                    for (int c = 0; c < channels; c++) image.Data[(i * channels) + c] = (byte)(value >> (8 * (channels - 1 - c)));
            }
            image.Write(Path.Combine(root, $"{file}.png"));
        }
        return Files;
    }
}
