"""Which modes do GANs find, and what helps?

    apt-get install dataset-fashion-mnist
    pip install -e ".[dev]"
    python scripts/benchmarks/modes.py

Trains everything below for 5 seeds, one run a core, each with one thread; takes
TIME on 2 cores. Finished runs are kept in runs/modes, so that a stopped
benchmark goes on where it was. Writes runs/modes/modes.json (mean and spread
over seeds, and every run) and runs/modes/modes.png.

ring, grid    8 and 25 Gaussians with PacGAN's networks, rate, batch and 2,500
              test points, but STEPS steps where the paper takes 400,000.
              Modes hit; share of points within 3 deviations of a mode.
stacked       three Fashion-MNIST images as colour channels, 1,000 modes, told
              by a classifier of single images; 26,000 generated images. Modes
              found; reverse KL to equal shares.
conditional   share of 5,000 generated images that the classifier takes for
              what was asked for.
small         10 % of the training images, with and without augmentation:
              Fréchet distance of 10,000 generated images to the held-out test
              images in the classifier's last hidden layer.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ganlab.config import TrainConfig, get_preset

FOLDER = "/usr/share/datasets/fashion-mnist"
PACGAN = {
    "generator_learning_rate": 1e-4,
    "discriminator_learning_rate": 1e-4,
    "beta_1": 0.8,
    "batch_size": 100,
}


def experiments():
    """Name of each experiment and variant -> its `TrainConfig`."""
    found = {}
    for shape in ("ring", "grid"):
        plain = get_preset("dcgan").replace(data=shape, steps=4000, **PACGAN)
        found[f"{shape}/non-saturating"] = plain
        found[f"{shape}/PacGAN-2"] = plain.replace(packing=2, batch_size=200)
        found[f"{shape}/r3gan"] = get_preset("r3gan").replace(data=shape)
    stacked = TrainConfig(data="stacked", conditional=False, image_size=28, channels=3)
    found["stacked/non-saturating"] = stacked.replace(steps=3000)
    found["stacked/relativistic+R1+R2"] = stacked.replace()
    fashion = {"data": "fashion", "image_size": 28, "channels": 1}
    found["conditional/dcgan"] = get_preset("dcgan").replace(**fashion)
    for name, augmentation in (("none", "none"), ("diffaugment", "diffaugment")):
        found[f"small/{name}"] = TrainConfig(
            **fashion, conditional=False, augmentation=augmentation
        )
    return found
