"""Which states of the run can be gone back to?"""

import json
import os
import shutil
from pathlib import Path

import numpy as np

from ganlab import metrics
from ganlab.callbacks.periodic import Periodic


class Checkpoints(Periodic):
    """Saves the whole GAN every so many steps; keeps the newest and the best.

    A checkpoint is one `.keras` file with both players, the averaged
    generator, both optimizers and the step. It is written under another name
    and then renamed, so that a crash leaves the last one whole. The best is
    the one whose images are nearest to `reference_images` by
    `ganlab.metrics.sliced_wasserstein`.

    Args:
        directory: Folder for `step-0000500.keras` and so on, `best.keras` and
            `best.json`.
        reference_images: Uint8 real images `(count, height, width, channels)`,
            or float32 points `(count, 2)`, held against as many generated ones.
        reference_labels: Int32 labels `(count,)` of the same, or `None`.
        every: Integer: steps between checkpoints. One more is saved at the end.
        keep: Integer: how many of the newest are kept.
        run_log: A `RunLog` that logs the distance as `swd`, or `None`.
    """

    def __init__(
        self,
        directory,
        reference_images,
        reference_labels=None,
        *,
        every=500,
        keep=3,
        run_log=None,
    ):
        super().__init__(every)
        self.directory = Path(directory)
        self.reference_images = reference_images
        self.reference_labels = reference_labels
        self.keep = keep
        self.run_log = run_log

    def on_train_end(self, logs=None):
        self.act_at_end()

    def act(self, step):
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"step-{step:07d}.keras"
        partial = self.directory / "partial.keras"
        self.model.save(partial)
        os.replace(partial, path)
        for old in sorted(self.directory.glob("step-*.keras"))[: -self.keep]:
            old.unlink()
        distance = self._distance()
        if self.run_log is not None:
            self.run_log.scalars(step, {"swd": distance})
        best = read_best(self.directory)
        if best is None or distance < best["swd"]:
            shutil.copyfile(path, partial)
            os.replace(partial, self.directory / "best.keras")
            record = json.dumps({"step": step, "swd": distance})
            (self.directory / "best.json").write_text(record + "\n")

    def _distance(self):
        count = len(self.reference_images)
        drawn = self.model.sample(count, seed=0, labels=self.reference_labels)
        flat = [
            images.reshape(count, -1).astype(np.float32)
            for images in (self.reference_images, drawn)
        ]
        if drawn.dtype == np.uint8:
            flat = [images / 127.5 - 1.0 for images in flat]
        return metrics.sliced_wasserstein(*flat)


def newest(directory):
    """Returns the path of the newest checkpoint, or `None`."""
    return max(Path(directory).glob("step-*.keras"), default=None)


def read_best(directory):
    """Returns `{"step", "swd"}` of the best checkpoint, or `None`."""
    path = Path(directory) / "best.json"
    return json.loads(path.read_text()) if path.exists() else None
