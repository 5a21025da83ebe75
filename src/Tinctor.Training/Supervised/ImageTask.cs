using Tinctor.Torch;
using Tinctor.Torch.Nn;
using Tinctor.Torch.Optim;
using Tinctor.Training.Loading;

namespace Tinctor.Training.Supervised;

/// <summary>Task whose network takes one image as input, trained with AdamW.</summary>
internal abstract class ImageTask : SupervisedTask
{
    private readonly Module<Tensor, Tensor> network;

    /// <summary>Takes ownership of the network.</summary>
    protected ImageTask(Module<Tensor, Tensor> network, SupervisedTraining training, Device device)
        : base(network, device, parameters => new AdamW(parameters, training.Lr, weight_decay: training.WeightDecay)) =>
        this.network = network;

    /// <inheritdoc/>
    internal sealed override void Pass(Batch batch, Device device) => Predict(batch);

    /// <summary>Predicts for the images of a batch.</summary>
    protected Tensor Predict(Batch batch) => Predict(batch.Source.to(Device));

    /// <summary>Predicts for images in [-1,1]: [N,3,H,W].</summary>
    protected Tensor Predict(Tensor images) => network.forward(Prepare(images));

    /// <summary>Prepares images in [-1,1] as input of the network; returns them as they are by default.</summary>
    protected virtual Tensor Prepare(Tensor images) => images;
}
