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
NONRIGID_LEVELS = [(128, 21, 60), (256, 21, 60), (512, 21, 40)]  # longer side of the source, window, steps


def read(slide, downsample):
    """Reads the whole slide at this downsample."""
    level = slide.get_best_level_for_downsample(downsample * 1.001)
    image = slide.read_region((0, 0), level, slide.level_dimensions[level]).convert("RGB")
    return image.resize([round(side / downsample) for side in slide.dimensions], Image.BICUBIC)


def structure(image):
    """Optical density, stretched from its 1st to its 99th percentile, and 0 away from tissue; [1, 1, H, W]."""
    light = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None].float() / 255
    density = -light.clamp(min=1 / 255).log10().mean(1, keepdim=True)
    low, high = density.flatten()[::1 + density.numel() // 100_000].quantile(torch.tensor([0.01, 0.99]))
    return ((density - low) / (high - low)).clamp(0, 1) * tissue(density)


def tissue(density):
    """1 on and around tissue; 1 everywhere if tissue fills the image or there is none."""
    dense = (reduce(density, 512 / max(density.shape)) > 0.06).float()
    if not 0.005 <= dense.mean() <= 0.9:
        return 1
    margin = max(dense.shape) // 10
    around = F.max_pool2d(F.max_pool2d(dense, (2 * margin + 1, 1), 1, (margin, 0)), (1, 2 * margin + 1), 1, (0, margin))
    return F.interpolate(around, density.shape[2:], mode="bilinear")


def reduce(image, scale):
    if scale >= 1:
        return image
    return F.interpolate(image, [max(8, round(side * scale)) for side in image.shape[2:]], mode="bilinear", antialias=True)


def reduce_both(source, target, side):
    scale = side / max(source.shape)
    return reduce(source, scale), reduce(target, scale)


def matrix(*values):
    return torch.tensor(values + (0, 0, 1), dtype=torch.float64).view(3, 3)


def scaling(before, after):
    """Transform from the pixels of an image (height, width) to those of the resized image; their corners coincide."""
    (across, down) = (after[-1] / before[-1], after[-2] / before[-2])
    return matrix(across, 0, (across - 1) / 2, 0, down, (down - 1) / 2)


def rescaled(transform, source, target, a, b):
    """Converts a transform between images of the sizes source and target to one between images of the sizes a and b."""
    return scaling(target, b) @ transform @ scaling(a, source)


def grid(transforms, source, target):
    """Positions [N, H, W, 2] of the source's pixels in the target, from -1 to 1 as grid_sample has them."""
    (height, width), (h, w) = source[-2:], target[-2:]
    pixels = matrix((width - 1) / 2, 0, (width - 1) / 2, 0, (height - 1) / 2, (height - 1) / 2)
    theta = matrix(2 / (w - 1), 0, -1, 0, 2 / (h - 1), -1) @ transforms @ pixels
    return F.affine_grid(theta[:, :2].float(), [len(transforms), 1, height, width], align_corners=True)


def sample(target, positions):
    """Values of the target at positions, and the mask of those inside of it."""
    inside = (positions.detach().abs() <= 1).all(-1).unsqueeze(1).float()
    return F.grid_sample(target.expand(len(positions), -1, -1, -1), positions, padding_mode="border", align_corners=True), inside


def windows(images, side):
    """Means of windows a quarter of their side apart."""
    step = side // 4
    return F.avg_pool2d(F.avg_pool2d(images, (side, 1), (step, 1), (side // 2, 0)), (1, side), (1, step), (0, side // 2))


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


def decaying(parameters, rate, steps):
    optimizer = torch.optim.Adam([parameters], rate)
    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / (steps + 1))) / 2)


def search(source, target, count=6, batch=8):
    """Finds the best rotations and shifts by normalised cross-correlation over the overlap (Padfield 2012)."""
    scale = 128 / max(source.shape + target.shape)
    a, b = reduce(source, scale), reduce(target, scale)
    (height, width), (h, w) = a.shape[2:], b.shape[2:]
    side = math.ceil(math.hypot(w, h))
    size = [length + side + (length + side) % 2 for length in (height, width)]

    def spectra(image, mask):
        return torch.fft.rfft2(torch.stack([image, mask, image * image]), size)

    b = b - b.mean()
    source_spectra = spectra(a - a.mean(), torch.ones_like(a)).conj()
    centre, found = (side - 1) / 2, []
    for degrees in torch.arange(0, 360, 5).split(batch):
        rotations = torch.stack([matrix(c, -s, (w - 1) / 2 - (c - s) * centre, s, c, (h - 1) / 2 - (s + c) * centre)
                                 for c, s in ((math.cos(x), math.sin(x)) for x in degrees.deg2rad().tolist())])
        rotated, inside = sample(b, grid(rotations, (side, side), b.shape))
        image, mask, squares = source_spectra
        image2, mask2, squares2 = spectra(rotated * inside, inside)
        products = [mask * mask2, image * mask2, mask * image2, squares * mask2, mask * squares2, image * image2]
        n, a1, b1, aa, bb, ab = torch.fft.irfft2(torch.stack(products), size)
        n = n.clamp(min=1e-3)
        variances = (aa - a1 * a1 / n).clamp(min=1e-6) * (bb - b1 * b1 / n).clamp(min=1e-6)
        overlap = n / min(height * width, h * w)
        score = torch.where(overlap > 0.3, (ab - a1 * b1 / n) / variances.sqrt() * overlap.sqrt(), -torch.ones_like(n))
        for angle, rotation, (value, at) in zip(degrees.tolist(), rotations, zip(*score.flatten(1).max(1))):
            y, x = divmod(int(at), size[1])
            shift = matrix(1, 0, x if x < side else x - size[1], 0, 1, y if y < side else y - size[0])
            found.append((float(value), angle, rotation @ shift))
    best = []
    for candidate in sorted(found, key=lambda one: -one[0]):
        if len(best) < count and all(10 < (candidate[1] - other[1]) % 360 < 350 for other in best):
            best.append(candidate)
    return torch.stack([rescaled(transform, a.shape, b.shape, source.shape, target.shape) for _, _, transform in best])


def refine(source, target, starts, rigid, side, window, steps, rate):
    """Refines transforms [N, 3, 3] together by gradient ascent; returns the best one of all."""
    a, b = reduce_both(source, target, side)
    starts = rescaled(starts, source.shape, target.shape, a.shape, b.shape)
    height, width = a.shape[2:]
    unit = math.hypot(width, height) / 4
    units = matrix(unit, 0, (width - 1) / 2, 0, unit, (height - 1) / 2)
    pixels = units.inverse()
    parameters = torch.zeros(len(starts), 3 if rigid else 6, dtype=torch.float64, requires_grad=True)
    optimizer, schedule = decaying(parameters, rate, steps)
    highest, best = -math.inf, None
    for _ in range(steps + 1):
        x, y, *rest = parameters.unbind(1)
        one, zero = torch.ones_like(x), torch.zeros_like(x)
        c, s = (rest[0].cos(), rest[0].sin()) if rigid else (None, None)
        rows = [c, -s, x, s, c, y] if rigid else [1 + rest[0], rest[1], x, rest[2], 1 + rest[3], y]
        motion = torch.stack(rows + [zero, zero, one], 1).view(-1, 3, 3)
        transforms = starts @ units @ motion @ pixels
        warped, inside = sample(b, grid(transforms, a.shape, b.shape))
        scores = similarity(a, warped, inside, window) * inside.mean((1, 2, 3)).sqrt()
        if scores.max() > highest:
            highest, best = float(scores.max()), transforms[scores.argmax()].detach()
        optimizer.zero_grad()
        (-scores.sum()).backward()
        optimizer.step()
        schedule.step()
    return rescaled(best, a.shape, b.shape, source.shape, target.shape)


def moved(target, affine, positions, nodes):
    """The target at the positions [1, 2, H, W] of the source's pixels, which the nodes displace before the affine transform."""
    to_grid = torch.tensor([[2 / (target.shape[3] - 1)], [2 / (target.shape[2] - 1)]]) * affine[:2, :2].float()
    shifts = F.interpolate(torch.einsum("ij,njhw->nihw", to_grid, nodes), positions.shape[2:], mode="bilinear")
    return sample(target, (positions + shifts).permute(0, 2, 3, 1))


def displace(source, target, transform):
    """Displacement [1, 2, h, w] in source pixels by gradient ascent, from coarse to fine."""
    shifts = torch.zeros(1, 2, 4, 4)  # as shares of the source's width
    for side, window, steps in NONRIGID_LEVELS:
        a, b = reduce_both(source, target, side)
        affine = rescaled(transform, source.shape, target.shape, a.shape, b.shape)
        positions = grid(affine[None], a.shape, b.shape).permute(0, 3, 1, 2).contiguous()
        width = a.shape[3]
        size = [max(4, length // NODE_SPACING) for length in a.shape[2:]]
        nodes = F.interpolate(shifts * width, size, mode="bilinear").requires_grad_()
        optimizer, schedule = decaying(nodes, 0.3, steps)
        for _ in range(steps):
            warped, inside = moved(b, affine, positions, nodes)
            penalty = (nodes.diff(dim=3).square().mean() + nodes.diff(dim=2).square().mean()) / NODE_SPACING ** 2
            loss = STIFFNESS * penalty - similarity(a, warped, inside, window).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        with torch.no_grad():
            ncc, n = local_ncc(a, *moved(b, affine, positions, nodes), window)
            certainty = F.interpolate(ncc.clamp(min=0) * n, size, mode="bilinear").square() + 1e-4
            shifts = unfolded(smoothed(nodes, certainty)) / width
    return shifts * source.shape[3]


def blur(image, sigma):
    radius = math.ceil(3 * sigma)
    kernel = torch.exp(-torch.arange(-radius, radius + 1) ** 2 / (2 * sigma ** 2))
    kernel = (kernel / kernel.sum()).expand(image.shape[1], 1, 1, -1)
    across = F.conv2d(image, kernel, padding=(0, radius), groups=image.shape[1])
    return F.conv2d(across, kernel.transpose(2, 3), padding=(radius, 0), groups=image.shape[1])


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
        areas = [(a[:, 0] + 1) * (b[:, 1] + 1) - a[:, 1] * b[:, 0]
                 for a in (x[:, :, :-1], x[:, :, 1:]) for b in (y[..., :-1], y[..., 1:])]
        narrow = (torch.stack(areas).amin(0).unsqueeze(1) < LEAST_AREA).float()
        if not narrow.any():
            break
        smooth = F.avg_pool2d(F.pad(nodes, (1, 1, 1, 1), "replicate"), 3, 1)
        around = F.max_pool2d(F.pad(narrow, (0, 1, 0, 1)), 5, 1, 2) if i < 50 else 1
        nodes = nodes + around * (smooth - nodes)
    return nodes


@torch.no_grad()
def measure(source, target, affine, displacement):
    """Similarity with the whole transform, at 256 pixels."""
    a, b = reduce_both(source, target, 256)
    affine = rescaled(affine, source.shape, target.shape, a.shape, b.shape)
    positions = grid(affine[None], a.shape, b.shape).permute(0, 3, 1, 2)
    return float(similarity(a, *moved(b, affine, positions, displacement * (a.shape[3] / source.shape[3])), 15))


def main():
    source_path, target_path, output, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    clock = [time.perf_counter()]

    def report(stage):
        clock.append(time.perf_counter())
        print(f"{stage}: {clock[-1] - clock[-2]:.2f} s")

    slides = [openslide.open_slide(path) for path in (source_path, target_path)]
    downsample = max(1, max(max(slide.dimensions) for slide in slides) / SIZE)
    source, target = (structure(read(slide, downsample)) for slide in slides)
    report("read")
    starts = search(source, target)
    report("search")
    affine = refine(source, target, starts, True, 256, 15, 20, 0.03)
    report("rigid")
    for level in [(256, 15, 60, 0.02), (480, 11, 40, 0.005)]:
        affine = refine(source, target, affine[None], False, *level)
    report("affine")
    displacement = displace(source, target, affine)
    report("displacement")
    print(f"similarity {measure(source, target, affine, displacement):.4f}")
    sizes = [slide.dimensions[::-1] for slide in slides]
    linear = affine[:2, :2].float() * downsample
    np.savez(output, affine=rescaled(affine, source.shape, target.shape, *sizes)[:2].numpy(),
             displacement=torch.einsum("ij,jhw->ihw", linear, displacement[0]).numpy())


main()
