"""Makes tests/vectors/pyramidp2p_edges from the official code. Needs python3-torch and a copy of bupt-ai-cz/BCI (841bd52).

Images follow formulas. Usage: python3 make_edges.py PATH_OF_BCI
"""
import os
import sys
import types

import torch

from formula import hashed, write

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pyramidp2p_edges")

# The module needs these only for other losses and for training.
for name in ("kornia", "models", "models.base_model", "models.networks"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["models"].__path__ = [os.path.join(sys.argv[1], "PyramidPix2pix", "models")]
sys.modules["models"].networks = sys.modules["models.networks"]
sys.modules["models.base_model"].BaseModel = object
from models.pix2pix_model import Pix2PixModel

model = types.SimpleNamespace(opt=types.SimpleNamespace(gpu_ids=["cpu"]))
fake, real = (hashed(f"in_{name}", (2, 3, 20, 17)) for name in ("fake", "real"))
fake.requires_grad_()
edges = [Pix2PixModel.sobel_conv(model, image) for image in (fake, real)]
loss = sum(torch.nn.functional.l1_loss(a, b.detach()) for a, b in zip(*edges))
loss.backward()
os.makedirs(HERE, exist_ok=True)
write(os.path.join(HERE, "io.safetensors"), {"loss": loss.reshape(1), "grad_fake": fake.grad})
print(loss.item())
