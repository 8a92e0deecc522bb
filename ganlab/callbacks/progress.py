"""How far is the run, and is it well?"""

import keras
from tqdm import tqdm


def decoding_bar(stream):
    """Returns a function of `(images done, images in all)` that shows a bar.

    Nothing is shown for what takes less than two seconds.
    """
    bar = tqdm(desc="Decoding", unit=" images", delay=2.0, file=stream, disable=None)

    def show(done, count):
        bar.total = count
        bar.update(done - bar.n)
        if done >= count:
            bar.close()

    return show


class StageBars:
    """A bar for each thing that is done, one after the other.

    Nothing is shown for what takes less than two seconds.

    Args:
        stream: Text stream, such as `sys.stderr`.
    """

    def __init__(self, stream):
        self._stream, self._what, self._bar = stream, None, None

    def __call__(self, what, done, count):
        if what != self._what:
            self.close()
            self._what = what
            self._bar = tqdm(
                desc=what, total=count, delay=2.0, file=self._stream, disable=None
            )
        self._bar.update(done - self._bar.n)

    def close(self):
        """Ends the bar that is shown."""
        if self._bar is not None:
            self._bar.close()


class ProgressBar(keras.callbacks.Callback):
    """One line with the step, the speed, both losses, D(x) and D(G(z)).

    Args:
        steps: Integer: the step at which the run ends.
        stream: Text stream, such as `sys.stderr`. Where it is no terminal, a
            line is written every ten seconds.
    """

    def __init__(self, steps, stream):
        super().__init__()
        self.steps = steps
        self.stream = stream

    def on_train_begin(self, logs=None):
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

    def on_train_batch_end(self, batch, logs=None):
        text = "D loss {d_loss:.3f}, G loss {g_loss:.3f}, D(x) {d_real:.2f}, "
        text += "D(G(z)) {d_fake:.2f}"
        self._bar.set_postfix_str(text.format(**logs), refresh=False)
        self._bar.update(self.model.steps_per_execution)

    def on_train_end(self, logs=None):
        self._bar.close()
