"""Resizes images bicubically to PNG. A factor below 1 also averages, as a camera does.

Usage: bicubic.py FACTOR FROM TO
"""

import sys
from pathlib import Path

from PIL import Image

factor, source, target = float(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
target.mkdir(parents=True, exist_ok=True)
for path in sorted(source.glob("*.png")):
    image = Image.open(path)
    size = [round(side * factor) for side in image.size]
    image.resize(size, Image.Resampling.BICUBIC).save(target / path.name)
