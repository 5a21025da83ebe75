"""Makes tests/vectors/cyclegan from the official code: three training steps. Needs python3-torch and a copy of
pytorch-CycleGAN-and-pix2pix (249a831).

Usage: python3 make_cyclegan.py PATH_OF_PYTORCH_CYCLEGAN_AND_PIX2PIX
"""
import os
import sys
import types

import numpy as np
import torch

from formula import fill, write

sys.path.insert(0, sys.argv[1])
from models import networks
from models.cycle_gan_model import CycleGANModel

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cyclegan")


def wave(shape, speed):
    return torch.tensor(np.sin(speed * np.arange(np.prod(shape)))).view(shape)


def weights(network):
    return torch.stack([(p.detach() * wave(p.shape, 1.3)).sum() for p in network.parameters()])


# Small networks in the place of the named ones; their weights follow the formula.
networks.define_G = lambda inputs, outputs, *rest: fill_network(networks.ResnetGenerator(
    inputs, outputs, 4, networks.get_norm_layer("instance"), n_blocks=2))
networks.define_D = lambda inputs, *rest: fill_network(networks.NLayerDiscriminator(inputs, 4, 2, networks.get_norm_layer("instance")))


def fill_network(network):
    network = network.double()
    fill(network)
    return network


torch.set_num_threads(1)
os.makedirs(HERE, exist_ok=True)
options = types.SimpleNamespace(
    isTrain=True, device=torch.device("cpu"), checkpoints_dir="", name="", preprocess="none", lambda_A=10.0, lambda_B=8.0,
    lambda_identity=0.5, input_nc=3, output_nc=3, ngf=4, netG="", norm="instance", no_dropout=True, init_type="normal", init_gain=0.02,
    ndf=4, netD="", n_layers_D=2, pool_size=50, gan_mode="lsgan", lr=2e-4, beta1=0.5, direction="AtoB", gpu_ids=[])
model = CycleGANModel(options)
model.criterionGAN.double()
out = {}
for step in range(3):
    a, b = 0.9 * wave((1, 3, 24, 32), 0.05 + 0.01 * step), 0.9 * wave((1, 3, 24, 32), 0.07 + 0.01 * step)
    model.set_input({"A": a, "B": b, "A_paths": [], "B_paths": []})
    model.optimize_parameters()
    for name in model.loss_names:
        out[f"{name}{step}"] = getattr(model, "loss_" + name).detach().reshape(1)
for name in model.model_names:
    out["final." + name] = weights(getattr(model, "net" + name))
write(os.path.join(HERE, "io.safetensors"), out)
