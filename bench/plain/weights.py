"""Reads safetensors files of Tinctor."""
import json

import numpy as np
import torch

TYPES = {"F32": np.float32, "F64": np.float64, "I64": np.int64}


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        data = file.read()
    header.pop("__metadata__", None)
    return {name: torch.from_numpy(np.frombuffer(data[slice(*entry["data_offsets"])], TYPES[entry["dtype"]])
                                   .reshape(entry["shape"]).copy()) for name, entry in header.items()}
