"""Where do a run's numbers and pictures go?"""

import json
import math
import time
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.image.metadata import create_summary_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from ganlab.callbacks.scalars import CHARTS, SCALARS
from ganlab.runs import RunFolder


class RunLog:
    """Writes a run's numbers to TensorBoard and to its folder's log alike.

    Args:
        directory: The run's folder.
        start_step: Integer. Lines after this step, which a resumed run will
            write again, are dropped.
        settings: A flat dict of the run's settings, shown as text and as
            hyperparameters, or `None`.
    """

    def __init__(self, directory, start_step=0, settings=None):
        self.folder = RunFolder(directory)
        earlier = self.folder.trim_metrics(start_step)
        seconds = earlier[-1]["seconds"] if earlier else 0.0
        self._started = time.perf_counter() - seconds
        self._writer = tf.summary.create_file_writer(
            str(self.folder.tensorboard), flush_millis=5000
        )
        with self._writer.as_default(step=start_step):
            layout = custom_scalar.pb(_layout()).SerializeToString()
            tf.summary.experimental.write_raw_pb(layout, step=start_step)
            if settings:
                tf.summary.text("config", _as_table(settings))
                hparams.hparams({k: str(v) for k, v in settings.items()})
        self._writer.flush()

    def scalars(self, step, values, protocol=None):
        """Writes a dict of floats for one step; a non-finite one is null.

        Keys are those of `SCALARS`, or tags of their own with a `/`. The
        fingerprint of a protocol stands on the line of its scores.
        """
        row = {"step": step, "seconds": self._seconds()}
        if protocol is not None:
            row["protocol"] = protocol
        points = Summary()  # one write for all is far quicker than one for each
        for key, value in values.items():
            tag, description = (key, "") if "/" in key else SCALARS[key]
            points.value.extend(scalar_pb(tag, value, description).value)
            row[key] = value if math.isfinite(value) else None
        self._write_summary(step, points)
        self.folder.append_metrics(row)

    def _seconds(self):
        return round(time.perf_counter() - self._started, 3)

    def event(self, step, name, **about):
        """Writes that something happened at a step; `about` holds JSON values."""
        row = {"step": step, "seconds": self._seconds(), "event": name, **about}
        self.folder.append_metrics(row)
        with self._writer.as_default(step=step):
            tf.summary.text(f"event/{name}", json.dumps(about))

    def histograms(self, step, values):
        """Writes a dict of float arrays, such as logits, to TensorBoard."""
        found = Summary()
        for name, array in values.items():
            if np.isfinite(array).all():
                found.value.extend(histogram_pb(f"logits/{name}", array).value)
        self._write_summary(step, found)

    def picture(self, step, name, path):
        """Writes a PNG file to TensorBoard as it is."""
        with Image.open(path) as picture:
            size = [str(each).encode() for each in picture.size]
        found = tf.constant([*size, Path(path).read_bytes()])
        about = create_summary_metadata(None, None)
        with self._writer.as_default(step=step):
            tf.summary.write(name, found, metadata=about)
        self._writer.flush()

    def _write_summary(self, step, summary):
        with self._writer.as_default(step=step):
            tf.summary.experimental.write_raw_pb(summary.SerializeToString())

    def close(self):
        """Flushes and closes what TensorBoard reads."""
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
