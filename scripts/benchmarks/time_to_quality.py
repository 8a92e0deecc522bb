"""Training time until a FID is reached.

    pip install -e ".[dev]"
    python scripts/benchmarks/time_to_quality.py --out runs/time_to_quality

The DCGAN of keras.io/examples/generative/dcgan_overriding_train_step, its layers for
28 pixels, trains for ten minutes on the 10,000 Fashion-MNIST images of the package;
ganlab's default preset trains its own length as `ganlab train` does, with simultaneous
and alternating updates and in bfloat16, from several seeds. Each is one process
at a time; its clock starts with it and stands still while it is scored: the FID of
10,000 images in the features of the embedded classifier.

It writes quality.json, quality.md and quality.png. Time on 2 cores: 50 minutes.
"""

import argparse
import io
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from turns import runs_here

BASE = "keras.io example"
CONTENDERS = {
    BASE: None,
    "ganlab": {},
    "ganlab, alternating": {"updates": "alternating"},
    "ganlab, bfloat16": {"dtype_policy": "mixed_bfloat16"},
}
COLORS = dict(
    zip(CONTENDERS, ["#888888", "#2a7f9e", "#d98c3f", "#7a5aa8"], strict=True)
)
KERAS_IO_SECONDS = 600
EVERY = 30.0  # seconds between scores
NUM_IMAGES = 10_000

Sample = Callable[[int], Any]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--out", type=Path, default=Path("runs/time_to_quality"))
    add("--seeds", type=int, default=3, help="of ganlab (default %(default)s)")
    add("--only", default="", help="contenders whose names hold this, and keras.io's")
    add("--seconds", type=float, default=KERAS_IO_SECONDS, help="keras.io's")
    add("--steps", type=int, help="ganlab's (default: the preset's)")
    add("--worker", help=argparse.SUPPRESS)
    add("--seed", type=int, default=0, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options)
        return
    options.out.mkdir(parents=True, exist_ok=True)
    scores = {}
    for seed in range(options.seeds):
        for name in CONTENDERS:
            if name != BASE and (options.only not in name or not runs_here(name)):
                continue
            if name == BASE and seed:
                continue
            print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
            scores.setdefault(name, []).append(run(name, seed, options))
            text = json.dumps(scores, indent=2) + "\n"
            (options.out / "quality.json").write_text(text)
    table = as_table(scores)
    (options.out / "quality.md").write_text(table)
    plot(scores, options.out / "quality.png")
    print(table)


def run(name: str, seed: int, options) -> dict[str, list[float]]:
    """One contender's scores: lists of seconds, steps and FIDs."""
    command = [sys.executable, __file__, "--worker", name, "--seed", str(seed)]
    command += ["--seconds", str(options.seconds)]
    if options.steps:
        command += ["--steps", str(options.steps)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    if done.returncode:
        raise SystemExit(f"{name} failed; run it alone with --worker to see why")
    return json.loads(done.stdout.splitlines()[-1])


def seconds_until(scores: dict[str, list[float]], fid: float) -> float | None:
    """Seconds until the FID is reached, or `None`."""
    for second, value in zip(scores["seconds"], scores["fid"], strict=True):
        if value <= fid:
            return second
    return None


def as_table(scores: dict[str, list[dict]]) -> str:
    """The report as Markdown."""
    goal = scores[BASE][0]["fid"][-1]
    lines = [f"| | FID at the end | reaches {goal:.2f} after |", "|---|---|---|"]
    for name, runs in scores.items():
        ends = sorted(run["fid"][-1] for run in runs)
        times = [seconds_until(run, goal) for run in runs]
        reached = "never"
        if None not in times:
            reached = (
                f"{statistics.median(times):.0f} s [{min(times):.0f}, {max(times):.0f}]"
            )
        length = statistics.median(run["seconds"][-1] for run in runs)
        lines.append(
            f"| {name} | {statistics.median(ends):.2f} "
            f"[{ends[0]:.2f}, {ends[-1]:.2f}] in {length:.0f} s | {reached} |"
        )
    return "\n".join(lines) + "\n"


def plot(scores: dict[str, list[dict]], path: Path) -> None:
    """The report as a picture."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 3.6), layout="constrained")
    for name, runs in scores.items():
        for index, run in enumerate(runs):
            label = name if index == 0 else None
            style = {"color": COLORS[name], "label": label, "linewidth": 1.4}
            axes.plot(run["seconds"], run["fid"], **style)
    axes.set_yscale("log")
    axes.set_xlabel("seconds since the command was given, scoring not counted")
    axes.set_ylabel("FID")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=130)


class Clock:
    """Scores a generator every so often, and stands still meanwhile."""

    def __init__(self) -> None:
        self.start, self.due = START, EVERY
        self.scores = {"seconds": [], "steps": [], "fid": []}
        self.reference = None

    def load(self) -> None:
        """The real images' features; the time for them does not count."""
        from ganlab import load_data
        from ganlab.evaluation import load_reference

        begin = time.perf_counter()
        self.reference = load_reference(load_data("fashion_mnist"))
        self.start += time.perf_counter() - begin

    def seconds(self) -> float:
        return time.perf_counter() - self.start

    def tick(self, step: int, sample: Sample, last: bool = False) -> None:
        """Scores images if that is due, or the last time."""
        if self.seconds() < self.due and not last:
            return
        from ganlab import metrics

        begin = time.perf_counter()
        self.scores["seconds"].append(begin - self.start)
        self.scores["steps"].append(step)
        features, _ = self.reference.extractor.extract(sample(NUM_IMAGES))
        fid = metrics.frechet_distance(self.reference.features, features)
        self.scores["fid"].append(float(fid))
        self.start += time.perf_counter() - begin
        self.due = self.seconds() + EVERY


def work(options) -> None:
    clock = Clock()
    changes = CONTENDERS[options.worker]
    if changes is None:
        train_keras_io(clock, options)
    else:
        train_ganlab(clock, changes, options)
    print(json.dumps(clock.scores))


def train_keras_io(clock: Clock, options) -> None:
    """keras.io's example: its layers, rates, batch, labels and pipeline."""
    import keras
    import numpy as np
    import tensorflow as tf
    from keras_io import LATENT_DIM, example, networks

    from ganlab import load_data, sampling

    keras.utils.set_random_seed(options.seed)
    clock.load()
    generator, discriminator = networks(28, 1, doublings=2)
    model = example(generator, discriminator, keras.losses.BinaryCrossentropy())
    pixels = load_data("fashion_mnist").images
    folder = Path(tempfile.mkdtemp())
    write_folder(pixels, folder)
    data = keras.utils.image_dataset_from_directory(
        folder,
        label_mode=None,
        image_size=(28, 28),
        batch_size=32,
        color_mode="grayscale",
    ).map(lambda images: images / 255.0)

    def sample(count):
        latents = sampling.draw_latents(count, LATENT_DIM, 0)
        images = np.concatenate(
            [
                generator(latents[first : first + 500], training=False).numpy()
                for first in range(0, count, 500)
            ]
        )
        return (images * 255.0).round().astype(np.uint8)

    class ScoreWhileTraining(keras.callbacks.Callback):
        steps = 0

        def on_train_batch_end(self, batch, logs=None):
            self.steps += 1
            last = clock.seconds() > options.seconds
            clock.tick(self.steps, sample, last)
            self.model.stop_training = last

        def on_epoch_end(self, epoch, logs=None):
            latents = tf.random.normal((3, LATENT_DIM))
            for index, image in enumerate(self.model.generator(latents).numpy()):
                image = keras.utils.array_to_img(image)
                image.save(folder / f"generated_{epoch}_{index}.png")

    model.fit(data, epochs=1000, callbacks=[ScoreWhileTraining()], verbose=0)


def write_folder(images, folder: Path) -> None:
    from PIL import Image

    (folder / "images").mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image[..., 0]).save(folder / "images" / f"{index:05}.png")


def train_ganlab(clock: Clock, changes: dict, options) -> None:
    """What `ganlab train` does."""
    import keras

    from ganlab import pictures, sampling
    from ganlab.config.presets import get_preset
    from ganlab.training.train import train

    recipe = get_preset("dcgan").replace(seed=options.seed, **changes)
    if options.steps:
        recipe = recipe.replace(steps=options.steps)

    class ScoreWhileTraining(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            clock.load()

        def on_train_batch_end(self, batch, logs=None):
            if clock.seconds() > clock.due:
                clock.tick(int(self.model.step.numpy()), self.sample)

        def on_train_end(self, logs=None):
            clock.tick(int(self.model.step.numpy()), self.sample, last=True)

        def sample(self, count):
            gan = self.model
            labels = clock.reference.labels
            latents = sampling.draw_latents(count, gan.latent_dim, 0)
            return pictures.to_uint8(gan.generate(latents, labels))

    folder = Path(tempfile.mkdtemp()) / "run"
    train(recipe, folder, callbacks=[ScoreWhileTraining()], stream=io.StringIO())


START = time.perf_counter()

if __name__ == "__main__":
    main()
