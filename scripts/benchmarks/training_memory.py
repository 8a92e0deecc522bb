"""The memory that runs are estimated to take, beside what they take.

    python scripts/benchmarks/training_memory.py

trains each setting for three steps in a process of its own, health probe and pictures
included, and prints a table. 5 minutes on 2 cores.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

SETTINGS = {
    "dcgan, 64 pixels, batch 64": {"image_size": 64},
    "dcgan, 256 pixels, batch 16": {"image_size": 256, "batch_size": 16},
    "resnet, 128 pixels, batch 32": {
        "image_size": 128,
        "batch_size": 32,
        "network": "resnet",
    },
    "r3gan, 64 pixels, batch 64, R1 and R2": {
        "image_size": 64,
        "network": "r3gan",
        "regularizer": "r1+r2",
    },
    "resnet, 48x96 pixels, batch 64, bfloat16": {
        "image_size": "48x96",
        "network": "resnet",
        "dtype_policy": "mixed_bfloat16",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", type=int, metavar="N", help="rows")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        print(json.dumps(measure(json.loads(options.worker))))
        return
    print("| setting | estimate, GB | peak, GB | ratio |\n|---|---|---|---|")
    for index, (name, settings) in enumerate(SETTINGS.items()):
        if options.only and index not in options.only:
            continue
        command = [sys.executable, __file__, "--worker", json.dumps(settings)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        estimated, peak = json.loads(done.stdout.splitlines()[-1])
        ratio = estimated / peak
        print(f"| {name} | {estimated:.2f} | {peak:.2f} | {ratio:.2f} |", flush=True)


def measure(settings: dict) -> tuple[float, float]:
    """The estimated and the real peak of a run, in GB."""
    import numpy as np
    from memory import peak

    from ganlab.config.settings import Monitoring, Recipe
    from ganlab.data.sizes import sides
    from ganlab.training import memory, train
    from ganlab.training.build import build_gan, dtype_policy
    from ganlab.training.data import load_recipe_data

    with tempfile.TemporaryDirectory() as folder:
        random = np.random.default_rng(0)
        shape = (64, *sides(settings["image_size"]), 3)
        file = Path(folder) / "images.npz"
        np.savez(file, images=random.integers(0, 256, shape, np.uint8))
        recipe = Recipe(data=f"npz:{file}", steps=3, **settings)
        complete, data = load_recipe_data(recipe)
        with dtype_policy(complete.dtype_policy):
            estimated = memory.estimate(complete, build_gan(complete, None), data)
        monitoring = Monitoring(features="pixels", evaluate_images=6)
        train.train(recipe, Path(folder) / "run", monitoring=monitoring)
    return estimated / 1e9, peak()


if __name__ == "__main__":
    main()
