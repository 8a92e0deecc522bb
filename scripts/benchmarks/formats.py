"""Formats of an artifact with onnxruntime's rewriting of graphs on and off.

    python scripts/benchmarks/formats.py saved_models/fashion

For each ONNX file, by onnxruntime's kernels of this CPU and by the operators'
definitions: how far images differ from float32's, the FID where the data is within
reach, and the time of 64 images. It exits 1 where a difference or an FID is not what
the card states. Time on 2 cores: 1 minute.
"""

import argparse
import os
import statistics
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from ganlab import Artifact, evaluation, metrics
from ganlab.artifacts import onnx_run, parity
from ganlab.artifacts.card import FORMATS, read_card
from ganlab.data.loading import load_data
from ganlab.evaluation.artifact_score import score_artifact

AGREEMENT = 0.05  # of the mean difference on the card, for another CPU's rounding
ROUNDS = 30
BATCH_SIZE = 64


class DrawnBy(Artifact):
    """An artifact whose graph onnxruntime may rewrite, or may not."""

    def __init__(self, directory: Path, format: str, *, optimized: bool) -> None:
        super().__init__(directory, format)
        self._session = onnx_run.open_session(
            directory / FORMATS[format], optimized=optimized
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("artifact", type=Path)
    add("--num-images", type=int, default=10_000, help="default %(default)s")
    options = parser.parse_args()
    card = read_card(options.artifact)
    reference = load_reference(card, options.num_images)
    num_classes = len(card["class_names"])
    exact = parity.draw_images(
        options.artifact / FORMATS["float32"], num_classes, optimized=False
    )
    print("| format | rewritten | mean difference | largest | FID | 64 images |")
    print("|---|---|---|---|---|---|")
    wrong = []
    for name, stated in card["formats"].items():
        path = options.artifact / FORMATS[name]
        for optimized in (True, False):
            images = parity.draw_images(path, num_classes, optimized=optimized)
            difference = np.abs(images - exact)
            mean, fid = float(difference.mean()), ""
            if abs(mean - stated["mean_difference"]) > AGREEMENT * max(mean, 1e-4):
                wrong.append(f"{name}, rewritten {optimized}: mean {mean:.3g}")
            if reference is not None:
                artifact = DrawnBy(options.artifact, name, optimized=optimized)
                scored = score_artifact(reference, artifact)
                fid = metrics.display_score("fid", scored["fid"])
                if not agrees(scored, stated):
                    wrong.append(f"{name}, rewritten {optimized}: FID {fid}")
            milliseconds = time_batch(path, num_classes, optimized=optimized)
            print(
                f"| {name} | {'yes' if optimized else 'no'} | {mean:.2g} "
                f"| {difference.max():.3g} | {fid} | {milliseconds:.2f} ms |",
                flush=True,
            )
    if wrong:
        raise SystemExit("Not what the card states: " + "; ".join(wrong))


def agrees(scored: dict, stated: dict) -> bool:
    """Whether an FID is within the card's interval, or of another protocol."""
    if scored["fingerprint"] != stated.get("fingerprint"):
        return True
    limits = stated["fid"]
    return limits["low"] <= scored["fid"]["value"] <= limits["high"]


def load_reference(card: dict, num_images: int) -> evaluation.Reference | None:
    """The real images that the generator was trained on, or `None`."""
    recipe = card["training"].get("recipe", {})
    if "data" not in recipe:
        return None
    data = load_data(
        recipe["data"],
        image_size=recipe.get("image_size"),
        channels=recipe.get("channels"),
    )
    return evaluation.load_reference(data, num_images=num_images)


def time_batch(path: Path, num_classes: int, *, optimized: bool) -> float:
    """Median milliseconds of a batch."""
    session = onnx_run.open_session(path, optimized=optimized)
    inputs = onnx_run.draw_inputs(session, BATCH_SIZE, 0, num_classes)
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        session.run(None, inputs)
        times.append(1000 * (time.perf_counter() - start))
    return statistics.median(times)


if __name__ == "__main__":
    main()
