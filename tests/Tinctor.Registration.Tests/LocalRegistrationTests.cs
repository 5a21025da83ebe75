using Tinctor.Registration.Fields;
using Tinctor.Registration.Metrics;
using Tinctor.Registration.Transforms;
using Tinctor.Slides;
using Tinctor.Transforms;

namespace Tinctor.Registration.Tests;

public class LocalRegistrationTests
{
    [Theory]
    [InlineData(2, -3)]
    [InlineData(1.37, 0.81)]
    public void Interpolate_equal_shifts_warps_as_translation(double dx, double dy)
    {
        Image target = Waves(90, 70);
        var shifts = new WindowShift[4];
        for (int i = 0; i < shifts.Length; i++)
            shifts[i] = new(20 + (i % 2 * 40), 20 + (i / 2 * 30), new Shift(dx, dy, 1), Reliable: true);
        Image warped = LocalField.Interpolate(shifts, [20, 60], [20, 50])!.Apply(target);
        Image expected = Warp.Apply(target, AffineTransform.Translation(dx, dy), new PixelArea(0, 0, 90, 70));
        Assert.All(warped.Data.Zip(expected.Data), pair => Assert.InRange(pair.First - pair.Second, -1, 1));
        Assert.True(warped.Data.Zip(expected.Data).Count(pair => pair.First == pair.Second) > 0.99 * warped.Data.Length);
    }

    [Fact]
    public void Interpolate_ignores_outliers_and_fills_unreliable_windows()
    {
        WindowShift[] shifts = [.. Enumerable.Range(0, 9).Select(i => new WindowShift(i % 3 * 10, i / 3 * 10, new Shift(2, 1, 1), true))];
        shifts[4] = shifts[4] with { Shift = new(-30, 25, 1) };
        shifts[8] = shifts[8] with { Shift = new(99, 99, 0), Reliable = false };
        Assert.Equal(2, LocalField.Interpolate(shifts, [0, 10, 20], [0, 10, 20])!.Largest, 1e-9);
        Assert.Null(LocalField.Interpolate([.. shifts.Select(s => s with { Reliable = false })], [0, 10, 20], [0, 10, 20]));
    }

    private static Image Waves(int width, int height)
    {
        var image = new Image(width, height, 3);
        for (int i = 0; i < image.Data.Length; i++)
        {
            int c = i % 3, x = i / 3 % width, y = i / 3 / width;
            image.Data[i] = (byte)(128 + (60 * Math.Sin((x / (3.0 + c)) + c)) + (50 * Math.Cos(y / (4.0 + c))));
        }
        return image;
    }
}
