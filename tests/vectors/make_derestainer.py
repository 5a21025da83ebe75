"""Makes tests/vectors/derestainer. Needs python3-torch and python3-skimage.

Implements DeReStainer from the paper's text, written for clarity: skimage separates the stains, and a modulated convolution computes a
weight for each image.
"""
import os

import numpy as np
import torch
import torch.nn.functional as F
from skimage.color import combine_stains, hed_from_rgb, rgb_from_hed, separate_stains
from torch import nn

from formula import fill, write

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "derestainer")


def haematoxylin(image):
    """Returns the image of the haematoxylin alone; [N,3,H,W] in [-1,1]."""
    light = ((image + 1) / 2).permute(0, 2, 3, 1).numpy()
    concentrations = separate_stains(light, hed_from_rgb)
    concentrations[..., 1:] = 0
    return torch.tensor(combine_stains(concentrations, rgb_from_hed)).permute(0, 3, 1, 2) * 2 - 1


class ModConv(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))
        self.conv = nn.Conv2d(channels, channels, 3, bias=False)

    def forward(self, x, style):
        out = []
        for image, s in zip(x, style):
            w = self.conv.weight * (s[None, :, None, None] + 1)
            w = w / torch.sqrt((w ** 2).sum((1, 2, 3), keepdim=True) + 1e-8)
            out.append(F.conv2d(F.pad(image[None], (1, 1, 1, 1), mode="reflect"), w, self.bias))
        return torch.cat(out)


def simam(x, e_lambda=1e-4):
    n = x.shape[2] * x.shape[3] - 1
    d = (x - x.mean((2, 3), keepdim=True)) ** 2
    return x * torch.sigmoid(d / (4 * (d.sum((2, 3), keepdim=True) / n + e_lambda)) + 0.5)


class Block(nn.Module):
    def __init__(self, channels, levels, place, norm):
        super().__init__()
        self.conv1, self.style1, self.norm1 = ModConv(channels), nn.Linear(levels, channels), norm(channels)
        self.conv2, self.style2, self.norm2 = ModConv(channels), nn.Linear(levels, channels), norm(channels)
        self.place = place

    def forward(self, x, level):
        y = F.leaky_relu(self.norm1(self.conv1(x, self.style1(level))), 0.2)
        y = self.norm2(self.conv2(y, self.style2(level)))
        return simam(x + y) if self.place == "block" else x + simam(y)


def down(i, o):
    return [nn.Conv2d(i, o, 4, 2, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(0.2)]


def up(i, o, how, bias=False):
    if how == "transpose":
        return [nn.ConvTranspose2d(i, o, 4, 2, 1, bias=bias)]
    return [nn.Upsample(scale_factor=2), nn.Conv2d(i, o, 3, padding=1, padding_mode="reflect", bias=bias)]


class DeReStainer(nn.Module):
    def __init__(self, ngf, levels, n_blocks, place, style, norm, how):
        super().__init__()
        c, self.style = 4 * ngf, style
        self.destainer = nn.Sequential(*down(3, ngf), *down(ngf, 2 * ngf), *down(2 * ngf, c))
        self.f_H = nn.Sequential(*down(c, 2 * c), *down(2 * c, 2 * c))
        self.f_level = nn.Sequential(*down(c, 2 * c), *down(2 * c, 2 * c))
        self.level = nn.Linear(2 * c, levels)
        self.fusion = nn.ModuleList(Block(c, levels, place, norm) for _ in range(n_blocks))
        self.restainer = nn.Sequential(
            *up(c, 2 * ngf, how), nn.BatchNorm2d(2 * ngf), nn.LeakyReLU(0.2),
            *up(2 * ngf, ngf, how), nn.BatchNorm2d(ngf), nn.LeakyReLU(0.2), *up(ngf, 3, how, bias=True), nn.Tanh())

    def forward(self, source):
        feature = self.destainer(haematoxylin(source))
        logits = self.level(self.f_level(feature).mean((2, 3)))
        style, fused = torch.softmax(logits, 1) if self.style == "probabilities" else logits, feature
        for block in self.fusion:
            fused = block(fused, style)
        return self.restainer(fused), logits, self.f_H(feature)


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


os.makedirs(HERE, exist_ok=True)
out = {}
for name, options in (("default", ("branch", "logits", nn.BatchNorm2d, "transpose")),
                      ("other", ("block", "probabilities", nn.Identity, "resize"))):
    network = DeReStainer(4, 4, 2, *options).double()
    with open(os.path.join(HERE, name + ".keys"), "w") as f:
        f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())
    fill(network)
    network.eval()
    with torch.no_grad():
        for key, value in zip(("stained", "logits", "aligned"), network(0.9 * wave((2, 3, 40, 48), 0.05))):
            out[f"{name}.{key}"] = value
    network.train()
    stained, logits, aligned = network(0.9 * wave((2, 3, 64, 64), 0.05))
    loss = (stained * wave(stained.shape, 0.3)).mean() + (logits * wave(logits.shape, 2)).mean() + (aligned * wave(aligned.shape, 0.7)).mean()
    loss.backward()
    out[name + ".loss"] = loss
    out[name + ".gradients"] = torch.stack([(p.grad * wave(p.shape, 1.3)).sum() for p in network.parameters()])
    print(name, loss.item(), logits, out[name + ".gradients"])
write(os.path.join(HERE, "io.safetensors"), out)
