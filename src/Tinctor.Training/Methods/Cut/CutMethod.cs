using Tinctor.Torch;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.Cut;

/// <summary>
/// CUT and FastCUT (Park et al. 2020; models/cut_model.py): adversarial loss and contrastive loss of source and stained image, which does
/// not use the target. With nce_idt, the mean of it and that of the target and its image through the generator.
/// </summary>
internal sealed class CutMethod(CutConfig config, Device device) : ContrastiveMethod(config, device)
{
    /// <inheritdoc/>
    protected override IEnumerable<NamedLoss> GeneratorLosses(ContrastiveImages images) =>
        [.. AdversarialLoss(images), .. NceLosses(images, share: 0.5)];
}
