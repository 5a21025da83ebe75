using Tinctor.Tests;
using Tinctor.Torch;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Tests.Networks;

public sealed class ZScoreTests
{
    [Fact]
    public void Standardize_binned_image_equals_official_code()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Vectors vectors = Vectors.Read("yijie_preproc");
        Tensor binned = F.avg_pool2d(vectors["af_hwc"].permute(2, 0, 1), 4);
        vectors.Check("pixel_binning", binned.permute(1, 2, 0), 1e-6);
        vectors.Check("pixel_binning.zscore", ZScore.Standardize(binned).permute(1, 2, 0), 1e-5);
    }

    [Fact]
    public void Standardize_batch_treats_images_separately()
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor image = Formula.Input("image", 4, 6, 6);
        Tensor batch = ZScore.Standardize(torch.stack([image * 100 + 3, image]));
        Vectors.Close(ZScore.Standardize(image), batch[1], "alone", 1e-6);
        Vectors.Close(batch[1], batch[0], "brighter", 1e-4);
    }
}
