"""Makes tests/vectors/dists from the official code. Needs python3-torch and a copy of dingkeyan93/DISTS (1267d8c).

Weights and images follow formulas. Usage: python3 make_dists.py PATH_OF_DISTS
"""
import os
import sys
import types

import torch

from formula import hashed, write

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "dists")


def vgg16(pretrained):
    """The layers of torchvision's network, which the code only indexes."""
    layers, channels = [], 3
    for block in ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)):
        for width in block:
            layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU(inplace=False)]
            channels = width
        layers.append(torch.nn.MaxPool2d(2, 2))
    features = torch.nn.Sequential(*layers)
    features.load_state_dict({key: hashed("features." + key, tuple(value.shape)) for key, value in features.state_dict().items()})
    return types.SimpleNamespace(features=features)


torchvision = types.ModuleType("torchvision")
torchvision.models, torchvision.transforms = types.SimpleNamespace(vgg16=vgg16), types.SimpleNamespace()
sys.modules["torchvision"] = torchvision
sys.path.insert(0, os.path.join(sys.argv[1], "DISTS_pytorch"))
from DISTS_pt import DISTS

os.makedirs(HERE, exist_ok=True)
torch.set_num_threads(1)
network = DISTS(load_weights=False)
for name in ("alpha", "beta"):
    getattr(network, name).data = 0.1 + 0.05 * hashed("in_" + name, (1, 1475, 1, 1))
out = {}
for name, size in (("even", (2, 3, 64, 80)), ("odd", (1, 3, 45, 51))):
    image, other = (hashed(f"in_{name}{i}", size) / 2 + 0.5 for i in range(2))
    image = torch.nn.functional.avg_pool2d(image, 5, 1, 2)
    out[name] = network(image, 0.8 * image + 0.2 * other).reshape(-1)
    out[name + "_far"] = network(image, other).reshape(-1)
    print(name, out[name].tolist(), out[name + "_far"].tolist())
write(os.path.join(HERE, "io.safetensors"), out)
