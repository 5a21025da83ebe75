"""Draws the validation PSNR of the models of a study of `tinctor compare` over training steps, and over processor time if it is known.

Usage: curves.py STUDY FIGURE [BUDGET.csv]
The models need a validation every few steps (training.checkpoint_every). BUDGET.csv has the seconds per step of each method, as studies with
a budget of time write it.
"""
import csv
import sys
from collections import defaultdict
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

STUDY, FIGURE = Path(sys.argv[1]), sys.argv[2]


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def curve(method):
    """Steps and PSNR of a method, the mean of its seeds."""
    values = defaultdict(list)
    for path in STUDY.glob(f"seed*/{method}/run/metrics.csv"):
        for row in rows(path):
            if row.get("val_psnr"):
                values[int(row["step"])].append(float(row["val_psnr"]))
    return zip(*((step, sum(values[step]) / len(values[step])) for step in sorted(values)))


methods = sorted({path.parts[-3] for path in STUDY.glob("seed*/*/run/metrics.csv")})
seconds = {row["method"]: float(row["seconds_per_step"]) for row in rows(sys.argv[3])} if len(sys.argv) > 3 else {}
figure, panels = pyplot.subplots(1, 2 if seconds else 1, figsize=(11 if seconds else 6, 4.2), sharey=True, squeeze=False, layout="constrained")
for number, method in enumerate(methods):
    steps, scores = curve(method)
    style = {"label": method, "color": f"C{number % 10}", "linestyle": "-" if number < 10 else "--"}
    panels[0][0].plot(steps, scores, **style)
    if seconds:
        panels[0][1].plot([step * seconds[method] / 60 for step in steps], scores, **style)
for panel, label in zip(panels[0], ("training steps", "minutes of one processor core")):
    panel.set_xlabel(label)
    panel.grid(alpha=0.3)
panels[0][0].set_ylabel("PSNR of validation pairs (dB)")
panels[0][-1].legend(fontsize=8)
figure.savefig(FIGURE, dpi=110)
