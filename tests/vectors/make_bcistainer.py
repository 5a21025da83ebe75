"""Makes tests/vectors/bcistainer from the official code. Needs python3-torch and a copy of quqixun/BCIStainer (ab2740a).

Usage: python3 make_bcistainer.py PATH_OF_BCISTAINER
"""
import os
import sys
import types

import numpy as np
import torch
import torch.nn.functional as F

from formula import fill, write

# Packages of comparators and losses that are not used here.
for name in ("torchvision", "torchvision.models", "torchvision.models.mobilenetv2", "torchvision.models.shufflenetv2", "lpips", "piqa"):
    module = types.ModuleType(name)
    module.__getattr__ = lambda key: None
    sys.modules[name] = module
sys.path.insert(0, os.path.join(sys.argv[1], "libs"))
sys.path.insert(0, os.path.join(sys.argv[1], "libs", "utils"))
from models.C import ComparatorBasic
from models.D import MultiscaleDiscriminator
from models.G import BCIStainerBasic
from losses import CmpLoss, FocalLoss

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bcistainer")


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


def keys(name, network):
    with open(os.path.join(HERE, name + ".keys"), "w") as f:
        f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())


def gradients(network):
    return torch.stack([(p.grad * wave(p.shape, 1.3)).sum() for p in network.parameters()])


os.makedirs(HERE, exist_ok=True)
out = {}
for name, attention in (("G", True), ("G_plain", False)):
    network = BCIStainerBasic(full_size=128, init_channels=2, style_blocks=2, attention=attention).double()
    keys(name, network)
    fill(network)
    network.eval()
    with torch.no_grad():
        for key, value in zip(("stained", "small", "logits"), network(0.9 * wave((2, 3, 32, 24), 0.05))):
            out[f"{name}.{key}"] = value
    if attention:
        # As ema_pytorch saves it, with one of the weights that are not averaged.
        averaged = {"ema_model." + key: value.float() if value.is_floating_point() else value for key, value in network.state_dict().items()}
        torch.save({"initted": torch.tensor(True), "step": torch.tensor([7]), "online_model.inconv.conv.1.weight": torch.zeros(2, 3, 7, 7),
                    **averaged}, os.path.join(HERE, "ema.pth"))
    network.train()
    network.classify_head[0].p = 0
    stained, small, logits = network(0.9 * wave((2, 3, 64, 64), 0.05))
    loss = (stained * wave(stained.shape, 0.3)).mean() + (small * wave(small.shape, 0.7)).mean() + (logits * wave(logits.shape, 2)).mean()
    loss.backward()
    out[name + ".loss"], out[name + ".gradients"] = loss, gradients(network)

discriminator = MultiscaleDiscriminator(3, 2, 3, "batch", 2).double()
keys("D", discriminator)
fill(discriminator)
scales = [scale[0] for scale in discriminator(0.9 * wave((2, 3, 70, 64), 0.05))]
sum((scale * wave(scale.shape, 0.3)).mean() for scale in scales).backward()
out["D.scale0"], out["D.scale1"], out["D.gradients"] = *scales, gradients(discriminator)

comparator = ComparatorBasic(full_size=64, init_channels=2, max_channels=6).double()
keys("C", comparator)
fill(comparator)
comparator.eval()
a, b = 0.9 * wave((3, 3, 64, 48), 0.05), 0.9 * wave((3, 3, 64, 48), 0.07)
logits, latent = comparator(a)
out["C.logits"], out["C.latent"] = logits, latent
out["C.cmp"] = CmpLoss("csim")(latent, comparator(b)[1].detach())
out["C.focal"] = FocalLoss(alpha=[0.5, 0.2, 0.2, 0.1], gamma=2)(5 * logits.float(), torch.tensor([3, 0, 1]))

# SSIM of piqa, written down from Wang et al. (2004): a Gaussian window of 9 pixels, sigma 2.375, without padding.
line = torch.exp(-torch.arange(-4.0, 5, dtype=torch.float64) ** 2 / (2 * 2.375 ** 2))
window = torch.outer(line, line) / line.sum() ** 2


def smooth(x):
    return F.conv2d(x.flatten(0, 1)[:, None], window[None, None])


x, y = (a + 1) / 2, (b + 1) / 2
mx, my = smooth(x), smooth(y)
vx, vy, cov = smooth(x * x) - mx ** 2, smooth(y * y) - my ** 2, smooth(x * y) - mx * my
out["ssim"] = 1 - ((2 * mx * my + 1e-4) * (2 * cov + 9e-4) / ((mx ** 2 + my ** 2 + 1e-4) * (vx + vy + 9e-4))).mean()
write(os.path.join(HERE, "io.safetensors"), out)
for key, value in out.items():
    print(key, tuple(value.shape), value.flatten()[:3].tolist())
