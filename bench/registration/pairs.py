"""Makes the pairs and landmarks for bench/registration/run, and summarises its results.

pairs.py make SHARED PHANTOM FLUORESCENCE WORK ANGLES   writes WORK/pairs.tsv: name, angle, source, target, landmarks of both
pairs.py sum WORK                                       prints WORK/results.tsv as a table
"""
import json
import math
import os
import sys

import numpy as np
from PIL import Image


def read_landmarks(path, factor=1.0):
    return np.loadtxt(path, delimiter=",", skiprows=1)[:, 1:3] * factor


def write_landmarks(path, points):
    with open(path, "w") as file:
        file.write(" ,X,Y\n")
        for i, (x, y) in enumerate(points):
            file.write(f"{i + 1},{x:.3f},{y:.3f}\n")


def real_pairs(shared):
    lesions = f"{shared}/data/birl_lesions/Izd2-29-041-w35_"
    yield ("birl_lesions HE-proSPC", lesions + "HE.jpg", lesions + "proSPC.jpg",
           read_landmarks(lesions + "HE.csv"), read_landmarks(lesions + "proSPC.csv"))
    borda = f"{shared}/data/borda_landmarks/"
    image = borda + "dataset/lung-lesion_3/scale-5pc/29-041-Izd2-w35-{}-les3.jpg"
    marks = borda + "annotations/lung-lesion_3/user-PS_scale-50pc/29-041-Izd2-w35-{}-les3.csv"
    fixed = "CD31-3"
    for other in ("He", "Cc10-5", "Ki67-7", "proSPC-4"):  # coordinates refer to images ten times as large
        yield (f"borda {fixed}-{other}", image.format(fixed), image.format(other),
               read_landmarks(marks.format(fixed), 0.1), read_landmarks(marks.format(other), 0.1))


def displacement(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))["displacement"]
        return np.frombuffer(file.read(), "<f4", int(np.prod(header["shape"]))).reshape(header["shape"])


def phantom_pairs(folder, kind):
    """Yields pairs with landmarks from the known displacement: target pixel (x, y) lies at source pixel (x + dx, y + dy)."""
    for name in sorted(os.listdir(f"{folder}/target")):
        stem = name[:-4]
        field = next(f for f in sorted(os.listdir(f"{folder}/truth")) if f.startswith(stem) and f.endswith(".safetensors"))
        shift = displacement(f"{folder}/truth/{field}")
        source = next(f"{folder}/source/{f}" for f in os.listdir(f"{folder}/source") if f.startswith(stem + "."))
        height, width = shift.shape[1:]
        with Image.open(source) as image:
            factor = width / image.size[0]
        ys, xs = (g.ravel() for g in np.mgrid[0.06:0.94:20j, 0.06:0.94:20j])
        xs, ys = np.round(xs * width), np.round(ys * height)
        target = np.stack([xs, ys], -1)
        full = target + shift[:, ys.astype(int), xs.astype(int)].T
        yield f"phantom {kind} {stem}", source, f"{folder}/target/{name}", (full + 0.5) / factor - 0.5, target


def rotate(path, points, degrees, output):
    """Writes the image, rotated clockwise about its centre on a canvas that holds all of it; returns the rotated points."""
    with Image.open(path) as image:
        image = image.convert("RGB")
        background = tuple(int(v) for v in np.percentile(np.asarray(image).reshape(-1, 3), 90, axis=0))
        result = image.rotate(-degrees, Image.BICUBIC, expand=True, fillcolor=background)
        result.save(output)
        angle = math.radians(degrees)
        centred = points - (np.array(image.size) - 1) / 2
        rotation = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        return centred @ rotation.T + (np.array(result.size) - 1) / 2


def make(shared, phantom, fluorescence, work, angles):
    rows = []
    pairs = [*real_pairs(shared), *phantom_pairs(phantom, "H&E-HER2"), *phantom_pairs(fluorescence, "autofluorescence-H&E")]
    for number, (name, source, target, source_points, target_points) in enumerate(pairs):
        source_csv = f"{work}/{number}_source.csv"
        write_landmarks(source_csv, source_points)
        for angle in (int(a) for a in angles.split(",")):
            stem = f"{work}/{number}_{angle}"
            image, points = target, target_points
            if angle:
                image, points = stem + ".png", rotate(target, target_points, angle, stem + ".png")
            write_landmarks(stem + ".csv", points)
            rows.append((name, str(angle), source, image, source_csv, stem + ".csv"))
    with open(f"{work}/pairs.tsv", "w") as file:
        file.writelines("\t".join(row) + "\n" for row in rows)


def sum_up(work):
    print("| pair | rotation | status | median rTRE | 90th percentile | came closer | seconds |\n|---|---|---|---|---|---|---|")
    for line in open(f"{work}/results.tsv"):
        print("| " + " | ".join(line.rstrip("\n").split("\t")) + " |")


if __name__ == "__main__":
    {"make": make, "sum": sum_up}[sys.argv[1]](*sys.argv[2:])
