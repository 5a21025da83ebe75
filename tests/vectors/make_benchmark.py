"""Makes tests/vectors/benchmark. Needs python3-skimage, python3-scipy and python3-torch.

Metrics of thomasdekerf/virtual-staining-benchmark (commit 19234b7) as its files describe them; the code that computed its scores is not
published. The measured facts are in docs/comparison.md. Usage: python3 make_benchmark.py CIEDE2000_TEST_DATA, the table of Sharma, Wu and
Dalal (2005) as in scikit-image (skimage/color/tests/ciede2000_test_data.txt).
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from scipy.stats import wasserstein_distance
from skimage.color import deltaE_cie76, deltaE_ciede2000, rgb2hed, rgb2lab

from packed import pack, tensor_bytes

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "benchmark")


def box_ssim(a, b):
    """11x11 average pooling of each channel, windows inside the image."""
    x, y = (torch.tensor(image / 255).permute(2, 0, 1)[None] for image in (a, b))
    mean = lambda image: F.avg_pool2d(image, 11, 1)
    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    return (((2 * mx * my + 1e-4) * (2 * cov + 9e-4)) / ((mx * mx + my * my + 1e-4) * (vx + vy + 9e-4))).mean().item()


def values(image, reference):
    lab, wanted = rgb2lab(image), rgb2lab(reference)
    hed, target = rgb2hed(image), rgb2hed(reference)
    difference = image.astype(float) - reference
    return [
        10 * np.log10(255 ** 2 / (difference ** 2).mean()), abs(difference).mean(), box_ssim(image, reference),
        deltaE_cie76(lab, wanted).mean(), deltaE_ciede2000(lab, wanted).mean(), abs(hed[..., 2].mean() - target[..., 2].mean()),
        *(wasserstein_distance(hed[..., stain].ravel(), target[..., stain].ravel()) for stain in range(3)),
    ]


def blobs(rng, height, width, colours):
    """Smooth spots of two stains on white, with noise; some samples are 0."""
    y, x = np.mgrid[:height, :width]
    density = np.zeros((height, width, 3))
    for stain in colours:
        for _ in range(6):
            cx, cy, r = rng.uniform(0, width), rng.uniform(0, height), rng.uniform(2, 7)
            density += np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * r * r))[..., None] * stain
    image = 245 * 10 ** -density + rng.normal(0, 4, density.shape)
    image[3:5, 4:7] = 0
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


os.makedirs(HERE, exist_ok=True)
rng = np.random.default_rng(42)
he, ihc = np.array([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11]]), np.array([[0.65, 0.70, 0.29], [0.27, 0.57, 0.78]])
out = {}
for i, (size, stains) in enumerate((((36, 44), (he, he)), ((52, 40), (ihc, he)))):
    image, reference = (blobs(rng, *size, colours) for colours in stains)
    out[f"image{i}"], out[f"reference{i}"] = (torch.tensor(pixels, dtype=torch.float64) for pixels in (image, reference))
    out[f"values{i}"] = torch.tensor(values(image, reference), dtype=torch.float64)
    print(out[f"values{i}"].tolist())
pack(tensor_bytes(out), os.path.join(HERE, "io_f64.safetensors.gz"))

with open(os.path.join(HERE, "ciede2000.csv"), "w") as f:
    f.write("l1,a1,b1,l2,a2,b2,difference\n")
    for line in open(sys.argv[1]):
        cells = line.split()
        if cells and not line.startswith("#"):
            # pair, 1, L, a, b, nine intermediate numbers, difference, 2, L, a, b, ...
            f.write(",".join(cells[2:5] + cells[17:20] + [cells[15]]) + "\n")

with open(os.path.join(HERE, "meta.json"), "w") as f:
    json.dump({"class": "PSNR, MAE, box SSIM, deltaE_cie76, deltaE_ciede2000, rgb2hed, wasserstein_distance", "skimage": "0.19.3",
               "scipy": "1.10.1", "torch": torch.__version__, "source_repo": "scikit-image/scikit-image", "commit": "v0.19.3",
               "licence": "BSD-3-Clause"}, f, indent=1)
    f.write("\n")
