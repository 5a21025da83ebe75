"""Makes tests/vectors/resnet: needs python3-torch and python3-torchvision. Weights are by formula, so that the tests can make them again."""
import os

import numpy as np
import torch
from torchvision.models import resnet18, resnet50

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "resnet")


def formula(number, name, shape):
    """Sines that keep the sizes of activations: 1.4 / sqrt(fan in) for convolutions, near 0 and 1 for statistics."""
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
    return torch.tensor(s, dtype=torch.float32).view(shape)


def write(path, tensors):
    """safetensors, float32."""
    import json
    import struct
    header, data, at = {}, b"", 0
    for name, tensor in tensors.items():
        raw = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(raw)]}
        data, at = data + raw, at + len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


os.makedirs(HERE, exist_ok=True)
out = {}
for name, make in (("resnet18", resnet18), ("resnet50", resnet50)):
    network = make()
    with open(os.path.join(HERE, name + ".keys"), "w") as f:
        f.writelines(f"{key} {','.join(map(str, value.shape))}\n" for key, value in network.state_dict().items())
    network.load_state_dict({key: formula(n, key, tuple(value.shape)) for n, (key, value) in enumerate(network.state_dict().items())})
    network.eval()
    x = torch.tensor(np.sin(0.05 * np.arange(2 * 3 * 80 * 72)), dtype=torch.float32).view(2, 3, 80, 72)
    with torch.no_grad():
        y = network(x)
        network.fc = torch.nn.Identity()
        out[name + ".features"] = network(x)
    out[name + ".logits"] = y[:, :16].contiguous()
    print(name, sum(p.numel() for p in make().parameters()), y.abs().max(), out[name + ".features"].abs().max())
write(os.path.join(HERE, "io.safetensors"), out)
