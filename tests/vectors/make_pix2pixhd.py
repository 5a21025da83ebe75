"""Makes tests/vectors/pix2pixhd from the official code: networks, losses and training steps. Needs python3-torch and a copy of
NVIDIA/pix2pixHD (14b3b3c).

Usage: python3 make_pix2pixhd.py PATH_OF_PIX2PIXHD
"""
import os
import sys
import types

import numpy as np
import torch
import torch.nn as nn

from formula import fill, write


def vgg19(pretrained=False):
    """The layers of torchvision's vgg19; the weights of ImageNet are replaced by the formula."""
    layers, channels = [], 3
    for block, count in zip((64, 128, 256, 512, 512), (2, 2, 4, 4, 4)):
        for _ in range(count):
            layers += [nn.Conv2d(channels, block, 3, padding=1), nn.ReLU()]
            channels = block
        layers.append(nn.MaxPool2d(2))
    return types.SimpleNamespace(features=nn.Sequential(*layers))


sys.path.insert(0, sys.argv[1])
sys.modules["torchvision"] = types.ModuleType("torchvision")
sys.modules["torchvision"].models = types.SimpleNamespace(vgg19=vgg19)
nn.Module.cuda = lambda self, *rest: self
from models import networks

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pix2pixhd")


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


def keys(name, network):
    with open(os.path.join(HERE, name + ".keys"), "w") as f:
        f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())


def sums(network, gradients=True):
    values = [(p, p.grad if gradients else p.detach()) for p in network.parameters()]
    return torch.stack([(value * wave(p.shape, 1.3)).sum() for p, value in values])


def filled(network):
    network = network.double()
    fill(network)
    return network


def generator(kind, norm):
    layer = networks.get_norm_layer(norm)
    return filled(networks.GlobalGenerator(3, 3, 4, 2, 2, layer) if kind == "global"
                  else networks.LocalEnhancer(3, 3, 2, 2, 2, 1, 1, layer))


def discriminator(norm, features):
    return filled(networks.MultiscaleDiscriminator(6, 2, 2, networks.get_norm_layer(norm), False, 2, features))


class DoubleGanLoss(networks.GANLoss):
    def get_target_tensor(self, input, target_is_real):
        return torch.full_like(input, 1.0 if target_is_real else 0.0)


def losses(netG, netD, source, target):
    """As Pix2PixHDModel.forward with label_nc 0 and no instances, which needs CUDA."""
    gan, l1 = DoubleGanLoss(), nn.L1Loss()
    fake = netG(source)
    pred_fake_pool = netD(torch.cat((source, fake.detach()), 1))
    pred_real = netD(torch.cat((source, target.detach()), 1))
    pred_fake = netD(torch.cat((source, fake), 1))
    feat = 0
    for i in range(2):
        for j in range(len(pred_fake[i]) - 1):
            feat += 1.0 / 2 * 4.0 / (2 + 1) * l1(pred_fake[i][j], pred_real[i][j].detach()) * 10.0
    return gan(pred_fake, True), feat, gan(pred_real, True), gan(pred_fake_pool, False)


torch.set_num_threads(1)
os.makedirs(HERE, exist_ok=True)
out = {}
for kind in ("global", "local"):
    for norm in ("instance", "batch"):
        network, name = generator(kind, norm), f"G_{kind}_{norm}"
        keys(name, network)
        y = network(0.9 * wave((2, 3, 32, 24), 0.05))
        (y * wave(y.shape, 0.3)).mean().backward()
        out[name], out[name + ".gradients"] = y, sums(network)
for features in (True, False):
    network, name = discriminator("instance", features), "D" if features else "D_plain"
    keys(name, network)
    results = network(0.9 * wave((2, 6, 32, 24), 0.05))
    sum((layer * wave(layer.shape, 0.3)).mean() for scale in results for layer in scale).backward()
    for i, scale in enumerate(results):
        for j, layer in enumerate(scale):
            out[f"{name}.{i}.{j}"] = layer
    out[name + ".gradients"] = sums(network)

criterion = networks.VGGLoss([])
criterion.vgg.double()
fill(criterion.vgg)
a = (0.9 * wave((1, 3, 32, 32), 0.05)).requires_grad_()
loss = criterion(a, 0.9 * wave((1, 3, 32, 32), 0.07))
loss.backward()
out["vgg.loss"], out["vgg.gradient"] = loss.detach().reshape(1), a.grad

# Two steps with the global part fixed, then one with all weights and a new optimiser, as update_fixed_params.
netG, netD = generator("local", "instance"), discriminator("instance", True)
optimizer_G = torch.optim.Adam([p for key, p in netG.named_parameters() if key.startswith("model1")], lr=2e-4, betas=(0.5, 0.999))
optimizer_D = torch.optim.Adam(list(netD.parameters()), lr=2e-4, betas=(0.5, 0.999))
for step in range(3):
    if step == 2:
        optimizer_G = torch.optim.Adam(list(netG.parameters()), lr=2e-4, betas=(0.5, 0.999))
    source, target = 0.9 * wave((1, 3, 32, 24), 0.05 + 0.01 * step), 0.9 * wave((1, 3, 32, 24), 0.07 + 0.01 * step)
    g_gan, g_feat, d_real, d_fake = losses(netG, netD, source, target)
    optimizer_G.zero_grad()
    (g_gan + g_feat).backward()
    optimizer_G.step()
    optimizer_D.zero_grad()
    out[f"G_GAN{step}"], out[f"G_GAN_Feat{step}"] = g_gan.detach().reshape(1), g_feat.detach().reshape(1)
    out[f"D_real{step}"], out[f"D_fake{step}"] = d_real.detach().reshape(1), d_fake.detach().reshape(1)
    ((d_fake + d_real) * 0.5).backward()
    optimizer_D.step()
out["final.G"], out["final.D"] = sums(netG, gradients=False), sums(netD, gradients=False)
write(os.path.join(HERE, "io.safetensors"), {key: value.detach() for key, value in out.items()})
