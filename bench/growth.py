"""Measures processor time and memory of commands of growing size, and draws them.

Usage: growth.py FOLDER FIGURE COMMAND..., the command that starts Tinctor
"""
import json
import math
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot

FOLDER, FIGURE, TINCTOR = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
GENERATOR = ["--set", "model.generator=resnet_6blocks", "--set", "model.ngf=16", "--set", "model.ndf=16"]
MODEL = FOLDER / "model"


def run(*arguments):
    subprocess.run([*TINCTOR, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def memory(group):
    """Bytes of the processes of a group; memory that they share counts once."""
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.getpgid(int(process.name)) == group:
                lines = (process / "smaps_rollup").read_text().splitlines()
                total += 1024 * int(next(line for line in lines if line.startswith("Pss:")).split()[1])
        except (OSError, StopIteration):
            pass  # The process has ended.
    return total


def measure(arguments):
    """Runs a command and returns its processor time in seconds and its peak memory in bytes."""
    before = os.times()
    process = subprocess.Popen([*TINCTOR, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory(process.pid))
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: {process.stderr.read().decode().strip().splitlines()[-1]}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system, peak


def phantom(name, *options):
    folder = FOLDER / name
    if not folder.exists():
        run("phantom", "-o", folder, *options)
    return folder


def slide(side):
    folder = phantom(f"slide{side}", "--slides", 1, "--size", f"{side}x{side}", "--stains", "he", "--whole-slides")
    return folder / "he" / "s001_f01.ome.tif"


def image(side):
    return phantom(f"image{side}", "--slides", 1, "--size", f"{side}x{side}") / "source"


def stain(source, *options):
    return ["stain", MODEL, source, "-o", FOLDER / "stained", "--overwrite", "--device", "cpu", *options]


def stain_slide(side, *options):
    return stain(slide(side), "--whole-slide", "--halo", 16, "--overlap", 32, *options)


def train(batch, *options, steps=16):
    shutil.rmtree(FOLDER / "run", ignore_errors=True)
    return ["train", "pix2pix", "--data", phantom("pairs", "--slides", 8, "--fields", 4, "--size", "128x128"), "-o", FOLDER / "run",
            "--steps", steps, *GENERATOR, "--set", "data.crop_size=128", "--set", "data.load_size=0",
            "--set", "training.microbatch=0", "--set", "training.best_pairs=1", "--batch-size", batch, *options]


def evaluate(pairs):
    data = phantom(f"evaluate{pairs}", "--slides", pairs, "--size", "512x512")
    return ["evaluate", "--stained", data / "source", "--real", data / "target", "-o", FOLDER / "report", "--no-alignment"]


# Title, unit, and commands by size.
CURVES = {
    "image": ("stain an image", "megapixels",
              {side * side / 1e6: lambda side=side: stain(image(side)) for side in (512, 1024, 2048, 4096)}),
    "slide": ("stain a slide", "megapixels",
              {side * side / 1e6: lambda side=side: stain_slide(side) for side in (1280, 2560, 5120, 10240)}),
    "tiles": ("stain a slide of 2,560 pixels", "tiles",
              {math.ceil(2560 / (side - 64)) ** 2: lambda side=side: stain_slide(2560, "--tile-size", side)
               for side in (960, 512, 256, 192)}),
    "batch": ("16 training steps", "pairs a step", {batch: lambda batch=batch: train(batch) for batch in (2, 4, 8, 16)}),
    "processes": ("16 training steps of 8 pairs", "processes",
                  {count: lambda count=count: train(8, "--processes", count) for count in (1, 2, 4)}),
    "pairs": ("evaluate", "pairs of 512 pixels", {pairs: lambda pairs=pairs: evaluate(pairs) for pairs in (8, 16, 32)}),
}


def exponent(sizes, costs):
    """Slope in logarithms over the last step: doubling the size multiplies the cost by two to this power."""
    return math.log(costs[-1] / costs[-2]) / math.log(sizes[-1] / sizes[-2])


def main():
    if not MODEL.exists():
        run(*train(4, steps=2))
        (FOLDER / "run").rename(MODEL)
    results = FOLDER / "growth.json"
    measured = json.loads(results.read_text()) if results.exists() else {}
    for name, (title, unit, commands) in CURVES.items():
        for size, command in commands.items():
            key = f"{name} {size:g}"
            if key not in measured:
                measured[key] = measure(command())
                results.write_text(json.dumps(measured, indent=1))
                print(f"{title}, {size:g} {unit}: {measured[key][0]:.1f} s, {measured[key][1] / 1e6:.0f} MB", flush=True)
    figure, axes = pyplot.subplots(2, 3, figsize=(12, 6.5), layout="constrained")
    print("\n| work | from, to | processor time | exponent | memory | exponent |\n|---|---|---:|---:|---:|---:|")
    for axis, (name, (title, unit, commands)) in zip(axes.flat, CURVES.items()):
        sizes = list(commands)
        seconds, bytes_ = zip(*(measured[f"{name} {size:g}"] for size in sizes))
        slopes = exponent(sizes, seconds), exponent(sizes, bytes_)
        print(f"| {title} | {sizes[0]:.3g} to {sizes[-1]:.3g} {unit} | {seconds[0]:.1f} to {seconds[-1]:.1f} s | {slopes[0]:.2f} "
              f"| {bytes_[0] / 1e6:.0f} to {bytes_[-1] / 1e6:.0f} MB | {slopes[1]:.2f} |")
        axis.loglog(sizes, seconds, "o-", color="#6a3d9a", label=f"processor time (s), exponent {slopes[0]:.2f}")
        axis.loglog(sizes, [value / 1e8 for value in bytes_], "s-", color="#e08214", label=f"memory (100 MB), exponent {slopes[1]:.2f}")
        axis.loglog(sizes, [seconds[-1] * size / sizes[-1] for size in sizes], ":", color="grey", label="linear")
        axis.set_title(title)
        axis.set_xlabel(unit)
        axis.set_xticks(sizes, [f"{size:.3g}" for size in sizes])
        axis.minorticks_off()
        axis.legend(fontsize=8)
    figure.savefig(FIGURE, dpi=100)


main()
