"""Makes tests/vectors/features. Needs python3-torch, python3-torchvision, python3-pil and python3-numpy.

The weights follow a formula, so that the tests can reproduce them. No published weights are stored here.
"""
import json
import os
import struct
import zipfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torchvision.models import inception_v3
from torchvision.models.inception import InceptionA, InceptionC, InceptionE

from formula import hashed as formula

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "features")


def save(name, tensors):
    header, blobs, at = {}, [], 0
    for key, tensor in tensors.items():
        data = tensor.contiguous().numpy().astype("<f4").tobytes()
        header[key] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        blobs.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def tensorflow_pooling(block, pool):
    """Replaces the pooling of a block: torchvision's blocks call F.avg_pool2d, FID's Inception pools differently."""
    original = block.forward

    def forward(x):
        before = F.avg_pool2d
        F.avg_pool2d = lambda y, **_: pool(y)
        try:
            return original(x)
        finally:
            F.avg_pool2d = before

    block.forward = forward


def inception():
    network = inception_v3(weights=None, num_classes=1008, aux_logits=False, init_weights=False).eval()
    state = {k: formula(k, v.shape) if v.dtype == torch.float32 else v for k, v in network.state_dict().items()}
    network.load_state_dict(state)

    def average(y):
        return torch.nn.functional.conv2d(y, torch.ones(y.shape[1], 1, 3, 3), padding=1, groups=y.shape[1]) / \
            torch.nn.functional.conv2d(torch.ones_like(y[:1, :1]), torch.ones(1, 1, 3, 3), padding=1)

    for block in network.modules():
        if isinstance(block, (InceptionA, InceptionC, InceptionE)):
            last = block is network.Mixed_7c
            tensorflow_pooling(block, (lambda y: F.max_pool2d(y, 3, stride=1, padding=1)) if last else average)
    network.avgpool.register_forward_hook(lambda module, given, out: kept.update(features=out.flatten(1)))
    network.transform_input = False
    kept = {}
    with torch.no_grad():
        network(formula("in0", (2, 3, 299, 299)))
        probabilities = torch.softmax(kept["features"] @ network.fc.weight.t(), 1)
    save("inception.safetensors", {"features": kept["features"], "probabilities": probabilities})


def resizing():
    image = ((formula("in_photo", (37, 51, 3)) + 1) * 127.5).round().byte()
    channels = [np.asarray(Image.fromarray(image[:, :, c].numpy().astype(np.float32), mode="F").resize((299, 299), Image.BICUBIC))
                for c in range(3)]
    large = ((formula("in_large", (640, 512, 3)) + 1) * 127.5).round().byte()
    shrunk = [np.asarray(Image.fromarray(large[:, :, c].numpy().astype(np.float32), mode="F").resize((299, 299), Image.BICUBIC))
              for c in range(3)]
    # Every 13th pixel suffices to test the filter.
    save("resizing.safetensors", {"photo": image.float(), "clean": torch.tensor(np.stack(channels))[:, ::13, ::13],
                                  "clean_large": torch.tensor(np.stack(shrunk))[:, ::13, ::13]})


class Vector(torch.nn.Module):
    """A custom feature network: eight features per image."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 5, stride=2)

    def forward(self, x):
        return self.conv(x).mean((2, 3))


class StyleGanInception(torch.nn.Module):
    """A tiny network with the interface of the TorchScript Inception of StyleGAN and clean-fid."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 6, 7, stride=4)
        self.output = torch.nn.Linear(6, 10)

    def forward(self, img, return_features: bool = False, use_fp16: bool = False, no_output_bias: bool = False):
        features = torch.relu(self.conv((img - 128) / 128)).mean((2, 3))
        if return_features:
            return features
        logits = torch.nn.functional.linear(features, self.output.weight)
        if not no_output_bias:
            logits = logits + self.output.bias
        return torch.softmax(logits, dim=1)


def scripts():
    for name, network in (("vector.pt", Vector()), ("stylegan.pt", StyleGanInception())):
        network.load_state_dict({k: formula(k, v.shape) for k, v in network.state_dict().items()})
        torch.jit.script(network.eval()).save(os.path.join(HERE, "made.pt"))
        # Leave out the debug records, which contain local paths.
        with zipfile.ZipFile(os.path.join(HERE, "made.pt")) as source, zipfile.ZipFile(os.path.join(HERE, name), "w") as target:
            for entry in source.namelist():
                if not entry.endswith(".debug_pkl"):
                    target.writestr(zipfile.ZipInfo(entry), source.read(entry))
        os.remove(os.path.join(HERE, "made.pt"))


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    inception()
    resizing()
    scripts()
