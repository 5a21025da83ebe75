"""Resizes images bicubically: bicubic.py FACTOR FROM TO, as PNG; below 1 the resizing averages too, as a camera does."""

import sys
from pathlib import Path

from PIL import Image

factor, source, target = float(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
target.mkdir(parents=True, exist_ok=True)
for path in sorted(source.glob("*.png")):
    image = Image.open(path)
    size = [round(side * factor) for side in image.size]
    image.resize(size, Image.Resampling.BICUBIC).save(target / path.name)
