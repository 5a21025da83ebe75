"""Makes tests/vectors/stains. Needs python3-numpy, python3-scipy, python3-skimage and python3-pil.

Uses eigh for Macenko, a simplex search over angles for Vahadane and nnls for the stain concentrations.
"""
import json
import os
import struct

import numpy as np
from PIL import Image
from scipy.optimize import minimize, nnls
from skimage.color import lab2rgb, rgb2lab

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "stains")
SAMPLES = os.path.join(HERE, "..", "..", "..", "samples", "data")
THRESHOLD, LN10 = 0.07, np.log(10)


def density(rgb):
    return -np.log10(np.maximum(rgb.reshape(-1, 3) / 255, 1 / 255))


def stained(rgb):
    return density(rgb).mean(1) >= THRESHOLD


def haematoxylin_first(a, b):
    return np.stack([a, b] if a[0] > b[0] else [b, a])


def macenko(od):
    axes = np.linalg.eigh(np.cov(od.T))[1]
    first, second = axes[:, 2], axes[:, 1]
    if first.sum() < 0:
        first = -first
    low, high = np.percentile(np.arctan2(od @ second, od @ first), [1, 99])
    return haematoxylin_first(*[np.cos(t) * first + np.sin(t) * second for t in (low, high)])


def lasso(od, stains, penalty):
    """Returns the optimum: the best of the four choices of which concentrations are zero."""
    candidates = [np.zeros((len(od), 2))]
    for j in range(2):
        only = np.zeros((len(od), 2))
        only[:, j] = np.maximum(od @ stains[j] - penalty, 0)
        candidates.append(only)
    both = np.linalg.solve(stains @ stains.T, (od @ stains.T - penalty).T).T
    candidates.append(np.where((both < 0).any(1, keepdims=True), 0, both))
    values = np.stack([((od - h @ stains) ** 2).sum(1) / 2 + penalty * h.sum(1) for h in candidates])
    return np.take_along_axis(np.stack(candidates), values.argmin(0)[None, :, None], 0)[0], values.min(0)


def unit(angles):
    # A non-negative unit vector.
    t, p = angles
    return np.array([abs(np.sin(t) * np.cos(p)), abs(np.sin(t) * np.sin(p)), abs(np.cos(t))])


def vahadane(od):
    start = np.concatenate([[np.arccos(v[2]), np.arctan2(v[1], v[0])] for v in np.maximum(macenko(od), 0)])

    def cost(angles):
        return lasso(od, np.stack([unit(angles[:2]), unit(angles[2:])]), 0.1 / LN10)[1].mean()

    best = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-13, "maxiter": 4000})
    return haematoxylin_first(unit(best.x[:2]), unit(best.x[2:]))


def blend(rgb, mapped):
    share = np.clip(2 * density(rgb).mean(1) / THRESHOLD - 1, 0, 1)[:, None]
    light = rgb.reshape(-1, 3) / 255
    return np.floor(np.clip(light + share * (mapped - light), 0, 1) * 255 + 0.5).reshape(rgb.shape)


def by_stains(rgb, reference, find):
    def profile(image):
        od = density(image)[stained(image)]
        vectors = find(od)
        concentrations = np.array([nnls(vectors.T, pixel)[0] for pixel in od])
        return vectors, np.percentile(concentrations, 99, axis=0)
    (own, high), (wanted, wanted_high) = profile(rgb), profile(reference)
    concentrations = np.array([nnls(own.T, pixel)[0] for pixel in density(rgb)])
    return own, high, blend(rgb, 10 ** -((concentrations * wanted_high / high) @ wanted))


def reinhard(rgb, reference):
    lab, wanted = [rgb2lab(x)[stained(x).reshape(x.shape[:2])] for x in (rgb, reference)]
    mapped = (rgb2lab(rgb) - lab.mean(0)) / lab.std(0) * wanted.std(0) + wanted.mean(0)
    return lab.mean(0), lab.std(0), blend(rgb, lab2rgb(mapped).reshape(-1, 3))


def write(path, arrays):
    header, data = {}, b""
    for name, array in arrays.items():
        raw = np.ascontiguousarray(array, dtype=np.uint8 if array.ndim == 3 else np.float64).tobytes()
        header[name] = {"dtype": "U8" if array.ndim == 3 else "F64", "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


def crop(path, x, y):
    return np.asarray(Image.open(os.path.join(SAMPLES, path)).convert("RGB"))[y:y + 64, x:x + 80]


os.makedirs(HERE, exist_ok=True)
image, reference = crop("ihc/skimage_ihc.png", 160, 110), crop("slides/OS-1-detail_rgb.png", 300, 200)
out = {"image": image, "reference": reference, "lab": rgb2lab(reference).reshape(-1, 3)[::31]}
out["lab_mean"], out["lab_deviation"], out["reinhard"] = reinhard(image, reference)
for name, find in (("macenko", macenko), ("vahadane", vahadane)):
    out[name + "_stains"], out[name + "_maxima"], out[name] = by_stains(image, reference, find)
    print(name, out[name + "_stains"].round(3).tolist(), out[name + "_maxima"].round(3))
write(os.path.join(HERE, "io.safetensors"), out)
