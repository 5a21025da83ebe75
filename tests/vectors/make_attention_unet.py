"""Makes tests/vectors/attention_unet from the official code: outputs, gradients and a checkpoint. Needs python3-torch and a copy of
bupt-ai-cz/BCI (841bd52).

Usage: python3 make_attention_unet.py PATH_OF_BCI
"""
import os
import sys

import numpy as np
import torch

from formula import formula, write

sys.path.insert(0, os.path.join(sys.argv[1], "PyramidPix2pix"))
from models import networks

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "attention_unet")


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


def fill(network):
    """Fills by the formula; weights that have two names, as part of "gating" too, count once."""
    state = {key: value for key, value in network.state_dict().items() if ".gating." not in key}
    network.load_state_dict({key: formula(n, key, tuple(value.shape)) for n, (key, value) in enumerate(state.items())}, strict=False)


torch.set_num_threads(1)
os.makedirs(HERE, exist_ok=True)
network = networks.Attention_UnetGenerator(3, 3, 5, 2, networks.get_norm_layer("batch")).double()
fill(network)
x, target = 0.9 * wave((2, 3, 64, 96), 0.05), wave((2, 3, 64, 96), 0.07)
out = {}
for mode in (False, True):
    network.train(mode)
    source = x.clone().requires_grad_()
    network.zero_grad()
    stained = network(source)
    (stained * target).mean().backward()
    name = "train" if mode else "eval"
    out["stained." + name] = stained[:, :, ::4, ::4]
    out["source_gradient." + name] = source.grad[:, :, ::4, ::4]
    out["gradients." + name] = torch.stack([(p.grad * wave(p.shape, 1.3)).sum() for p in network.parameters()])
write(os.path.join(HERE, "io.safetensors"), out)
fill(network)
torch.save(network.float().state_dict(), os.path.join(HERE, "network.pth"))
for key, value in out.items():
    print(key, tuple(value.shape), value.flatten()[:3].tolist())
