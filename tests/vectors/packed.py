"""Packed files of reference vectors: the bytes of a file, sorted into four planes (byte i goes to plane i mod 4), then gzip.

The planes put the exponents of float32 numbers side by side, which makes them compressible. tests/Support/PackedFile.cs reads the format.
"""
import gzip
import json
import struct

import numpy as np
import torch

DTYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


def pack(content, path):
    """Writes bytes as a packed file; the same bytes always make the same file."""
    planes = b"".join(content[i::4] for i in range(4))
    with open(path, "wb") as f:
        f.write(gzip.compress(planes, 9, mtime=0))


def unpack(path):
    """Returns the bytes of a packed file."""
    with open(path, "rb") as f:
        planes = gzip.decompress(f.read())
    content, at = bytearray(len(planes)), 0
    for i in range(4):
        size = len(range(i, len(planes), 4))
        content[i::4] = planes[at:at + size]
        at += size
    return bytes(content)


def read_tensors(content):
    """Returns the tensors of a safetensors file, in its order."""
    size, = struct.unpack("<Q", content[:8])
    tensors = {}
    for name, entry in json.loads(content[8:8 + size]).items():
        if name == "__metadata__":
            continue
        start, end = (8 + size + at for at in entry["data_offsets"])
        numbers = torch.frombuffer(bytearray(content[start:end]) or bytearray(8), dtype=DTYPES[entry["dtype"]])
        tensors[name] = numbers[:int(np.prod(entry["shape"]))].reshape(entry["shape"])
    return tensors


def tensor_bytes(tensors):
    """Returns the bytes of a safetensors file of the tensors, in their order."""
    names = {dtype: name for name, dtype in DTYPES.items()}
    header, data = {}, bytearray()
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + bytes(data)
