"""Weights that follow formulas, so that the tests can reproduce them, and a safetensors writer; used by the other scripts here."""
import json
import struct
import zlib

import numpy as np
import torch


def formula(number, name, shape):
    """Returns float64 sines that preserve the scale of activations: 1.4 / sqrt(fan-in) for convolutions, near 0 and 1 for statistics."""
    i = np.arange(int(np.prod(shape, dtype=np.int64)), dtype=np.float64)
    s = np.sin(12.9898 * i + number)
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.int64)
    if len(shape) > 1:
        s = s * 1.4 / np.sqrt(np.prod(shape[1:]))
    elif name.endswith("weight") or name.endswith("running_var"):
        s = 1 + 0.2 * s
    else:
        s = 0.1 * s
    return torch.tensor(s).view(shape)


def hashed(name, shape, gain=2 ** 0.5):
    """Returns numbers in [-1, 1) from splitmix64, seeded by the name; weights are scaled by their fan-in, statistics are near 0 and 1."""
    n = int(np.prod(shape, dtype=np.int64))
    with np.errstate(over="ignore"):
        z = np.uint64(zlib.crc32(name.encode())) + np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    u = (z >> np.uint64(40)).astype(np.float64) / 2 ** 24 * 2 - 1
    if name.endswith("running_mean"):
        u = 0.1 * u
    elif name.endswith("running_var"):
        u = 1 + 0.5 * u
    elif len(shape) >= 2 and not name.startswith("in"):
        u = u * np.sqrt(3 / (n / shape[0])) * gain
    elif name.endswith(".bias"):
        u = 0.1 * u
    elif not name.startswith("in"):
        u = 1 + 0.1 * u
    return torch.from_numpy(u.astype(np.float32)).reshape(shape)


def fill(network):
    """Fills every tensor of the state dict by the formula; its position in the dict is the number."""
    network.load_state_dict({key: formula(n, key, tuple(value.shape)) for n, (key, value) in enumerate(network.state_dict().items())})


def write(path, tensors):
    """Writes float32 and float64 tensors as safetensors."""
    header, data, at = {}, b"", 0
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        dtype = {torch.float32: "F32", torch.float64: "F64"}[tensor.dtype]
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [at, at + len(raw)]}
        data, at = data + raw, at + len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)
