"""What do callbacks that act every so many steps share?"""

import keras


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
