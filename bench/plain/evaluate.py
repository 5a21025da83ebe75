"""Computes PSNR, SSIM and the DAB error of stained images with scikit-image, one image after the other, as is common practice.

Usage: evaluate.py STAINED REAL. Matches files by name and prints the means.
"""
import os
import sys

import numpy as np
from skimage.color import rgb2hed
from skimage.io import imread
from skimage.metrics import peak_signal_noise_ratio, structural_similarity


def main():
    stained, real = sys.argv[1:3]
    scores = []
    for name in sorted(os.listdir(real)):
        a, b = imread(os.path.join(stained, name)), imread(os.path.join(real, name))
        dab = np.abs(rgb2hed(a)[..., 2] - rgb2hed(b)[..., 2]).mean()
        scores.append((peak_signal_noise_ratio(b, a), structural_similarity(a, b, channel_axis=2), dab))
    psnr, ssim, dab = np.mean(scores, axis=0)
    print(f"{len(scores)} pairs: PSNR {psnr:.4f} dB, SSIM {ssim:.6f}, MAE of DAB {dab:.6f} (skimage's unit)")


main()
