using Tinctor.Training.Loading;

namespace Tinctor.Training.Tests.Loading;

/// <summary>Geometric distortions of augmented pairs.</summary>
public class DistortionTests
{
    private const int Side = 48;

    [Fact]
    public void Draw_distorts_the_share_of_samples_that_is_asked_for()
    {
        int[] counts = new int[2];
        for (int index = 0; index < 2000; index++)
        {
            var random = new SampleRandom(1, 0, index);
            if (Distortion.Draw(ref random, 0.3, 0) is not null) counts[0]++;
            random = new SampleRandom(1, 0, index);
            if (Distortion.Draw(ref random, 0, 0.2) is not null) counts[1]++;
        }

        Assert.InRange(counts[0], 520, 680);
        Assert.InRange(counts[1], 330, 470);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    public void Apply_moves_pixels_by_a_part_of_the_side(double distorted, double resized)
    {
        double greatest = 0;
        for (int index = 0; index < 60; index++)
        {
            var random = new SampleRandom(2, 0, index);
            float[] moved = Distortion.Draw(ref random, distorted, resized)!.Apply(Positions(Side), Side, Side);

            // Away from the border, where positions are reflected.
            double[] shifts = [.. from y in Enumerable.Range(8, Side - 16)
                                  from x in Enumerable.Range(8, Side - 16)
                                  let i = ((y * Side) + x) * 2
                                  select double.Hypot(moved[i] - Position(x, Side), moved[i + 1] - Position(y, Side))];
            Assert.InRange(shifts.Max(), 0, 0.4);
            greatest = Math.Max(greatest, shifts.Max());
        }
        Assert.InRange(greatest, 0.04, 0.4);
    }

    [Fact]
    public void Apply_distorts_images_of_two_resolutions_alike()
    {
        for (int index = 0; index < 30; index++)
        {
            var random = new SampleRandom(3, 0, index);
            Distortion distortion = Distortion.Draw(ref random, 1, 1)!;

            float[] fine = distortion.Apply(Positions(Side), Side, Side);
            float[] coarse = distortion.Apply(Positions(Side / 4), Side / 4, Side / 4);

            for (int y = 2; y < (Side / 4) - 2; y++)
            {
                for (int x = 2; x < (Side / 4) - 2; x++)
                {
                    // The centre of a coarse pixel lies between the four inner fine ones.
                    float mean = (from v in (int[])[1, 2] from u in (int[])[1, 2] select fine[((((4 * y) + v) * Side) + (4 * x) + u) * 2])
                        .Average();
                    Assert.Equal(mean, coarse[((y * Side / 4) + x) * 2], 0.03);
                }
            }
        }
    }

    [Fact]
    public void Apply_keeps_a_plain_image()
    {
        var random = new SampleRandom(4, 0, 0);
        float[] plain = [.. Enumerable.Repeat(0.25f, Side * Side * 3)];

        float[] distorted = Distortion.Draw(ref random, 1, 1)!.Apply(plain, Side, Side);

        Assert.All(distorted, sample => Assert.Equal(0.25f, sample, 1e-6f));
    }

    // An image whose two channels are the positions of its pixels, in units of the side.
    private static float[] Positions(int side) =>
        [.. Enumerable.Range(0, side * side).SelectMany(i => new[] { Position(i % side, side), Position(i / side, side) })];

    private static float Position(int pixel, int side) => (pixel + 0.5f) / side;
}
