"""What do callbacks that act every so many steps share?"""

import time

import keras

from ganlab import pictures
from ganlab.runs import RunFolder


class Periodic(keras.callbacks.Callback):
    """Calls `act(step)` each time training passes a multiple of `every`.

    Steps are the model's own, counted over epochs and resumed runs.

    Args:
        every: Integer, 1 or more: steps between calls.
    """

    def __init__(self, every):
        super().__init__()
        self.every = every
        self._acted = None

    def act(self, step):
        """What is done; `step` steps have been trained."""
        raise NotImplementedError

    def is_due(self, step):
        """Whether `step` is past a multiple of `every` that was not acted on."""
        return step // self.every > self._acted // self.every

    def on_train_begin(self, logs=None):
        self._acted = int(self.model.step.numpy())

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch_start = int(self.model.step.numpy())

    def on_train_batch_end(self, batch, logs=None):
        step = self._epoch_start + batch + 1
        if self.is_due(step):
            self._acted = step
            self.act(step)

    def act_at_end(self):
        """Acts once more if steps were trained since the last time."""
        if self._acted is None:
            return
        step = int(self.model.step.numpy())
        if step != self._acted:
            self._acted = step
            self.act(step)


class Budgeted(Periodic):
    """Calls `run(step)` so seldom that it takes a fraction of the training time.

    After a call that took 2 s, the next waits until 20 s have gone by at a
    budget of 10 %.

    Args:
        every: Integer, 1 or more: steps between calls, at least.
        budget: Float in (0, 1]: largest fraction of the time.
        clock: Function without arguments that returns seconds.
    """

    def __init__(self, every, budget, clock=time.perf_counter):
        super().__init__(every)
        self.budget = budget
        self.clock = clock
        self.seconds = 0.0

    def run(self, step):
        """What is done; `step` steps have been trained."""
        raise NotImplementedError

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.seconds, self._latest = 0.0, 0.0
        self._began = self.clock()

    def is_due(self, step):
        """Whether `every` steps have gone by and the budget has room for one more."""
        if not super().is_due(step):
            return False
        gone = self.clock() - self._began
        return self.seconds + self._latest <= self.budget * gone

    def act(self, step):
        started = self.clock()
        self.run(step)
        self._latest = self.clock() - started
        self.seconds += self._latest


class Pictures(Periodic):
    """Draws before the first step, every so many steps, and after the last.

    Args:
        directory: The run's folder.
        every: Integer: steps between pictures.
        seed: Integer: seeds the latents.
        run_log: A `RunLog` that shows them in TensorBoard too, or `None`.
    """

    def __init__(self, directory, every=500, seed=0, run_log=None):
        super().__init__(every)
        self.folder = RunFolder(directory)
        self.seed = seed
        self.run_log = run_log

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.act(self._acted)

    def on_train_end(self, logs=None):
        self.act_at_end()

    def show(self, step, name, pixels):
        """Saves a uint8 array `(height, width, channels)`, and logs it."""
        path = self.folder.picture(step)
        path.parent.mkdir(parents=True, exist_ok=True)
        pictures.as_picture(pixels).save(path)
        if self.run_log is not None:
            self.run_log.picture(step, name, path)
