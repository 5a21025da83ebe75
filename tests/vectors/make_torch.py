"""Makes tests/vectors/torch/*: numbers of PyTorch (Debian's python3-torch 1.13) that the engine must give.

    python3 tests/vectors/make_torch.py
"""
import json
import math
import os
import struct

import torch
from torch import nn
from torch.nn.utils import spectral_norm

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch")
DTYPES = {torch.float32: "F32", torch.float64: "F64", torch.int64: "I64"}


def save(name, tensors):
    """Writes a safetensors file: header length, header, data."""
    header, data = {}, b""
    for key, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[key] = {"dtype": DTYPES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)


def images(n=2, c=4, h=6, w=5):
    return torch.randn(n, c, h, w, generator=torch.Generator().manual_seed(7))


# ---- layers: first values, two training passes, gradients, one pass as a finished network ------------------------------

LAYERS = {
    "conv": (lambda: nn.Conv2d(4, 6, (3, 2), stride=(2, 1), padding=(1, 0)), images()),
    "conv_groups": (lambda: nn.Conv2d(4, 6, 3, groups=2, dilation=2, padding=2, bias=False), images()),
    "conv_reflect": (lambda: nn.Conv2d(4, 3, 3, padding=(1, 2), padding_mode="reflect"), images()),
    "conv_replicate": (lambda: nn.Conv2d(4, 3, 3, padding=2, padding_mode="replicate"), images()),
    "conv_circular": (lambda: nn.Conv2d(4, 3, 3, padding=(2, 1), padding_mode="circular"), images()),
    "conv_transpose": (lambda: nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), images()),
    "conv_transpose_groups": (lambda: nn.ConvTranspose2d(4, 6, (4, 2), groups=2, bias=False, dilation=(1, 2)), images()),
    "linear": (lambda: nn.Linear(5, 3), images()),
    "linear_no_bias": (lambda: nn.Linear(5, 3, bias=False), images()),
    "batch_norm": (lambda: nn.BatchNorm2d(4), images()),
    "batch_norm_average": (lambda: nn.BatchNorm2d(4, momentum=None, eps=1e-3), images()),
    "batch_norm_untracked": (lambda: nn.BatchNorm2d(4, affine=False, track_running_stats=False), images()),
    "instance_norm": (lambda: nn.InstanceNorm2d(4), images()),
    "instance_norm_tracked": (lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True), images()),
    "group_norm": (lambda: nn.GroupNorm(2, 4), images()),
    "layer_norm": (lambda: nn.LayerNorm([6, 5]), images()),
    "layer_norm_plain": (lambda: nn.LayerNorm(5, elementwise_affine=False), images()),
    "dropout": (lambda: nn.Dropout(0.3), images()),
    "dropout2d": (lambda: nn.Dropout2d(0.3), images()),
    "reflection_pad": (lambda: nn.ReflectionPad2d((1, 2, 3, 0)), images()),
    "replication_pad": (lambda: nn.ReplicationPad2d(3), images()),
    "zero_pad": (lambda: nn.ZeroPad2d((1, 0, 2, 1)), images()),
    "constant_pad": (lambda: nn.ConstantPad2d(1, 0.5), images()),
    "relu": (lambda: nn.ReLU(), images()),
    "leaky_relu": (lambda: nn.LeakyReLU(0.2), images()),
    "elu": (lambda: nn.ELU(0.7), images()),
    "silu": (lambda: nn.SiLU(), images()),
    "gelu": (lambda: nn.GELU(), images()),
    "gelu_tanh": (lambda: nn.GELU("tanh"), images()),
    "mish": (lambda: nn.Mish(), images()),
    "tanh": (lambda: nn.Tanh(), images()),
    "sigmoid": (lambda: nn.Sigmoid(), images()),
    "softplus": (lambda: nn.Softplus(beta=2), images()),
    "hardtanh": (lambda: nn.Hardtanh(-0.5, 0.4), images()),
    "softmax": (lambda: nn.Softmax(1), images()),
    "identity": (lambda: nn.Identity(), images()),
    "prelu": (lambda: nn.PReLU(4), images()),
    "max_pool": (lambda: nn.MaxPool2d(3, stride=2, padding=1, ceil_mode=True), images()),
    "avg_pool": (lambda: nn.AvgPool2d(2), images()),
    "avg_pool_padded": (lambda: nn.AvgPool2d(3, 2, 1, count_include_pad=False), images()),
    "adaptive_avg_pool": (lambda: nn.AdaptiveAvgPool2d((3, 2)), images()),
    "upsample_nearest": (lambda: nn.Upsample(scale_factor=2), images()),
    "upsample_bilinear": (lambda: nn.Upsample(scale_factor=1.5, mode="bilinear"), images()),
    "upsample_bicubic": (lambda: nn.Upsample(size=(9, 4), mode="bicubic", align_corners=True), images()),
    "pixel_shuffle": (lambda: nn.PixelShuffle(2), images()),
    "pixel_unshuffle": (lambda: nn.PixelUnshuffle(2), images(h=6, w=4)),
    "flatten": (lambda: nn.Flatten(), images()),
    "embedding": (lambda: nn.Embedding(7, 3, padding_idx=2), torch.tensor([[0, 2, 6], [2, 5, 5]])),
    "spectral_conv": (lambda: spectral_norm(nn.Conv2d(4, 6, 3)), images()),
    "spectral_conv_transpose": (lambda: spectral_norm(nn.ConvTranspose2d(4, 6, 3, bias=False)), images()),
    "spectral_linear": (lambda: spectral_norm(nn.Linear(5, 3)), images()),
    "sequential": (lambda: nn.Sequential(
        nn.ReflectionPad2d(1), spectral_norm(nn.Conv2d(4, 8, 3, bias=False)), nn.BatchNorm2d(8), nn.ReLU(True),
        nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.InstanceNorm2d(8), nn.LeakyReLU(0.2, True)),
        nn.Dropout(0.5), nn.ConvTranspose2d(8, 2, 3, stride=2), nn.Tanh()), images()),
}


def layer_numbers(make, x):
    torch.manual_seed(0)
    layer = make()
    out = {f"state.{key}": value.clone() for key, value in layer.state_dict().items()}
    out["x"] = x
    # A leaf of its own, and a copy for the layers that overwrite their input.
    leaf = x.clone().requires_grad_(x.is_floating_point())
    torch.manual_seed(1)
    for turn in range(2):
        y = layer(leaf.clone() if leaf.requires_grad else leaf)
        g = torch.randn(y.shape, generator=torch.Generator().manual_seed(8 + turn))
        if y.requires_grad:
            y.backward(g)
    out["g"], out["y"] = g, y
    if leaf.requires_grad:
        out["grad_x"] = leaf.grad
    for key, parameter in layer.named_parameters():
        out[f"grad.{key}"] = parameter.grad
    for key, value in layer.state_dict().items():
        out[f"after.{key}"] = value
    out["y_eval"] = layer.eval()(x.clone())
    return out


def layers():
    save("layers.safetensors", {
        f"{name}/{key}": value for name, (make, x) in LAYERS.items() for key, value in layer_numbers(make, x).items()})


# ---- first values --------------------------------------------------------------------------------------------------------

INITS = {
    "normal": lambda t: nn.init.normal_(t, 0.5, 2), "uniform": lambda t: nn.init.uniform_(t, -1, 3),
    "xavier_normal": lambda t: nn.init.xavier_normal_(t, 0.02), "xavier_uniform": lambda t: nn.init.xavier_uniform_(t),
    "kaiming_normal": lambda t: nn.init.kaiming_normal_(t, 0, "fan_in"),
    "kaiming_uniform": lambda t: nn.init.kaiming_uniform_(t, 0.2, "fan_out", "leaky_relu"),
    "orthogonal_wide": lambda t: nn.init.orthogonal_(t, 1.5), "orthogonal_tall": lambda t: nn.init.orthogonal_(t),
}


def inits():
    out = {}
    for name, fill in INITS.items():
        torch.manual_seed(3)
        out[name] = fill(torch.empty(20, 3, 2, 2) if name == "orthogonal_tall" else torch.empty(5, 4, 3, 3))
    save("inits.safetensors", out)


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    torch.set_num_threads(1)
    layers()
    inits()
