"""Makes tests/vectors/torch: results of PyTorch (Debian's python3-torch 1.13) that the engine must reproduce.

Usage: python3 tests/vectors/make_torch.py
"""
import json
import math
import os
import struct
import zipfile

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


# ---- layers: initial values, two training passes, gradients, one evaluation pass ------------------------------

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
    # A leaf tensor, copied for layers that modify their input in place.
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


# ---- initial values --------------------------------------------------------------------------------------------------------

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


# ---- optimisers: 20 steps with fixed gradients; the third parameter has its first gradient at step 6 -----------------------

OPTIMISERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "sgd_momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.05),
    "sgd_nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True, weight_decay=0.05),
    "adam": lambda p: torch.optim.Adam(p),
    "adam_pix2pix": lambda p: torch.optim.Adam(p, lr=2e-4, betas=(0.5, 0.999)),
    "adam_decay": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1, eps=1e-6),
    "adam_amsgrad": lambda p: torch.optim.Adam(p, lr=0.02, amsgrad=True),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "adamw_amsgrad": lambda p: torch.optim.AdamW(p, lr=0.01, betas=(0.8, 0.95), weight_decay=0.3, amsgrad=True),
}
SHAPES = [(5, 4, 3, 3), (7,), (3, 2), (11, 3)]


def optimisers():
    out = {}
    random = torch.Generator().manual_seed(11)
    start = [torch.randn(shape, generator=random) for shape in SHAPES]
    out.update({f"start/{i}": tensor for i, tensor in enumerate(start)})
    for name, make in OPTIMISERS.items():
        parameters = [tensor.clone().requires_grad_() for tensor in start]
        optimiser = make(parameters[:3])
        optimiser.add_param_group({"params": parameters[3:], "lr": 0.05, "weight_decay": 0.01})
        random = torch.Generator().manual_seed(12)
        for step in range(20):
            for i, parameter in enumerate(parameters):
                gradient = torch.randn(parameter.shape, generator=random)
                parameter.grad = None if i == 2 and step < 5 else gradient
            optimiser.step()
            if step in (0, 19):
                out.update({f"{name}/{step + 1}.{i}": p.detach().clone() for i, p in enumerate(parameters)})
    save("optimisers.safetensors", out)


def clipping():
    random = torch.Generator().manual_seed(13)
    gradients = [3 * torch.randn(shape, generator=random) for shape in SHAPES]
    out = {f"given/{i}": tensor for i, tensor in enumerate(gradients)}
    for name, clip in {
            "norm": lambda p: nn.utils.clip_grad_norm_(p, 1.5), "norm_large": lambda p: nn.utils.clip_grad_norm_(p, 1e6),
            "norm_1": lambda p: nn.utils.clip_grad_norm_(p, 2, 1), "norm_inf": lambda p: nn.utils.clip_grad_norm_(p, 2, math.inf),
            "value": lambda p: nn.utils.clip_grad_value_(p, 0.7)}.items():
        parameters = [torch.zeros(shape, requires_grad=True) for shape in SHAPES]
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = gradient.clone()
        norm = clip(parameters)
        if norm is not None:
            out[f"{name}/norm"] = norm
        out.update({f"{name}/{i}": p.grad for i, p in enumerate(parameters)})
    save("clipping.safetensors", out)


METRICS = [5, 4, 4.1, 3, 3, 3, 3, 3.2, 2.9999, 2.9, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]


def schedules():
    def rates(make, step=lambda schedule, epoch: schedule.step()):
        parameter = torch.zeros(1, requires_grad=True)
        optimiser = torch.optim.SGD([parameter], lr=0.3)
        schedule, found = make(optimiser), []
        for epoch in range(30):
            found.append(optimiser.param_groups[0]["lr"])
            optimiser.step()
            step(schedule, epoch)
        return torch.tensor(found, dtype=torch.float64)

    def cosine(step, warmup=5, training=28, cycles=0.5):
        if step < warmup:
            return step / max(1, warmup)
        return max(0.0, 0.5 * (1.0 + math.cos(math.pi * cycles * 2.0 * (step - warmup) / max(1, training - warmup))))

    plateau = lambda schedule, epoch: schedule.step(METRICS[epoch])
    scheduler = torch.optim.lr_scheduler
    save("schedules.safetensors", {
        "step": rates(lambda o: scheduler.StepLR(o, 7, 0.5)),
        "cosine_warmup": rates(lambda o: scheduler.LambdaLR(o, cosine)),
        "plateau": rates(lambda o: scheduler.ReduceLROnPlateau(o, patience=2, factor=0.5), plateau),
        "plateau_max": rates(lambda o: scheduler.ReduceLROnPlateau(
            o, "max", patience=1, cooldown=2, threshold=0.5, threshold_mode="abs", min_lr=0.001), plateau),
        "metrics": torch.tensor(METRICS, dtype=torch.float64),
    })


# ---- a TorchScript network with several outputs -------------------------------------------------------------------------

class Scripted(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(2, 3, 3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        y = self.conv(x)
        return self.drop(y), [y.mean(), y.std()]

    @torch.jit.export
    def double(self, x, y):
        return 2 * x + y

    @torch.jit.export
    def with_count(self, x):
        return x + 1, x.shape[0]


def script():
    torch.manual_seed(5)
    network = Scripted().eval()
    made = os.path.join(HERE, "made.pt")
    torch.jit.script(network).save(made)
    # Leave out the debug records, which contain local paths.
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(os.path.join(HERE, "script.pt"), "w") as target:
        for name in source.namelist():
            if not name.endswith(".debug_pkl"):
                target.writestr(zipfile.ZipInfo(name), source.read(name))
    os.remove(made)
    x = images(c=2)
    result, (mean, std) = network(x)
    save("script.safetensors", {"x": x, "y": result, "mean": mean, "std": std})


if __name__ == "__main__":
    os.makedirs(HERE, exist_ok=True)
    torch.set_num_threads(1)
    layers()
    inits()
    optimisers()
    clipping()
    schedules()
    script()
