"""Makes tests/vectors/contrastive: two training steps of CUT, FastCUT, ASP, SIM-GAN and PSPStain, with the official code, in float64.

MS-SSIM of PSPStain needs large images, so it is recorded alone, and the training steps are without it.

Usage: python3 make_contrastive.py METHOD REPOSITORY [MSSSIM]. METHOD is cut, fastcut, asp, sim-gan or psp-stain. REPOSITORY is a copy of
taesungp/contrastive-unpaired-translation (b3ac297), lifangda01/AdaptiveSupervisedPatchNCE (b113ed2), SIM-GAN of xianchaoguan/SIM-GAN
(349645f) or ccitachi/PSPStain (7633600); psp-stain also needs a copy of VainF/pytorch-msssim (b057b07). Needs python3-torch.
"""
import os
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import torch

from formula import fill, write

METHOD, REPOSITORY = sys.argv[1], sys.argv[2]
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrastive")
LOSSES = {"cut": "G_GAN D_real D_fake NCE NCE_Y", "fastcut": "G_GAN D_real D_fake NCE", "asp": "G_GAN D_real D_fake NCE ASP GP",
          "sim-gan": "G_GAN D_real D_fake NCE NCE_Y mc cc", "psp-stain": "G_GAN D_real D_fake NCE GP MLPA CTPC"}

FACTORS = {"CTPC": 2.5}  # The official code logs it without its weight.
out = {}


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


def options(**others):
    return SimpleNamespace(**{**dict(
        gpu_ids=[], isTrain=True, checkpoints_dir="", name="", preprocess="crop", input_nc=3, output_nc=3, ngf=2, ndf=2, direction="AtoB",
        netG="resnet_6blocks", netD="n_layers", n_layers_D=3, netF="mlp_sample", netF_nc=8, normG="instance", normD="instance",
        no_dropout=True, init_type="xavier", init_gain=0.02, no_antialias=False, no_antialias_up=False, weight_norm="none", gan_mode="lsgan",
        lr=2e-4, beta1=0.5, beta2=0.999, lambda_GAN=1.0, lambda_NCE=1.0, nce_idt=True, nce_layers="0,4,8,12,16", nce_T=0.07,
        nce_includes_all_negatives_from_minibatch=False, num_patches=16, flip_equivariance=False, batch_size=2, n_epochs=30,
        n_epochs_decay=10, lambda_gp=10.0, gp_weights="[0.015625,0.03125,0.0625,0.125,0.25,1.0]"), **others})


def create():
    """Returns the official model of the method, with formula weights, and the height and width of its images."""
    if METHOD in ("cut", "fastcut"):
        from models.cut_model import CUTModel
        fast = dict(lambda_NCE=10.0, nce_idt=False, flip_equivariance=True) if METHOD == "fastcut" else {}
        return CUTModel(options(**fast)), (48, 40)
    if METHOD == "sim-gan":
        from models.cut_model import CUTModel
        # The loss takes the batch of one device of several.
        return CUTModel(options(gpu_ids=Devices(), cost_type="easy", eps=1.0)), (48, 40)
    import models.gauss_pyramid
    models.gauss_pyramid.Gauss_Pyramid_Conv.gauss_kernel.__defaults__ = (torch.device("cpu"), 3)
    if METHOD == "asp":
        from models.cpt_model import CPTModel
        return CPTModel(options(weight_norm="spectral", lambda_NCE=10.0, nce_idt=False, lambda_asp=10.0, asp_loss_mode="lambda_linear")), \
            (48, 64)
    from models.PSPStain_model import PSPStainModel
    torch.Tensor.cuda = lambda tensor: tensor
    torch.nn.Module.cuda = lambda module: module
    load, state = torch.load, torch.nn.Module.load_state_dict
    torch.load, torch.nn.Module.load_state_dict = lambda _: {}, lambda module, values: None
    model = PSPStainModel(options(nce_idt=False, lr=1e-4, train_dataset_size=2, unet_seg="", lambda_CTPC=2.5))
    torch.load, torch.nn.Module.load_state_dict = load, state
    fill(model.netSeg)
    for layer in model.netSeg.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.p = 0
    ssim = model.criterion_ssim
    stained = (0.9 * wave((1, 3, 161, 167), 0.05)).requires_grad_()
    loss = ssim(stained, wave(stained.shape, 0.07)) / 5
    loss.backward()
    out["ms_ssim"], out["ms_ssim.gradient"] = loss.reshape(1), (stained.grad * wave(stained.shape, 1.3)).sum().reshape(1)
    model.criterion_ssim = lambda *_: torch.zeros(())
    return model, (48, 64)


class Devices(list):
    """A list of devices that is empty, so that networks stay on the processor, but counts one."""

    def __len__(self):
        return sys._getframe(1).f_code.co_filename.endswith("MC_loss.py")


def sums(network):
    return torch.stack([(value * wave(value.shape, 1.3)).sum() for value in network.state_dict().values() if value.is_floating_point()])


torch.set_default_dtype(torch.float64)
torch.float = torch.float64  # The window of MS-SSIM.
np.random.permutation = lambda n: (37 * np.arange(n) + 11) % n
np.random.random = lambda: 0.25
for name in ("matplotlib", "matplotlib.pyplot", "util.pytorch_stats_loss", "cv2", "einops", "dominate", "torchvision", "torchvision.transforms", "scipy", "PIL", "PIL.Image", "skimage", "skimage.measure",
             "torch.utils.tensorboard"):
    sys.modules[name] = MagicMock()
sys.modules["packaging"] = SimpleNamespace(version=SimpleNamespace(parse=lambda text: int(text.split(".")[1])))
sys.path[:0] = [REPOSITORY, *sys.argv[3:]]
model, size = create()
with torch.no_grad():
    model.netF.create_mlp(model.netG(torch.zeros(1, 3, *size), model.nce_layers, encode_only=True))
for network in (model.netG, model.netD, model.netF):
    fill(network)
model.optimizer_F = torch.optim.Adam(model.netF.parameters(), lr=model.opt.lr, betas=(model.opt.beta1, model.opt.beta2))

for step in range(2):
    images = {"A": 0.9 * wave((2, 3, *size), 0.05 + 0.01 * step), "B": 0.9 * wave((2, 3, *size), 0.07 + 0.01 * step)}
    model.set_input({**images, "A_paths": "", "B_paths": "", "current_epoch": 36 + step})
    model.optimize_parameters()
    for name in LOSSES[METHOD].split():
        key = f"{step}.{name.upper() if name.islower() else name}"
        out[key] = FACTORS.get(name, 1) * getattr(model, f"loss_{name}").detach().double().reshape(1)
    if METHOD == "asp":  # The official code adds the other loss in place.
        out[f"{step}.NCE"] = out[f"{step}.NCE"] - out[f"{step}.ASP"]
networks = {"G": model.netG, "D": model.netD, "F": model.netF, **({"S": model.netSeg} if METHOD == "psp-stain" else {})}
os.makedirs(HERE, exist_ok=True)
for name, network in networks.items():
    out[name] = sums(network)
    with open(os.path.join(HERE, f"{METHOD}.{name}.keys"), "w") as f:
        f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())
write(os.path.join(HERE, f"{METHOD}.safetensors"), out)
for key, value in out.items():
    print(key, value[:3].tolist())
