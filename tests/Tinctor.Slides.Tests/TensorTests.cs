using Tinctor.Slides.Torch;
using Tinctor.Torch;

namespace Tinctor.Slides.Tests;

public sealed class TensorTests
{
    [Theory]
    [InlineData(SampleType.UInt8, ValueRange.ZeroToOne)]
    [InlineData(SampleType.UInt8, ValueRange.MinusOneToOne)]
    [InlineData(SampleType.UInt16, ValueRange.ZeroToOne)]
    [InlineData(SampleType.UInt16, ValueRange.MinusOneToOne)]
    public void ToTensor_every_value_round_trips(SampleType type, ValueRange range)
    {
        var image = new Image(256, 128, 4, type);
        if (type == SampleType.UInt16)
        {
            for (var i = 0; i < image.Samples16.Length; i++)
            {
                image.Samples16[i] = (ushort)i;
            }
        }
        else
        {
            new Random(3).NextBytes(image.Data);
        }
        using var tensor = image.ToTensor(range);
        Assert.Equal([4L, 128, 256], tensor.shape);
        Assert.Equal(ScalarType.Float32, tensor.dtype);
        Assert.Equal(image.Data, Image.FromTensor(tensor, range, type).Data);
    }

    [Fact]
    public void ToTensor_equals_torchvision()
    {
        using var tensor = new Image(2, 1, 3, data: [0, 51, 255, 1, 2, 3]).ToTensor();
        Assert.Equal([0f, 1 / 255f, 0.2f, 2 / 255f, 1f, 3 / 255f], tensor.data<float>().ToArray());
        using var signed = new Image(2, 1, 3, data: [0, 51, 255, 1, 2, 3]).ToTensor(ValueRange.MinusOneToOne);
        Assert.Equal([-1f, (1 / 255f - 0.5f) / 0.5f, (0.2f - 0.5f) / 0.5f, (2 / 255f - 0.5f) / 0.5f, 1f, (3 / 255f - 0.5f) / 0.5f],
            signed.data<float>().ToArray());
    }

    [Fact]
    public void FromTensor_clamps_values_and_rounds_halves_up()
    {
        using var tensor = torch.tensor([-0.5f, 0.5f / 255, 1.49f / 255, 2f, float.NaN, float.PositiveInfinity], [1, 2, 3]);
        Assert.Equal([0, 1, 1, 255, 0, 255], Image.FromTensor(tensor).Data.Select(v => (int)v));
        using var batch = tensor.view(1, 1, 2, 3);
        Assert.Equal(3, Image.FromTensor(batch).Width);
        using var turned = batch.permute(1, 0, 3, 2);
        Assert.Equal([0, 255, 1, 0, 1, 255], Image.FromTensor(turned).Data.Select(v => (int)v));
        using var flat = tensor.view(6);
        Assert.Throws<ArgumentException>(() => Image.FromTensor(flat));
    }

    [Fact]
    public void CopyTo_and_CopyFrom_use_memory_of_caller()
    {
        var image = TestImages.Make(33, 9, 3, SampleType.UInt8);
        var planes = new float[33 * 9 * 3];
        image.CopyTo(planes);
        var back = new Image(33, 9, 3);
        back.CopyFrom(planes);
        Assert.Equal(image.Data, back.Data);
        Assert.Throws<ArgumentException>(() => image.CopyTo(new float[10]));
        Assert.Throws<ArgumentException>(() => image.CopyFrom(new float[10]));
    }
}
