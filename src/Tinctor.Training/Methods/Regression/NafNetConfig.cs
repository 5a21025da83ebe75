using System.ComponentModel.DataAnnotations;
using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Training.Networks;

namespace Tinctor.Training.Methods.Regression;

/// <summary>
/// Regression with NAFNet (Chen et al. 2022); the defaults are those of NAFNet-width32 for SIDD in the official repository.
/// </summary>
public sealed record NafNetConfig : RegressionConfig
{
    /// <summary>Channels at full size; doubled at each level.</summary>
    [Range(1, 1024)]
    public int Width { get; init; } = 32;

    /// <summary>Number of blocks of each level of the encoder; the image is halved after each level.</summary>
    public List<int> EncBlkNums { get; init; } = [2, 2, 4, 8];

    /// <summary>Number of blocks at the lowest resolution.</summary>
    [Range(0, 1000)]
    public int MiddleBlkNum { get; init; } = 12;

    /// <summary>Number of blocks of each level of the decoder, as many levels as enc_blk_nums.</summary>
    public List<int> DecBlkNums { get; init; } = [2, 2, 2, 2];

    /// <inheritdoc/>
    public override int SizeMultiple => 1 << EncBlkNums.Count;

    /// <inheritdoc/>
    public override Module<Tensor, Tensor> CreateGenerator() =>
        new NafNet(InputChannels, OutputChannels, Width, MiddleBlkNum, EncBlkNums, DecBlkNums);

    /// <inheritdoc/>
    public override MethodConfig Completed()
    {
        const int mostLevels = 10;
        string blocks = $"model.enc_blk_nums is {string.Join(",", EncBlkNums)} and model.dec_blk_nums {string.Join(",", DecBlkNums)}";
        if (EncBlkNums.Count != DecBlkNums.Count || EncBlkNums.Count is 0 or > mostLevels)
            throw new TinctorException(null, $"{blocks}, expected 1 to {mostLevels} numbers, as many in both",
                "Use model.enc_blk_nums=2,2,4,8 and model.dec_blk_nums=2,2,2,2")
            { Option = "model.dec_blk_nums" };
        if (EncBlkNums.Concat(DecBlkNums).Any(number => number is < 0 or > 1000))
            throw new TinctorException(null, $"{blocks}, expected numbers from 0 to 1000") { Option = "model.enc_blk_nums" };
        return base.Completed();
    }
}
