"""Weights that follow a formula, so that the tests can reproduce them, and a safetensors writer; used by the other scripts here."""
import json
import struct

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
