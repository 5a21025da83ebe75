"""Makes tests/vectors/nafnet from the official code. Needs python3-torch and a copy of megvii-research/NAFNet (2b4af71).

Usage: python3 make_nafnet.py PATH_OF_NAFNET
"""
import os
import sys
import types

import numpy as np
import torch

from formula import fill, write

root = sys.argv[1]
# The packages' own __init__ files import modules that are not used here.
for name in ("basicsr", "basicsr.models", "basicsr.models.archs", "basicsr.models.losses", "basicsr.utils"):
    package = types.ModuleType(name)
    package.__path__ = [os.path.join(root, *name.split("."))]
    package.get_root_logger = None
    sys.modules[name] = package
from basicsr.models.archs.NAFNet_arch import NAFNet
from basicsr.models.losses.losses import L1Loss, PSNRLoss

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "nafnet")
RATE, CLIP = 1e-3, 0.01


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


def create():
    return NAFNet(img_channel=3, width=4, middle_blk_num=2, enc_blk_nums=[1, 2], dec_blk_nums=[2, 1]).double()


os.makedirs(HERE, exist_ok=True)
out = {}
network = create()
with open(os.path.join(HERE, "network.keys"), "w") as f:
    f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())
fill(network)
torch.save({"params": {key: value.float() for key, value in network.state_dict().items()}}, os.path.join(HERE, "network.pth"))

source, target = 0.5 + 0.45 * wave((2, 3, 16, 24), 0.05), 0.5 + 0.45 * wave((2, 3, 16, 24), 0.07)
out["stained"] = network(source)
losses = {"l1": L1Loss(), "psnr": PSNRLoss()}
for name, loss in losses.items():
    out["loss." + name] = loss(network(source), target)

# Two steps of optimize_parameters with the optimiser of the SIDD configuration.
optimizer = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=0, betas=(0.9, 0.9))
for step in range(2):
    optimizer.zero_grad()
    loss = losses["psnr"](network(source), target)
    loss.backward()
    if step == 0:
        out["gradients"] = torch.stack([(p.grad * wave(p.shape, 1.3)).sum() for p in network.parameters()])
    out[f"norm{step}"] = torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
    optimizer.step()
    out[f"step{step}"] = loss
out["trained"] = network(source)
write(os.path.join(HERE, "io.safetensors"), out)
for key, value in out.items():
    print(key, tuple(value.shape), value.flatten()[:3].tolist())
