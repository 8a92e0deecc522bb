"""Where do a run's numbers and pictures go?"""

import json
import math
import os
import time
from pathlib import Path

import keras
import tensorflow as tf
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.hparams import api as hparams

# Log key -> TensorBoard tag, and what a reader should look for. Custom scalars draw
# nothing for a tag with parentheses.
SCALARS = {
    "d_loss": (
        "loss/discriminator",
        "What the discriminator minimises. For cross-entropy 1.386 (2 ln 2) is "
        "a discriminator that cannot tell; near 0 it has won.",
    ),
    "g_loss": (
        "loss/generator",
        "What the generator minimises. It is no measure of image quality: it "
        "rises whenever the discriminator improves.",
    ),
    "d_penalty": (
        "loss/penalty",
        "Sum of the weighted regularizers, which the discriminator minimises too.",
    ),
    "d_class_loss": (
        "loss/class_real",
        "Cross-entropy of the auxiliary classifier on real images.",
    ),
    "g_class_loss": (
        "loss/class_fake",
        "The same on fake images: low if they are drawn as asked.",
    ),
    "augment_probability": (
        "augmentation/probability",
        "Adaptive augmentation's p. It rises while the discriminator overfits; past "
        "0.8 augmentations leak into what is drawn.",
    ),
    "d_real": (
        "belief/D_x",
        "D(x): mean sigmoid of the logits of real images, from where the loss is "
        "undecided.",
    ),
    "d_fake": (
        "belief/D_G_z",
        "D(G(z)): the same of fake images. Healthy runs keep it well above 0, and "
        "below D(x).",
    ),
    "d_accuracy_real": ("accuracy/real", "Share of real images taken for real."),
    "d_accuracy_fake": ("accuracy/fake", "Share of fake images taken for fake."),
    "d_gradient_norm": (
        "gradient_norm/discriminator",
        "Norm of the discriminator's gradient over all its weights.",
    ),
    "g_gradient_norm": (
        "gradient_norm/generator",
        "Norm of the generator's gradient. Near 0 it learns nothing.",
    ),
    "d_update_ratio": (
        "update_ratio/discriminator",
        "Norm of one step's change of the weights over the norm of the weights. "
        "About 0.001 is usual.",
    ),
    "g_update_ratio": ("update_ratio/generator", "The same for the generator."),
    "d_learning_rate": ("learning_rate/discriminator", ""),
    "g_learning_rate": ("learning_rate/generator", ""),
    "frechet_distance": (
        "quality/frechet_distance",
        "Distance of generated features from real ones; lower is better. The run's "
        "best checkpoint is the one where it is smallest.",
    ),
    "frechet_infinity": (
        "quality/frechet_infinity",
        "The same, extrapolated to infinitely many images; 0 is perfect.",
    ),
    "kernel_distance": (
        "quality/kernel_distance",
        "Unbiased kernel distance (KID); 0 is perfect.",
    ),
    "precision": ("manifold/precision", "Share of generated images that look real."),
    "recall": ("manifold/recall", "Share of real images that it can draw."),
    "density": ("manifold/density", "Real neighbourhoods hit, over k; 1 is perfect."),
    "coverage": (
        "manifold/coverage",
        "Share of real images with a generated one nearby; 0.97 is perfect.",
    ),
    "differing_bins": (
        "diversity/differing_bins",
        "Share of regions where real and generated images differ in number; 0.05 is "
        "chance.",
    ),
    "duplicate_share": (
        "diversity/duplicate_share",
        "Share of generated images that repeat another; real images: 0.01.",
    ),
    "copied_share": (
        "diversity/copied_share",
        "Share of generated images that copy a training image; chance: 0.01.",
    ),
    "class_diversity": (
        "diversity/class_diversity",
        "Spread within a class over that of real images; 1 is perfect.",
    ),
    "class_score": (
        "classes/class_score",
        "Inception score, of these features' classes.",
    ),
    "label_fidelity": ("classes/label_fidelity", "Share of images drawn as asked."),
    "modes_hit": ("quality/modes_hit", "Modes with a point within 3 deviations."),
    "high_quality_share": (
        "quality/high_quality_share",
        "Share of points within 3 deviations of a mode; 0.989 is perfect.",
    ),
    "kl": ("quality/kl", "KL divergence from real to fake points on a grid, in nats."),
    "js": ("quality/js", "Jensen-Shannon divergence on a grid, 0 to 0.693 nats."),
    "images_per_second": (
        "speed/images_per_second",
        "Real images trained on a second, everything included.",
    ),
    "data_wait_share": (
        "speed/data_wait_share",
        "Share of the time spent waiting for the next batch.",
    ),
}

CHARTS = {
    "Losses": ("d_loss", "g_loss"),
    "D(x) and D(G(z))": ("d_real", "d_fake"),
    "Discriminator accuracy": ("d_accuracy_real", "d_accuracy_fake"),
    "Gradient norms": ("d_gradient_norm", "g_gradient_norm"),
    "Update ratios": ("d_update_ratio", "g_update_ratio"),
    "Quality": ("frechet_distance", "frechet_infinity"),
    "Looks real, and varied": ("precision", "recall", "density", "coverage"),
}


class RunLog:
    """Writes a run's numbers to TensorBoard and to `metrics.jsonl` alike.

    Args:
        directory: The run's folder. Gets `metrics.jsonl` and `tensorboard/`.
        start_step: Integer. Lines after this step, which a resumed run will
            write again, are dropped.
        settings: A flat dict of the run's settings, shown as text and as
            hyperparameters, or `None`.
    """

    def __init__(self, directory, start_step=0, settings=None):
        directory = Path(directory)
        directory.mkdir(parents=True, exist_ok=True)
        self._path = directory / "metrics.jsonl"
        earlier = self._keep_lines_until(start_step)
        seconds = earlier[-1]["seconds"] if earlier else 0.0
        self._started = time.perf_counter() - seconds
        self._lines = self._path.open("a", encoding="utf-8")
        self._writer = tf.summary.create_file_writer(
            str(directory / "tensorboard"), flush_millis=5000
        )
        with self._writer.as_default(step=start_step):
            layout = custom_scalar.pb(_layout()).SerializeToString()
            tf.summary.experimental.write_raw_pb(layout, step=start_step)
            if settings:
                tf.summary.text("config", _as_table(settings))
                hparams.hparams({k: str(v) for k, v in settings.items()})
        self._writer.flush()

    def _keep_lines_until(self, step):
        if not self._path.exists():
            return []
        rows = map(json.loads, self._path.read_text(encoding="utf-8").splitlines())
        rows = [row for row in rows if row["step"] <= step]
        partial = self._path.with_suffix(".partial")
        partial.write_text("".join(json.dumps(row) + "\n" for row in rows))
        os.replace(partial, self._path)
        return rows

    def scalars(self, step, values, protocol=None):
        """Writes a dict of floats for one step; a non-finite one is null.

        Keys are those of `SCALARS`, or tags of their own with a `/`. The
        fingerprint of a protocol stands on the line of its scores.
        """
        row = {"step": step, "seconds": round(time.perf_counter() - self._started, 3)}
        if protocol is not None:
            row["protocol"] = protocol
        with self._writer.as_default(step=step):
            for key, value in values.items():
                tag, description = (key, "") if "/" in key else SCALARS[key]
                tf.summary.scalar(tag, value, description=description)
                row[key] = value if math.isfinite(value) else None
        self._lines.write(json.dumps(row, allow_nan=False) + "\n")
        self._lines.flush()

    def picture(self, step, name, pixels):
        """Writes a uint8 array `(height, width, channels)` to TensorBoard."""
        with self._writer.as_default(step=step):
            tf.summary.image(name, keras.ops.convert_to_tensor(pixels[None]))
        self._writer.flush()

    def close(self):
        """Flushes and closes both files."""
        self._lines.close()
        self._writer.close()


def _layout():
    charts = [
        layout_pb2.Chart(
            title=title,
            multiline=layout_pb2.MultilineChartContent(
                tag=[SCALARS[key][0] for key in keys]
            ),
        )
        for title, keys in CHARTS.items()
    ]
    category = layout_pb2.Category(title="The game", chart=charts)
    return layout_pb2.Layout(category=[category])


def _as_table(settings):
    rows = [f"| {key} | `{value}` |" for key, value in settings.items()]
    return "\n".join(["| setting | value |", "|---|---|", *rows])
