#!/usr/bin/env python3
"""Makes tests/vectors/serialization: checkpoints written by PyTorch. Made with torch 1.13.1 and numpy 1.24."""

import io
import json
import os
import pathlib
import pickle
import struct
import tarfile
import zipfile
from collections import OrderedDict

import numpy as np
import torch

HERE = pathlib.Path(__file__).resolve().parent / "serialization"
HERE.mkdir(exist_ok=True)
os.chdir(HERE)
torch.manual_seed(1)


def counted(shape, dtype):
    count = int(np.prod(shape))
    return torch.arange(count).reshape(shape).to(dtype)


# All element types, with the values 0, 1, 2, ... (bool: odd numbers are true).
kinds = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8,
         torch.complex64, torch.complex128]
dtypes = OrderedDict((str(kind).replace("torch.", ""), counted((2, 3), kind)) for kind in kinds)
dtypes["bool"] = counted((2, 3), torch.int64) % 2 == 1
torch.save(dtypes, "dtypes.pth")

# Views: several views of one storage with the values 0..23.
base = torch.arange(24, dtype=torch.float32)
views = {
    "base": base,
    "transposed": base.view(4, 6).t(),
    "offset": base[5:11].view(2, 3),
    "stepped": base[1::4],
    "expanded": base[7:8].expand(3, 2),
    "scalar": base[9],
    "same": base.view(2, 12),
    "empty": torch.empty(0, 5),
    "parameter": torch.nn.Parameter(torch.tensor([1.0, 2.0])),
    "channels_last": base.view(1, 2, 3, 4).to(memory_format=torch.channels_last),
}
torch.save(views, "views.pth")

# A training checkpoint with the usual entries beside the weights.
model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
optimizer = torch.optim.Adam(model.parameters(), lr=2e-4)
scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 3, 5])
model(torch.randn(4, 2)).sum().backward()
optimizer.step()
training = {
    "epoch": 12, "best": np.float64(0.25), "count": np.int64(7), "flag": np.bool_(True), "big": 2 ** 70, "negative": -3, "long": -(2 ** 40),
    "name": "größe", "bytes": b"ab\xff", "none": None, "tuple": (1, 2.5, True), "list": [1, [2, [3]]], "set": {1}, "complex": 1 + 2j,
    "size": torch.Size([1, 2]), "device": torch.device("cuda", 0), "dtype": torch.float16,
    "model": model.state_dict(), "optimizer": optimizer.state_dict(), "scheduler": scheduler.state_dict(),
}
torch.save(training, "training.pth")
torch.save(training, "training_protocol4.pth", pickle_protocol=4)
torch.save({"nets": {"G": model.state_dict(), "D": {"w": torch.ones(1)}}}, "two_models.pth")

# Files that Tinctor refuses, each for another reason.
torch.save(model.state_dict(), "legacy.pth", _use_new_zipfile_serialization=False)
torch.save(model, "whole_module.pth")
torch.jit.save(torch.jit.trace(model.eval(), torch.randn(4, 2)), "traced.pt")
pickle.dump({"a": 1}, open("bare_pickle.pth", "wb"), protocol=2)
with tarfile.open("tar.pth", "w") as tar:
    tar.addfile(tarfile.TarInfo("sys_info"), io.BytesIO())


class Command:
    def __reduce__(self):
        return os.system, ("touch executed",)


torch.save({"weights": torch.ones(1), "x": Command()}, "command.pth")


def rewrite(source, target, change, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", compression) as new:
        for name in old.namelist():
            content = change(name, old.read(name))
            if content is not None:
                new.writestr(name, content)
        extra = change(None, None)
        if extra is not None:
            new.writestr(*extra)


# Leave out the debug records, which contain local paths.
rewrite("traced.pt", "torchscript.pt", lambda name, data: None if name is None or name.endswith(".debug_pkl") else data)
os.remove("traced.pt")
rewrite("views.pth", "big_endian.pth", lambda name, data: ("views/byteorder", "big") if name is None else data)
rewrite("views.pth", "little_endian.pth", lambda name, data: ("views/byteorder", "little") if name is None else data)
rewrite("views.pth", "compressed.pth", lambda name, data: data, zipfile.ZIP_DEFLATED)
rewrite("views.pth", "short_storage.pth", lambda name, data: data[:-4] if name == "views/data/0" else data)
rewrite("views.pth", "lost_storage.pth", lambda name, data: None if name == "views/data/0" else data)
rewrite("views.pth", "no_pickle.pth", lambda name, data: None if name == "views/data.pkl" else data)


def write_safetensors(path, tensors, metadata):
    """Writes safetensors following the format description; the header lists the tensors in reverse order of their data."""
    names = {torch.float64: "F64", torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.int64: "I64",
             torch.int32: "I32", torch.int16: "I16", torch.int8: "I8", torch.uint8: "U8", torch.bool: "BOOL"}
    data, entries = b"", {}
    for name, tensor in tensors.items():
        raw = (tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor).numpy().tobytes()
        entries[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    header = json.dumps({**dict(reversed(entries.items())), "__metadata__": metadata}, indent=1).encode()
    header += b" " * (-len(header) % 8)
    path.write_bytes(struct.pack("<Q", len(header)) + header + data)


real = OrderedDict((name, tensor) for name, tensor in dtypes.items() if not tensor.is_complex())
write_safetensors(HERE / "dtypes.safetensors", {**real, "scalar": torch.tensor(2.5), "empty": torch.empty(2, 0)}, {"größe": "\u00e9\n"})
