"""Writes a run's numbers, events and pictures for programs and for TensorBoard."""

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.plugins.custom_scalar import layout_pb2
from tensorboard.plugins.custom_scalar import summary as custom_scalar
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams import api as hparams
from tensorboard.plugins.hparams import api_pb2, summary
from tensorboard.plugins.image.metadata import create_summary_metadata
from tensorboard.plugins.scalar.summary_v2 import scalar_pb

from ganlab.callbacks.scalars import SCALARS
from ganlab.config.settings import SETTINGS, split_settings
from ganlab.data import kinds
from ganlab.data.kinds import DataKind
from ganlab.diagnosis.log import ENDINGS
from ganlab.diagnosis.panels import groups_of
from ganlab.runs import RunFolder
from ganlab.text import printable


class RunLog:
    """Writes a run's numbers to TensorBoard and to its folder's log alike.

    Args:
        directory: The run's folder.
        start_step: Integer. Lines after this step, which a resumed run will
            write again, are dropped.
        settings: A flat dict of the run's settings, shown as text, or `None`. Those
            that tell runs apart are shown as hyperparameters too.
        position: What `position` gave when the checkpoint was written that the run goes
            on from; what was written since is dropped. `None` where it is not known.
        clock: Function without arguments that returns seconds.
    """

    def __init__(
        self,
        directory: Path | str,
        start_step: int = 0,
        settings: Mapping[str, Any] | None = None,
        position: Mapping[str, Any] | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.folder = RunFolder(directory)
        self.clock = clock
        position = position or {}
        earlier = self.folder.rewind(start_step, position)
        seconds = earlier[-1]["seconds"] if earlier else 0.0
        self._began = clock() - position.get("seconds", seconds)
        self._has_settings = bool(settings)
        self._last_step: int | None = position.get("last_step")
        goes_on = bool(position.get("tensorboard")) and not position.get("then")
        known = settings or {}
        kind = kinds.of_record(known.get("data_kind"), known.get("data"))
        self._writer = tf.summary.create_file_writer(
            str(self.folder.tensorboard), flush_millis=5000
        )
        if not goes_on:
            self._introduce(start_step, settings, kind)
        self._writer.flush()

    def _introduce(
        self, step: int, settings: Mapping[str, Any] | None, kind: DataKind
    ) -> None:
        """Writes how TensorBoard groups the numbers, and the settings."""
        with self._writer.as_default(step=step):
            layout = custom_scalar.pb(_layout(kind)).SerializeToString()
            tf.summary.experimental.write_raw_pb(layout, step=step)
            if settings:
                tf.summary.text("config", _as_table(settings))
                name = self.folder.path.resolve().name
                hparams.hparams(hyperparameters(settings), trial_id=name)

    def position(self) -> dict[str, Any]:
        """Where the run's files stand, when all that is written is on the disk."""
        self._writer.flush()
        return {
            **self.folder.sizes_of_logs(),
            "seconds": self._seconds(),
            "last_step": self._last_step,
        }

    def scalars(
        self, step: int, values: Mapping[str, float], protocol: str | None = None
    ) -> None:
        """Writes floats by key for one step; a non-finite one is null.

        Args:
            step: Integer.
            values: Keys are those of `SCALARS`, or tags of their own with a `/`.
            protocol: Fingerprint of the protocol, for scores, or `None`.
        """
        self._last_step = step
        row: dict[str, Any] = {"step": step, "seconds": self._seconds()}
        if protocol is not None:
            row["protocol"] = protocol
        summary = Summary()  # one write of all values is far quicker than one each
        for key, value in values.items():
            tag, description = (key, "") if "/" in key else SCALARS[key]
            summary.value.extend(scalar_pb(tag, value, description).value)
            row[key] = value if math.isfinite(value) else None
        self._write_summary(step, summary)
        self.folder.append_metrics(row)

    def event(self, step: int, name: str, **details: Any) -> None:
        """Writes that something happened at a step; `details` are JSON values."""
        self._last_step = step
        self.folder.append_metrics(
            {"step": step, "seconds": self._seconds(), "event": name, **details}
        )
        with self._writer.as_default(step=step):
            tf.summary.text(f"event/{name}", json.dumps(details))

    def histograms(self, step: int, arrays: Mapping[str, np.ndarray]) -> None:
        """Writes float arrays by name, such as logits, to TensorBoard."""
        summary = Summary()
        for name, array in arrays.items():
            if np.isfinite(array).all():
                summary.value.extend(histogram_pb(f"logits/{name}", array).value)
        self._write_summary(step, summary)

    def picture(self, step: int, name: str, path: Path) -> None:
        """Writes a PNG file to TensorBoard as it is."""
        with Image.open(path) as picture:
            size = [str(pixels).encode() for pixels in picture.size]
        with self._writer.as_default(step=step):
            tf.summary.write(
                name,
                tf.constant([*size, path.read_bytes()]),
                metadata=create_summary_metadata(None, None),
            )
        self._writer.flush()

    def close(self, succeeded: bool | None = True) -> None:
        """Writes how the run ended, and closes what TensorBoard reads.

        Args:
            succeeded: Boolean: the status of the run; `None` for one that was
                interrupted and may go on.
        """
        finished, failed, interrupted = ENDINGS
        ending = {True: finished, False: failed, None: interrupted}[succeeded]
        if self._last_step is not None and self.folder.holds_log():
            self.event(self._last_step, ending)
            self._last_step = None
        if self._has_settings and succeeded is not None:
            status = api_pb2.STATUS_SUCCESS if succeeded else api_pb2.STATUS_FAILURE
            with self._writer.as_default(step=0):
                end = summary.session_end_pb(status).SerializeToString()
                tf.summary.experimental.write_raw_pb(end)
            self._has_settings = False
        self._writer.close()

    def _seconds(self) -> float:
        return round(self.clock() - self._began, 3)

    def _write_summary(self, step: int, summary: Summary) -> None:
        with self._writer.as_default(step=step):
            tf.summary.experimental.write_raw_pb(summary.SerializeToString())


def hyperparameters(settings: Mapping[str, Any]) -> dict[str, bool | float | str]:
    """The settings that tell runs apart, as TensorBoard takes them.

    They are those with an option of their own in `ganlab train`, those that are not
    what they are by default, and what is no setting of ganlab's; numbers as numbers.

    >>> hyperparameters({"loss": "hinge", "kernel_size": 4, "ema_decay": 0.9})
    {'loss': 'hinge', 'ema_decay': 0.9}
    """
    recipe, _ = split_settings(settings)
    return {
        name: value if isinstance(value, (bool, int, float)) else printable(value)
        for name, value in recipe.items()
        if value is not None and _tells_apart(name, value)
    }


def _tells_apart(name: str, value: Any) -> bool:
    setting = SETTINGS.get(name)
    return setting is None or setting.flag or value != setting.default


def _layout(kind: DataKind) -> layout_pb2.Layout:
    """TensorBoard's custom scalars: a category for each group of the report."""
    return layout_pb2.Layout(
        category=[
            layout_pb2.Category(
                title=group,
                chart=[
                    layout_pb2.Chart(
                        title=title,
                        multiline=layout_pb2.MultilineChartContent(
                            tag=[SCALARS[key].tag for key in keys]
                        ),
                    )
                    for title, keys in charts.items()
                ],
            )
            for group, charts in groups_of(kind)
        ]
    )


def _as_table(settings: Mapping[str, Any]) -> str:
    rows = [
        f"| {printable(name)} | `{printable(value)}` |"
        for name, value in settings.items()
    ]
    return "\n".join(["| setting | value |", "|---|---|", *rows])
