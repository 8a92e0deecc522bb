"""Progress bars on a text stream: decoding, stages of an evaluation, training."""

from collections.abc import Callable
from typing import Any, TextIO

import keras
from tqdm import tqdm

from ganlab.callbacks.periodic import Logs
from ganlab.text import printable

DELAY = 2.0  # seconds that a task takes before its bar appears
POSTFIX = (
    "D loss {d_loss:.3f}, G loss {g_loss:.3f}, D(x) {d_real:.2f}, D(G(z)) {d_fake:.2f}"
)


def decoding_bar(stream: TextIO) -> Callable[[int, int], None]:
    """Returns a function of `(images done, images in all)` that shows a bar.

    A task of less than two seconds shows none.
    """
    bar = tqdm(desc="Decoding", unit=" images", delay=DELAY, file=stream, disable=None)

    def show(done: int, count: int) -> None:
        bar.total = count
        bar.update(done - bar.n)
        if done >= count:
            bar.close()

    return show


class StageBars:
    """A bar for each stage of a task, one after the other.

    A stage of less than two seconds shows none.

    Args:
        stream: Text stream, such as `sys.stderr`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._stage: str | None = None
        self._bar: Any = None

    def __call__(self, stage: str, done: int, count: int) -> None:
        """Shows that `done` of `count` parts of a stage are done."""
        if stage != self._stage:
            self.close()
            self._stage = stage
            self._bar = tqdm(
                desc=printable(stage),
                total=count,
                delay=DELAY,
                file=self._stream,
                disable=None,
            )
        self._bar.update(done - self._bar.n)
        if done >= count:
            self._bar.close()

    def close(self) -> None:
        """Ends the bar of the last stage."""
        if self._bar is not None:
            self._bar.close()


class ProgressBar(keras.callbacks.Callback):
    """One line with the step, the speed, both losses, D(x) and D(G(z)).

    Args:
        steps: Integer: the step at which the run ends.
        stream: Text stream, such as `sys.stderr`. Where it is no terminal, a
            line is written every ten seconds.
    """

    def __init__(self, steps: int, stream: TextIO) -> None:
        super().__init__()
        self.steps = steps
        self.stream = stream

        self._bar: Any = None

    def on_train_begin(self, logs: Logs = None) -> None:
        terminal = self.stream.isatty()
        self._bar = tqdm(
            total=self.steps,
            initial=int(self.model.step.numpy()),
            unit=" steps",
            file=self.stream,
            dynamic_ncols=terminal,
            mininterval=0.2 if terminal else 10.0,
            bar_format="{n_fmt}/{total_fmt} |{bar:20}| {elapsed}<{remaining}, "
            "{rate_fmt}{postfix}" + ("" if terminal else "\n"),
        )

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        self._bar.set_postfix_str(POSTFIX.format(**(logs or {})), refresh=False)
        self._bar.update(self.model.steps_per_execution)

    def on_train_end(self, logs: Logs = None) -> None:
        self.close()

    def close(self) -> None:
        """Ends the line, if it was begun."""
        if self._bar is not None:
            self._bar.close()
