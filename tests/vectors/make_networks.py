"""Recomputes the vectors of the diffusion U-Nets, of the pix2pix U-Nets and of LPIPS with SqueezeNet, with the official implementations.

Usage: make_networks.py REPOSITORIES [--check]. REPOSITORIES holds one folder for each official repository, at the commit named in
meta.json: p2p, i2sb, bbdm, yijie and lpips. Inputs and weights are those of the packed files here; the script replaces the outputs. With
--check it only prints the largest difference of each folder from the stored outputs. Needs python3-torch and
python3-torchvision (1.13 and 0.14 made the stored numbers).
"""
import io
import json
import os
import sys
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import torch
import torch.nn.functional as F

from packed import pack, read_tensors, tensor_bytes, unpack

HERE = os.path.dirname(os.path.abspath(__file__))
SMALL = 4096


def replace_modules():
    """Puts stand-ins in the place of packages that the official files import and that no vector needs."""
    for name in ("ipdb", "torch_ema", "torchmetrics", "distributed_util", "evaluation", "wandb", "prefetch_generator", "einops", "blobfile",
                 "mpi4py", "torch.utils.tensorboard", "i2sb.ckpt_util", "skimage", "skimage.metrics"):
        sys.modules[name] = MagicMock()
    sys.modules["lpips.trainer"] = ModuleType("lpips.trainer")
    for name in ("tqdm", "tqdm.auto", "tqdm.autonotebook"):
        sys.modules[name] = ModuleType(name)
        sys.modules[name].tqdm = lambda items, *_, **__: items


def read(name):
    """Returns the inputs and outputs of a folder."""
    return read_tensors(unpack(os.path.join(HERE, name, "io.safetensors.gz")))


def weights(name):
    """Returns the state dictionary of a folder."""
    return torch.load(io.BytesIO(unpack(os.path.join(HERE, name, "weights.pth.gz"))))


class Noise:
    """Makes torch.randn_like return given noises, one after the other."""

    def __init__(self, *noises):
        self.noises = iter(noises)

    def __enter__(self):
        self.original = torch.randn_like
        torch.randn_like = lambda _: next(self.noises)

    def __exit__(self, *_):
        torch.randn_like = self.original


def gradients(network, x, y, loss_w, factor, grad_x="grad_in.x", parameters=True):
    """Returns the loss mean(y*loss_w)*factor and its gradients: of x and of the small parameters."""
    network.zero_grad()
    loss = (y * loss_w).mean() * factor
    loss.backward()
    out = {"loss": loss, grad_x: x.grad}
    if parameters:
        out.update({f"grad.{key}": parameter.grad.clone() for key, parameter in network.named_parameters() if parameter.numel() <= SMALL})
    return out


def i2sb_unet(name, network, old):
    x = old["x"].clone().requires_grad_()
    y = network(x, old["t"])
    out = {"y": y, **gradients(network, x, y, old["loss_w"], 10)}
    if "x1" in old:
        out.update(i2sb_trajectories(network, old, name == "i2sb_unet_cond"))
    return out


def i2sb_runner(network, conditional):
    from i2sb.diffusion import Diffusion
    from i2sb.network import Image256Net
    from i2sb.runner import Runner, make_beta_schedule

    betas = make_beta_schedule(n_timestep=1000, linear_end=0.3 / 1000)
    betas = np.concatenate([betas[:500], np.flip(betas[:500])])
    net = Image256Net.__new__(Image256Net)
    torch.nn.Module.__init__(net)
    net.diffusion_model, net.cond, net.noise_levels = network, conditional, torch.linspace(1e-4, 1, 1000) * 1000
    runner = Runner.__new__(Runner)
    runner.diffusion, runner.net, runner.ema, runner.log = Diffusion(betas, "cpu"), net, MagicMock(), MagicMock()
    return runner


def i2sb_trajectories(network, old, conditional):
    runner, x1, out = i2sb_runner(network, conditional), old["x1"], {}
    for name, ode, clip in (("ot_ode", True, False), ("ot_ode_clip", True, True), ("sde", False, False)):
        options = SimpleNamespace(interval=1000, device="cpu", ot_ode=ode)
        with Noise(*old["sde_noises"]):
            states, predictions = runner.ddpm_sampling(options, x1, cond=x1 if conditional else None, clip_denoise=clip, nfe=10,
                                                       verbose=False)
        out[f"traj_{name}_xs"], out[f"traj_{name}_pred_x0"] = states, predictions
    return out


def i2sb_trainstep(network, old):
    runner, step = i2sb_runner(network, False), old["step"]
    with Noise(old["noise"]):
        xt = runner.diffusion.q_sample(step, old["x0"], old["x1"])
    label = runner.compute_label(step, old["x0"], xt)
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-5, weight_decay=0)
    optimizer.zero_grad()
    pred = runner.net(xt, step)
    loss = F.mse_loss(pred, label)
    loss.backward()
    parameters = dict(network.named_parameters())
    out = {"xt": xt, "label": label, "pred": pred, "loss": loss}
    out.update({f"grad.{key}": parameters[key].grad.clone() for key in parameters})
    optimizer.step()
    out.update({f"after.{key}": parameters[key] for key in parameters})
    return out


def make_i2sb(meta):
    from guided_diffusion.script_util import create_model
    for name in ("i2sb_unet_uncond", "i2sb_unet_cond", "i2sb_unet_plain_newattn"):
        network = create_model(**meta(name))
        network.load_state_dict(weights(name))
        network.eval()
        yield name, i2sb_unet(name, network, read(name))
        if name == "i2sb_unet_uncond":
            network.zero_grad()
            yield "i2sb_trainstep", i2sb_trainstep(network, read("i2sb_trainstep"))


def bbdm_model(params, **changes):
    from model.BrownianBridge.BrownianBridgeModel import BrownianBridgeModel
    params = {**params, **changes, "UNetParams": SimpleNamespace(**params["UNetParams"])}

    class Parameters(SimpleNamespace):
        def __contains__(self, name):
            return hasattr(self, name)

    model = BrownianBridgeModel(SimpleNamespace(BB=SimpleNamespace(params=Parameters(**params))))
    model.denoise_fn.load_state_dict({key[11:]: value for key, value in weights("bbdm_unet").items() if key.startswith("denoise_fn.")})
    return model.eval()


def make_bbdm(meta):
    params = meta("bbdm_unet")
    old, model = read("bbdm_unet"), bbdm_model(params)
    x = old["x"].clone().requires_grad_()
    y = model.denoise_fn(x, timesteps=old["t"], context=old["context"])
    yield "bbdm_unet", {"y": y, **gradients(model.denoise_fn, x, y, old["loss_w"], 10)}

    old, out = read("bbdm_qsample_losses"), {}
    for mt in ("linear", "sin"):
        for objective in ("grad", "noise", "ysubx"):
            for loss_type in ("l1", "l2"):
                model = bbdm_model(params, mt_type=mt, objective=objective, loss_type=loss_type)
                loss, log = model.p_losses(old["x0"], old["y"], old["y"], old["t"], old["noise"])
                key = f"{mt}.{objective}."
                out[f"{key}loss_{loss_type}"] = loss
                if loss_type == "l1":
                    loss.backward()
                    x_t, target = model.q_sample(old["x0"], old["y"], old["t"], old["noise"])
                    out.update({f"{key}x_t": x_t, f"{key}objective": target, f"{key}x0_recon": log["x0_recon"],
                                f"{key}grad_denoise_fn.out.2.weight": model.denoise_fn.out[2].weight.grad})
    yield "bbdm_qsample_losses", out

    old, out = read("bbdm_psample"), {}
    for objective in ("grad", "noise", "ysubx"):
        model = bbdm_model(params, objective=objective)
        for i in (0, 1, 100, 197, 198, 199):
            for clip in (0, 1):
                with Noise(old["noise"]):
                    sample, x0 = model.p_sample(old["x_t"], old["y"], old["y"], i, clip_denoised=clip == 1)
                out[f"{objective}.i{i}.clip{clip}.sample"], out[f"{objective}.i{i}.clip{clip}.x0"] = sample, x0
    for objective, steps, eta in (("grad", 10, 1.0), ("grad", 10, 0.0), ("ysubx", 6, 1.0)):
        model, key = bbdm_model(params, objective=objective, sample_step=steps, eta=eta), f"loop.{objective}.s{steps}.eta{eta}."
        with Noise(*old[f"{key}noises"]):
            states, predictions = model.p_sample_loop(old["y"], clip_denoised=False, sample_mid_step=True)
        out[f"{key}imgs"], out[f"{key}x0s"] = torch.stack(states), torch.stack(predictions)
    yield "bbdm_psample", out


def make_yijie(meta):
    from improved_diffusion.script_util import create_gaussian_diffusion
    from improved_diffusion.unet import SuperResModel

    network = SuperResModel(**meta("yijie_unet"))
    network.load_state_dict(weights("yijie_unet"))
    network.eval()
    old = read("yijie_unet")
    x = old["x"].clone().requires_grad_()
    y = network(x, old["low_res"], old["t"])
    yield "yijie_unet", {"y": y, **gradients(network, x, y, old["loss_w"], 10),
                         "y_low_res_half": network(old["x"], old["low_res_half"], old["t"])}

    def diffusion(steps):
        return create_gaussian_diffusion(steps=steps, rescale_timesteps=True, rescale_learned_sigmas=True)

    old, long = read("yijie_qsample_losses"), diffusion(1000)
    network.zero_grad()
    losses = long.training_losses(network, old["x0"], old["y"], old["t"], noise=old["noise"])
    loss = losses["loss"].mean()
    loss.backward()
    yield "yijie_qsample_losses", {"loss_per_sample": losses["loss"], "loss_mean": loss, "grad.out.2.weight": network.out[2].weight.grad}

    old, short, out = read("yijie_sampling"), diffusion(10), {}
    for clip in (False, True):
        out.update(collect(f"full.clip{int(clip)}", old, lambda: short.p_sample_loop_progressive(network, old["y"], clip_denoised=clip)))
    for end in (0, 3, 5, 9, 10):
        for kind, loop, final in (("mean", short.p_sample_mean_loop_progressive, short.p_sample_mean_loop),
                                  ("skip", short.p_sample_mean_skip_progressive, short.p_sample_mean_skip)):
            key = f"{kind}.te{end}"
            out.update(collect(key, old, lambda: loop(network, old["y"], n_avg_steps=end, clip_denoised=False)))
            with Noise(*old["noises"]):
                out[f"{key}.final"] = final(network, old["y"], n_avg_steps=end, clip_denoised=False)
    with Noise(*old["noises"]):
        out["mean_traj_0_3_5"] = short.p_sample_mean_traj(network, old["y"], n_avg_steps=[0, 3, 5], clip_denoised=False)
    for t in (999, 998, 500, 1, 0):
        times = torch.tensor([t] * 2)
        with torch.no_grad(), Noise(old["p1_noise"]):
            sample = long.p_sample(network, old["p1_x"], old["p1_y"], times, clip_denoised=False)
            mean = long.p_sample_mean(network, old["p1_x"], old["p1_y"], times, clip_denoised=False)
        out.update({f"p_sample_t{t}.{key}": value for key, value in sample.items()})
        out[f"p_sample_mean_t{t}.sample"] = mean["sample"]
    yield "yijie_sampling", out


def collect(key, old, loop):
    with Noise(*old["noises"]):
        steps = list(loop())
    return {f"{key}.samples": torch.stack([step["sample"] for step in steps]),
            f"{key}.pred_xstart": torch.stack([step["pred_xstart"] for step in steps])}


def make_pix2pix(meta):
    from models.networks import UnetGenerator
    for name, norm in (("p2p_unet128_batch", torch.nn.BatchNorm2d), ("p2p_unet128_instance", torch.nn.InstanceNorm2d)):
        options = {key: value for key, value in meta(name).items() if key != "class"}
        network, old = UnetGenerator(norm_layer=norm, **options), read(name)
        network.load_state_dict(weights(name))
        network.eval()
        x = old["x"].clone().requires_grad_()
        y = network(x)
        out = {"y_eval": y, **gradients(network, x, y, old["loss_w"], 100)}
        out["loss_eval"] = out["loss"]
        if "x_train" in old:
            network.train()
            x = old["x_train"].clone().requires_grad_()
            y = network(x)
            out.update({"y_train": y, **gradients(network, x, y, old["loss_w_train"], 100, "grad_train.x", parameters=False)})
            out["loss_train"] = out["loss"]
            out.update({f"after_train.{key}": value for key, value in network.state_dict().items()})
        yield name, out


def make_lpips(meta):
    from lpips import LPIPS
    name, state = "lpips_squeeze_randtrunk", weights("lpips_squeeze_randtrunk")

    def network(**options):
        made = LPIPS(net="squeeze", version="0.1", pnet_rand=True, verbose=False, **options)
        made.load_state_dict(state, strict=False)
        return made.eval()

    old, official = read(name), network()
    a, b = old["in0"].clone().requires_grad_(), old["in1"]
    distance, layers = official(a, b, retPerLayer=True)
    distance.mean().backward()
    out = {"lpips": distance, "grad_in0_of_mean": a.grad, **{f"layer{i}": layer for i, layer in enumerate(layers)}}
    with torch.no_grad():
        out["lpips_normalize_true"] = official((old["in0"] + 1) / 2, (b + 1) / 2, normalize=True)
        features = official.net(official.scaling_layer(old["in0"]))
        out.update({f"feat{i}_meanhw": feature.mean((2, 3)) for i, feature in enumerate(features)})
        out["baseline_no_lin"] = network(lpips=False)(old["in0"], b)
        out["spatial_map"] = network(spatial=True)(old["in0"], b)
    yield name, out


def main():
    repositories, check = sys.argv[1], "--check" in sys.argv
    torch.set_num_threads(1)
    replace_modules()
    for folder in ("p2p", "i2sb", "bbdm", "yijie", "lpips"):
        sys.path.insert(0, os.path.join(repositories, folder))
    for package, folder in (("i2sb", "i2sb/i2sb"), ("improved_diffusion", "yijie/improved_diffusion")):
        # The __init__ files of the packages import training code that needs more packages.
        sys.modules[package] = ModuleType(package)
        sys.modules[package].__path__ = [os.path.join(repositories, folder)]

    def meta(name):
        with open(os.path.join(HERE, name, "meta.json")) as f:
            return json.load(f)["args"]

    for make in (make_pix2pix, make_i2sb, make_bbdm, make_yijie, make_lpips):
        for name, out in make(meta):
            old = read(name)
            new = {key: out.get(key, value).detach().to(value.dtype).clone() for key, value in old.items()}
            assert all(new[key].shape == old[key].shape for key in old), name
            difference = max(((new[key] - old[key]).abs().max().item(), key) for key in old)
            print(name, len(set(old) & set(out)), "of", len(old), "tensors recomputed; kept:",
                  " ".join(sorted(set(old) - set(out))), "; largest difference", difference)
            if not check:
                pack(tensor_bytes(new), os.path.join(HERE, name, "io.safetensors.gz"))


if __name__ == "__main__":
    main()
