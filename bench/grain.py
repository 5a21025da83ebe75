#!/usr/bin/env python3
"""Compares the high-frequency energy and the PSNR of stained images with those of the real ones.

Usage: bench/grain.py MANIFEST COLUMN STAINED...
MANIFEST is a data set's manifest.csv, COLUMN its column of real images (source or target), STAINED folders that `tinctor stain --split test`
wrote. The high frequencies of an image are its difference from itself, smoothed by the binomial filter 1 2 1 in both directions; their
energy is the mean of its square. A ratio of 1 is that of the real images; above 1 is grain, below 1 is blur. Needs Pillow.
"""
import csv
import math
import os
import sys

from PIL import Image


def planes(path):
    image = Image.open(path).convert("RGB")
    return image.size, [list(plane.tobytes()) for plane in image.split()]


def energy(size, channels):
    width, height = size
    total = count = 0
    for plane in channels:
        rows = [plane[y * width:(y + 1) * width] for y in range(height)]
        across = [[row[x - 1] + 2 * row[x] + row[x + 1] for x in range(1, width - 1)] for row in rows]
        for y in range(1, height - 1):
            above, here, below, row = across[y - 1], across[y], across[y + 1], rows[y]
            for x in range(width - 2):
                residual = row[x + 1] - (above[x] + 2 * here[x] + below[x]) / 16
                total += residual * residual
            count += width - 2
    return total / count


def psnr(a, b):
    pairs = [(x, y) for one, other in zip(a, b) for x, y in zip(one, other)]
    return 10 * math.log10(255 ** 2 / (sum((x - y) ** 2 for x, y in pairs) / len(pairs)))


def main():
    manifest, column, *folders = sys.argv[1:]
    root = os.path.dirname(manifest)
    with open(manifest, newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    other = "target" if column == "source" else "source"
    real = [planes(os.path.join(root, row[column])) for row in rows]
    energies = [energy(*image) for image in real]
    print(f"{len(rows)} images; energy of the real ones {sum(energies) / len(rows):.1f} (8-bit steps squared)")
    print("folder,energy_ratio,psnr")
    for folder in folders:
        made = [planes(os.path.join(folder, os.path.splitext(os.path.basename(row[other]))[0] + ".png")) for row in rows]
        ratio = sum(energy(*image) for image in made) / sum(energies)
        scores = [psnr(a[1], b[1]) for a, b in zip(made, real)]
        print(f"{folder},{ratio:.2f},{sum(scores) / len(scores):.2f}")


if __name__ == "__main__":
    main()
