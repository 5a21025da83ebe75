"""Registers two brightfield slides with PyTorch: the same optimisation as tinctor register with its default options.

Usage: register.py SOURCE TARGET OUTPUT.npz THREADS
The slides have pixels of the same size. The tissue at source pixel (x, y) is at target pixel affine (x, y, 1) + displacement(x, y), at
level 0; the displacement [2, h, w] holds at the centres of h x w equal cells that cover the source.
"""
import math
import sys
import time

import numpy as np
import openslide
import torch
from PIL import Image
from torch.nn import functional as F

SIZE = 1000  # longer side of the images that are registered
FLAT = 0.01  # standard deviation of a window without structure
STIFFNESS, NODE_SPACING, LEAST_AREA = 3, 4, 0.15
AFFINE_LEVELS = [(256, 15, 60, 0.02), (480, 11, 40, 0.005)]  # longer side of the source, window, steps, rate
NONRIGID_LEVELS = [(128, 21, 60), (256, 21, 60), (512, 21, 40)]


def read(slide, downsample):
    level = slide.get_best_level_for_downsample(downsample * 1.001)
    image = slide.read_region((0, 0), level, slide.level_dimensions[level]).convert("RGB")
    return image.resize([round(side / downsample) for side in slide.dimensions], Image.BICUBIC)


def structure(image):
    """Optical density, stretched from its 1st to its 99th percentile, and 0 away from tissue; [1, 1, H, W]."""
    light = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    density = -light.clamp(min=1 / 255).log10().mean(1, keepdim=True)
    low, high = density.flatten()[::1 + density.numel() // 100_000].quantile(torch.tensor([0.01, 0.99]))
    dense = (reduce(density, 512 / max(density.shape)) > 0.06).float()
    if 0.005 <= dense.mean() <= 0.9:
        margin = max(dense.shape) // 10
        around = F.max_pool2d(F.max_pool2d(dense, (2 * margin + 1, 1), 1, (margin, 0)), (1, 2 * margin + 1), 1, (0, margin))
        tissue = F.interpolate(around, density.shape[2:], mode="bilinear")
    else:
        tissue = 1
    return ((density - low) / (high - low)).clamp(0, 1) * tissue


def reduce(image, scale):
    if scale >= 1:
        return image
    return F.interpolate(image, [max(8, round(side * scale)) for side in image.shape[2:]], mode="bilinear", antialias=True)


def matrix(*values):
    return torch.tensor(values + (0, 0, 1), dtype=torch.float64).view(3, 3)


def scaling(before, after):
    """Transform from the pixels of an image, given by its shape, to those of the resized image; their corners coincide."""
    across, down = after[-1] / before[-1], after[-2] / before[-2]
    return matrix(across, 0, (across - 1) / 2, 0, down, (down - 1) / 2)


def at_side(source, target, transform, side):
    """Reduces both images by the same factor, and converts the transform to them."""
    a, b = (reduce(image, side / max(source.shape)) for image in (source, target))
    return a, b, scaling(target.shape, b.shape) @ transform @ scaling(a.shape, source.shape)


def positions(transforms, source, target):
    """Positions [N, 2, H, W] of the source's pixels in the target under transforms [N, 3, 3], from -1 to 1 as grid_sample has them."""
    (h, w), (height, width) = target.shape[2:], source.shape[2:]
    t = (matrix(2 / (w - 1), 0, -1, 0, 2 / (h - 1), -1) @ transforms)[..., None, None].float()
    return t[:, :2, 0] * torch.arange(width) + (t[:, :2, 1] * torch.arange(height)[:, None] + t[:, :2, 2])


def sample(target, at):
    """Values of the target at positions, and the mask of those inside of it."""
    inside = (at.detach().abs().amax(1, keepdim=True) <= 1).float()
    values = F.grid_sample(target.expand(len(at), -1, -1, -1), at.permute(0, 2, 3, 1), padding_mode="border", align_corners=True)
    return values, inside


def windows(images, side):
    """Means of windows a quarter of their side apart."""
    step, margin = side // 4, side // 2
    return F.avg_pool2d(F.avg_pool2d(images, (1, side), (1, step), (0, margin)), (side, 1), (step, 1), (margin, 0))


def local_ncc(a, b, weight, side):
    """Correlation of each window, and its share of weighted pixels."""
    wa, wb = weight * a, weight * b
    n, a1, a2 = windows(torch.cat([weight, wa, wa * a], 1), side).chunk(3, 1)
    b1, b2, ab = (windows(torch.cat([wb, wb * b, wb * a], 1), side) / (n + 1e-5)).chunk(3, 1)
    a1, a2 = a1 / (n + 1e-5), a2 / (n + 1e-5)
    variances = ((a2 - a1 * a1).clamp(min=0) + FLAT ** 2) * ((b2 - b1 * b1).clamp(min=0) + FLAT ** 2)
    return (ab - a1 * b1) / variances.sqrt(), n


def similarity(a, b, weight, side):
    ncc, n = local_ncc(a, b, weight, side)
    return (ncc * n).sum((1, 2, 3)) / (n.sum((1, 2, 3)) + 1e-6)


def ascend(parameters, objective, steps, rate):
    optimizer = torch.optim.Adam([parameters], rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / (steps + 1))) / 2)
    for _ in range(steps):
        optimizer.zero_grad()
        (-objective()).backward()
        optimizer.step()
        schedule.step()


def search(source, target, count=6, batch=4):
    """Finds the best rotations and shifts by normalised cross-correlation over the overlap (Padfield 2012)."""
    scale = 128 / max(source.shape + target.shape)
    a, b = (reduce(image, scale) for image in (source, target))
    (height, width), (h, w) = a.shape[2:], b.shape[2:]
    side = math.ceil(math.hypot(w, h))
    size = [length + side + (length + side) % 2 for length in (height, width)]

    def spectra(image, mask):
        return torch.fft.rfft2(torch.stack([image, mask, image * image]), size)

    b = b - b.mean()
    image, mask, squares = spectra(a - a.mean(), torch.ones_like(a)).conj()
    square, centre, found = torch.empty(1, 1, side, side), (side - 1) / 2, []
    for degrees in torch.arange(0, 360, 5).split(batch):
        rotations = torch.stack([matrix(c, -s, (w - 1) / 2 - (c - s) * centre, s, c, (h - 1) / 2 - (s + c) * centre)
                                 for c, s in ((math.cos(x), math.sin(x)) for x in degrees.deg2rad().tolist())])
        rotated, inside = sample(b, positions(rotations, square, b))
        image2, mask2, squares2 = spectra(rotated * inside, inside)
        products = [mask * mask2, image * mask2, mask * image2, squares * mask2, mask * squares2, image * image2]
        n, a1, b1, aa, bb, ab = torch.fft.irfft2(torch.stack(products), size)
        n = n.clamp(min=1e-3)
        variances = (aa - a1 * a1 / n).clamp(min=1e-6) * (bb - b1 * b1 / n).clamp(min=1e-6)
        overlap = n / min(height * width, h * w)
        score = ((ab - a1 * b1 / n) / variances.sqrt() * overlap.sqrt()).masked_fill(overlap <= 0.3, -1)
        for angle, rotation, value, at in zip(degrees.tolist(), rotations, *(one.tolist() for one in score.flatten(1).max(1))):
            y, x = divmod(at, size[1])
            shift = matrix(1, 0, x if x < side else x - size[1], 0, 1, y if y < side else y - size[0])
            found.append((value, angle, scaling(b.shape, target.shape) @ rotation @ shift @ scaling(source.shape, a.shape)))
    best = []
    for one in sorted(found, key=lambda one: -one[0]):
        if len(best) < count and all(10 < (one[1] - other[1]) % 360 < 350 for other in best):
            best.append(one)
    return torch.stack([transform for _, _, transform in best])


def refine(source, target, starts, rigid, side, window, steps, rate):
    """Refines transforms [N, 3, 3] together, rigid or affine; returns the most similar transform of all."""
    a, b, starts = at_side(source, target, starts, side)
    height, width = a.shape[2:]
    unit = math.hypot(width, height) / 4
    units = matrix(unit, 0, (width - 1) / 2, 0, unit, (height - 1) / 2)
    before, after = starts @ units, units.inverse()
    parameters = torch.zeros(len(starts), 3 if rigid else 6, dtype=torch.float64, requires_grad=True)
    best = (-math.inf, None)

    def objective():
        nonlocal best
        x, y, *p = parameters.unbind(1)
        rows = [p[0].cos(), -p[0].sin(), x, p[0].sin(), p[0].cos(), y] if rigid else [1 + p[0], p[1], x, p[2], 1 + p[3], y]
        motions = torch.cat([torch.stack(rows, 1).view(-1, 2, 3), matrix(1, 0, 0, 0, 1, 0)[2:].expand(len(x), 1, 3)], 1)
        transforms = before @ motions @ after
        warped, inside = sample(b, positions(transforms, a, b))
        scores = similarity(a, warped, inside, window) * inside.mean((1, 2, 3)).sqrt()
        if scores.max() > best[0]:
            best = (float(scores.max()), transforms[scores.argmax()].detach())
        return scores.sum()

    ascend(parameters, objective, steps + 1, rate)
    return scaling(b.shape, target.shape) @ best[1] @ scaling(source.shape, a.shape)


def moved(source, target, affine, nodes):
    """Samples the target where the displacement of the source's pixels, then the affine transform lead."""
    to_grid = affine[:2, :2].float() * torch.tensor([[2 / (target.shape[3] - 1)], [2 / (target.shape[2] - 1)]])
    shifts = F.interpolate(torch.einsum("ij,njhw->nihw", to_grid, nodes), source.shape[2:], mode="bilinear")
    return sample(target, positions(affine[None], source, target) + shifts)


def displace(source, target, transform):
    """Displacement [1, 2, h, w] in source pixels, from coarse to fine."""
    shifts = torch.zeros(1, 2, 4, 4)  # as shares of the source's width
    for side, window, steps in NONRIGID_LEVELS:
        a, b, affine = at_side(source, target, transform, side)
        size = [max(4, length // NODE_SPACING) for length in a.shape[2:]]
        nodes = F.interpolate(shifts * a.shape[3], size, mode="bilinear").requires_grad_()

        def objective():
            penalty = (nodes.diff(dim=3).square().mean() + nodes.diff(dim=2).square().mean()) / NODE_SPACING ** 2
            return similarity(a, *moved(a, b, affine, nodes), window).sum() - STIFFNESS * penalty

        ascend(nodes, objective, steps, 0.3)
        with torch.no_grad():
            ncc, n = local_ncc(a, *moved(a, b, affine, nodes), window)
            certainty = F.interpolate(ncc.clamp(min=0) * n, size, mode="bilinear").square() + 1e-4
            shifts = unfolded(smoothed(nodes, certainty)) / a.shape[3]
    return shifts * source.shape[3]


def blur(image, sigma):
    radius, channels = math.ceil(3 * sigma), image.shape[1]
    line = torch.exp(-torch.arange(-radius, radius + 1) ** 2 / (2 * sigma ** 2))
    line = (line / line.sum()).expand(channels, 1, 1, -1)
    across = F.conv2d(image, line, padding=(0, radius), groups=channels)
    return F.conv2d(across, line.transpose(2, 3), padding=(radius, 0), groups=channels)


def smoothed(nodes, certainty):
    """Normalised convolution (Knutsson and Westin 1993): uncertain nodes follow the certain ones around them."""
    values = torch.cat([nodes * certainty, certainty], 1)
    values = blur(values, 2) + 0.2 * blur(values, 6)
    smooth = values[:, :2] / values[:, 2:]
    return smooth + (nodes - smooth) * certainty / (certainty + 0.15)


def unfolded(nodes):
    """Smooths around cells whose relative area is too small; everywhere if that does not suffice."""
    for i in range(100):
        x, y = nodes.diff(dim=3) / NODE_SPACING, nodes.diff(dim=2) / NODE_SPACING
        areas = [(p[:, 0] + 1) * (q[:, 1] + 1) - p[:, 1] * q[:, 0]
                 for p in (x[:, :, :-1], x[:, :, 1:]) for q in (y[..., :-1], y[..., 1:])]
        narrow = (torch.stack(areas, 1).amin(1, keepdim=True) < LEAST_AREA).float()
        if not narrow.any():
            break
        smooth = F.avg_pool2d(F.pad(nodes, (1, 1, 1, 1), "replicate"), 3, 1)
        around = F.max_pool2d(F.pad(narrow, (0, 1, 0, 1)), 5, 1, 2) if i < 50 else 1
        nodes = nodes + around * (smooth - nodes)
    return nodes


def main():
    source_path, target_path, output, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    start = time.perf_counter()

    def report(stage):
        nonlocal start
        now = time.perf_counter()
        print(f"{stage}: {now - start:.2f} s")
        start = now

    slides = [openslide.open_slide(path) for path in (source_path, target_path)]
    downsample = max(1, max(side for slide in slides for side in slide.dimensions) / SIZE)
    source, target = (structure(read(slide, downsample)) for slide in slides)
    report("read")
    starts = search(source, target)
    report("search")
    affine = refine(source, target, starts, True, 256, 15, 20, 0.03)
    report("rigid")
    for level in AFFINE_LEVELS:
        affine = refine(source, target, affine[None], False, *level)
    report("affine")
    displacement = displace(source, target, affine)
    report("displacement")
    a, b, small = at_side(source, target, affine, 256)
    found = similarity(a, *moved(a, b, small, displacement * (a.shape[3] / source.shape[3])), 15)
    print(f"similarity: {float(found):.4f}")
    full, full_target = (slide.dimensions[::-1] for slide in slides)
    shifts = torch.einsum("ij,jhw->ihw", affine[:2, :2].float() * downsample, displacement[0])
    level0 = scaling(target.shape, full_target) @ affine @ scaling(full, source.shape)
    np.savez(output, affine=level0[:2].numpy(), displacement=shifts.numpy())


main()
