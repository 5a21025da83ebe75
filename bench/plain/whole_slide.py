"""Stains a slide as a plain script does: OpenSlide, PyTorch and tifffile, tile after tile, without overlap and blending.

Usage: whole_slide.py MODEL.safetensors SLIDE OUTPUT.tif THREADS float32|bfloat16
The model is a ResNet-9 generator of pix2pix; its norm is read from the weights.
"""
import sys

import numpy as np
import openslide
import tifffile
import torch

from networks import ResnetGenerator
from weights import read

TILE = 512


def main():
    weights_path, slide_path, output, threads, precision = sys.argv[1:]
    torch.set_num_threads(int(threads))
    weights = read(weights_path)
    has_batch_norm = any(key.endswith("running_mean") for key in weights)
    network = ResnetGenerator(torch.nn.BatchNorm2d if has_batch_norm else torch.nn.InstanceNorm2d)
    missing = network.load_state_dict(weights, strict=False)
    assert not missing.unexpected_keys and all(key.endswith("num_batches_tracked") for key in missing.missing_keys), missing
    network.eval()
    slide = openslide.OpenSlide(slide_path)
    width, height = slide.dimensions
    result = np.zeros((height, width, 3), np.uint8)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
        for top in range(0, height, TILE):
            for left in range(0, width, TILE):
                tile = np.array(slide.read_region((left, top), 0, (TILE, TILE)).convert("RGB"))
                source = torch.from_numpy(tile).permute(2, 0, 1)[None].float() / 127.5 - 1
                stained = network(source).float().clamp(-1, 1)[0].permute(1, 2, 0)
                stained = ((stained + 1) * 127.5).round().to(torch.uint8).numpy()
                result[top:top + TILE, left:left + TILE] = stained[:height - top, :width - left]
    tifffile.imwrite(output, result, tile=(TILE, TILE), photometric="rgb", ome=True)


main()
