"""Cuts an image of panels side by side into pairs of two panels, counted from 0.

Usage: panels.py IMAGE PANELS SOURCE TARGET FOLDER
The left part of the field is for training, a strip in the middle for validation, the right part for testing, with gaps between them,
because there is no second slide.
"""

import sys
from pathlib import Path

from PIL import Image

image, (panels, source, target), folder = Image.open(sys.argv[1]), map(int, sys.argv[2:5]), Path(sys.argv[5])
width = image.width // panels
parts = {
    "left": (0, width * 18 // 32, "train"),
    "middle": (width * 19 // 32, width * 23 // 32, "val"),
    "right": (width * 24 // 32, width, "test"),
}
rows = ["source,target,split,slide_id"]
for name, (start, end, split) in parts.items():
    for role, panel in (("source", source), ("target", target)):
        path = folder / role / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.crop((panel * width + start, 0, panel * width + end, image.height)).save(path)
    rows.append(f"source/{name}.png,target/{name}.png,{split},{name}")
(folder / "manifest.csv").write_text("\n".join(rows) + "\n")
