"""Makes tests/vectors/resnet. Needs python3-torch and python3-torchvision."""
import os

import numpy as np
import torch
from torchvision.models import resnet18, resnet50

from formula import fill, write

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resnet")

os.makedirs(HERE, exist_ok=True)
out = {}
for name, make in (("resnet18", resnet18), ("resnet50", resnet50)):
    network = make()
    with open(os.path.join(HERE, name + ".keys"), "w") as f:
        f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())
    fill(network)
    network.eval()
    x = torch.tensor(np.sin(0.05 * np.arange(2 * 3 * 80 * 72)), dtype=torch.float32).view(2, 3, 80, 72)
    with torch.no_grad():
        y = network(x)
        network.fc = torch.nn.Identity()
        out[name + ".features"] = network(x)
    out[name + ".logits"] = y[:, :16].contiguous()
    print(name, sum(p.numel() for p in make().parameters()), y.abs().max(), out[name + ".features"].abs().max())
write(os.path.join(HERE, "io.safetensors"), out)
