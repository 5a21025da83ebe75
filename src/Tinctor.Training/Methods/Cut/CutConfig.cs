using Tinctor.Torch;
using Tinctor.Training.Methods.Contrastive;

namespace Tinctor.Training.Methods.Cut;

/// <summary>
/// CUT (Park et al. 2020, Contrastive Learning for Unpaired Image-to-Image Translation) with the defaults of the official repository;
/// fastcut has other defaults of the same settings.
/// </summary>
public sealed record CutConfig : ContrastiveConfig
{
    /// <inheritdoc/>
    public override bool AcceptsUnpaired => true;

    /// <inheritdoc/>
    public override Method Create(Device device) => new CutMethod(this, device);
}
