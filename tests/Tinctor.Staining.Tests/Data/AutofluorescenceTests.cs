using Tinctor.Staining.Data;
using Tinctor.Tests;
using Tinctor.Torch;

namespace Tinctor.Staining.Tests.Data;

public sealed class AutofluorescenceTests
{
    [Fact]
    public void Binning_and_standardising_equal_the_official_ones()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_preproc");
        Tensor binned = Autofluorescence.Bin(vectors["af_hwc"].permute(2, 0, 1), 4);
        vectors.Check("pixel_binning", binned.permute(1, 2, 0), 1e-6);
        vectors.Check("pixel_binning.zscore", Autofluorescence.Standardise(binned).permute(1, 2, 0), 1e-5);
    }

    [Fact]
    public void Each_image_of_a_batch_is_standardised_by_itself()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor image = Formula.Input("image", 4, 6, 6);
        Tensor batch = Autofluorescence.Standardise(torch.stack([image * 100 + 3, image]));
        Vectors.Close(Autofluorescence.Standardise(image), batch[1], "alone", 1e-6);
        Vectors.Close(batch[1], batch[0], "brighter", 1e-4);
    }

    [Fact]
    public void Pixels_that_are_left_over_are_refused() =>
        Assert.Throws<ArgumentException>(() => Autofluorescence.Bin(torch.zeros([1, 4, 8, 9]), 4));
}
