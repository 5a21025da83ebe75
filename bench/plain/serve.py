"""Runs workloads in plain PyTorch for `tinctor bench`. Usage: serve.py THREADS

Reads one request per line, as JSON, and answers each with a line of JSON:
  {"do": "pass", "network": NAME, "size": N, "batch": N, "dtype": "float32"|"bfloat16"}   seconds of one pass
  {"do": "step", "method": NAME, "size": N, "batch": N}                                    seconds of one training step
  {"do": "operations", "network": NAME, "size": N, "batch": N}                             additions and multiplications of a pass
  {"do": "operations_of_step", "method": NAME, "size": N, "batch": N}                      the same of a training step
  {"do": "check", "network": NAME, "weights": FILE, "source": FILE, "stained": FILE}       largest difference of the outputs
  {"do": "forget"}                                                                         releases all networks
"""
import json
import sys
import time

import torch
from torch import nn

from networks import Attention, CrossAttention, create
from steps import STEPS
from weights import read

held = {}


def keep(key, make):
    if key not in held:
        held[key] = make()
    return held[key]


def images(batch, size):
    generator = torch.Generator().manual_seed(size)
    return torch.rand(batch, 3, size, size, generator=generator) * 2 - 1


def run(network, name, image):
    if name in ("bbdm", "i2sb"):
        return network(image, torch.full((len(image),), 500.0), image)
    return network(image)


def one_pass(network, size, batch, dtype):
    model, image = keep(network, lambda: create(network).eval()), keep(("image", size, batch), lambda: images(batch, size))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=dtype == "bfloat16"):
        start = time.perf_counter()
        run(model, network, image)
        return time.perf_counter() - start


def one_step(method, size, batch):
    trainer = keep(("step", method), STEPS[method])
    source, target = keep(("image", size, batch), lambda: images(batch, size)), keep(("target", size, batch), lambda: -images(batch, size))
    start = time.perf_counter()
    trainer.step(source, target)
    return time.perf_counter() - start


class Operations:
    """Counts the additions and multiplications of convolutions, linear layers and attention while it is active.

    The backward pass of a layer costs as much again for the gradient of its input, and for that of its weights.
    """

    def __enter__(self):
        self.count = 0
        self.handle = nn.modules.module.register_module_forward_hook(self.add)
        return self

    def __exit__(self, *_):
        self.handle.remove()

    def add(self, layer, inputs, output):
        one = 0
        if isinstance(layer, (nn.Conv1d, nn.Conv2d)):
            one = 2 * output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.ConvTranspose2d):
            one = 2 * inputs[0].numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            one = 2 * output.numel() * layer.in_features
        elif isinstance(layer, (Attention, CrossAttention)):
            places, keys = output[0, 0].numel(), inputs[-1][0, 0].numel()
            one = 4 * len(output) * output.shape[1] * places * keys
        if one == 0:
            return
        trains = torch.is_grad_enabled()
        weight = getattr(layer, "weight", None)
        self.count += one * (1 + (trains and inputs[0].requires_grad) + (trains and weight is not None and weight.requires_grad))


def operations(network, size, batch):
    model = keep(network, lambda: create(network).eval())
    with torch.no_grad(), Operations() as counted:
        run(model, network, images(batch, size))
    return counted.count


def operations_of_step(method, size, batch):
    with Operations() as counted:
        one_step(method, size, batch)
    return counted.count


def check(network, weights, source, stained):
    model = create(network).eval()
    state = read(weights)
    missing = model.load_state_dict(state, strict=False)
    missing_keys = [key for key in missing.missing_keys if not key.endswith("num_batches_tracked")]
    if missing_keys or missing.unexpected_keys:
        raise KeyError(f"{network}: missing {missing_keys[:3]}, unexpected {missing.unexpected_keys[:3]}")
    with torch.no_grad():
        return (run(model, network, read(source)["image"]) - read(stained)["image"]).abs().max().item()


def forget():
    held.clear()
    return 0


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    work = {"pass": one_pass, "step": one_step, "operations": operations, "operations_of_step": operations_of_step, "check": check,
            "forget": forget}
    print(json.dumps({"torch": torch.__version__}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": work[request.pop("do")](**request)}
        except Exception as error:  # the caller prints it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
