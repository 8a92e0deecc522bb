"""One callback that is all of the watching that `ganlab train` does."""

import atexit
import contextlib
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from ganlab.callbacks.backup import Backup, check_unfinished, remove_run
from ganlab.callbacks.failure_policy import FailurePolicy
from ganlab.callbacks.follower import Follower
from ganlab.callbacks.periodic import Logs, PeriodicCallback
from ganlab.callbacks.run_log import RunLog
from ganlab.callbacks.run_state import RunState
from ganlab.callbacks.training_metrics import TrainingMetrics
from ganlab.callbacks.watched_data import WatchedData, read_data
from ganlab.callbacks.watched_run import save_run, settings_of
from ganlab.callbacks.watching import load_reference, watching_callbacks
from ganlab.config.settings import Monitoring
from ganlab.diagnosis import report
from ganlab.errors import UserError, unknown_name
from ganlab.files import locked_folder
from ganlab.models.gan import GAN
from ganlab.networks.projection import frozen_extractors
from ganlab.runs import RunFolder

ACTIONS = ("none", "warn", "stop")
LOGGER = logging.getLogger("ganlab")

LOCKED: dict[Path, "Monitor"] = {}  # of this process, by their folders


class Monitor(keras.callbacks.Callback):
    """Watches a GAN that trains in `fit`: numbers, pictures, scores and a diagnosis.

    Into the folder of a run it writes what `ganlab train` does: `metrics.jsonl`,
    TensorBoard's files, a health probe of both networks, sample grids, scores against
    the data, checkpoints, and a report at the end, also where that is Ctrl-C or an
    error. `ganlab diagnose` reads it at any time.

    It watches a `ganlab.GAN`, and any other `keras.Model` that trains a generator
    against a discriminator in a `train_step` of its own. Of that it logs the losses
    that its logs name, such as `d_loss` or `disc_loss`; it samples the generator
    itself, and its checkpoints are `ganlab.GAN`s of both networks, without the model's
    optimizers. Where the two networks do not fit together as a `ganlab.GAN`'s, losses
    alone are logged, and a warning says why. Training is the same with and without it.

    Args:
        directory: A new or empty folder; or that of the same `GAN`, which goes on.
        data: What it trains on: a data SPEC, an `ImageData`, an array of images or a
            pair of images and labels, or a `tf.data.Dataset` of batches, of which an
            iterator of its own is read. Without it there are no probe and no scores.
        generator: The generator of a model that is no `ganlab.GAN`; by default the
            model's attribute of that name.
        discriminator: Its discriminator, likewise.
        held_out: Data that is not trained on, likewise, by which a discriminator is
            told that knows its images by heart; or `None`.
        batch_size: Integer: images of a batch, by default that of the data set.
        monitoring: A `ganlab.Monitoring`: how often, and for how much of the time.
        on_failure: `none`, `warn` or `stop`: see `FailurePolicy`.
        resume: Boolean. Whether the folder may hold a run of the same script that has
            not finished. It goes on where Keras's `BackupAndRestore` does, or begins
            anew where that has nothing yet.

    Raises:
        UserError: in `fit`, for a folder that holds something else or that another
            process writes to, and for data that is not the generator's.
        RunError: in `fit`, after the first step whose loss is not finite.

    Example:

    ```python
    gan.fit(batches, epochs=30, callbacks=[ganlab.callbacks.Monitor("runs/mine", data)])
    ```
    """

    def __init__(
        self,
        directory: Path | str,
        data: Any = None,
        *,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        held_out: Any = None,
        batch_size: int | None = None,
        monitoring: Monitoring = Monitoring(),
        on_failure: str = "warn",
        resume: bool = False,
    ) -> None:
        super().__init__()
        if on_failure not in ACTIONS:
            raise unknown_name("action on failure", on_failure, ACTIONS)
        self.folder = RunFolder(directory)
        self.data = data
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.held_out = held_out
        self.batch_size = batch_size
        self.monitoring = monitoring
        self.on_failure = on_failure
        self.resume = resume
        self.follower: Follower | None = None
        self._began = False  # whether it has watched a training before
        self._begins = False  # whether one is about to begin
        self._callbacks: list[keras.callbacks.Callback] = []
        self._run_log: RunLog | None = None
        self._run_state: RunState | None = None
        self._lock = contextlib.ExitStack()
        self._train_function: Any = None
        self._batch: int | None = None  # of the step that is not finished yet
        self._logs: Any = None  # likewise
        self._counted: WatchedData | None = None  # whose labels were counted
        self._calls = False  # whether a callback of its own is being called

    def set_model(self, model: keras.Model) -> None:
        super().set_model(model)
        if isinstance(model, GAN):
            self._watched: Any = model
        elif self.follower is None or self.follower.model is not model:
            self.follower = self._follow(model)
            self._watched = self.follower.gan
        self._backup = Backup(model, self._collect)
        self._backup.attach()

    @property
    def _losses_alone(self) -> bool:
        return self.follower is not None and self.follower.reason is not None

    def _follow(self, model: keras.Model) -> Follower:
        networks = {}
        for role, given in self.networks.items():
            network = given if given is not None else getattr(model, role, None)
            if not isinstance(network, keras.Model):
                raise UserError(
                    f"Expected a model with a {role}. Received: {type(model).__name__} "
                    f"without one; name it: Monitor(..., {role}=...)"
                )
            networks[role] = network
        follower = Follower(model, **networks)
        if follower.reason is not None:
            classes = self._count_classes(networks["generator"])
            if classes is not None:
                follower = Follower(model, **networks, num_classes=classes)
        if follower.reason is not None:
            warnings.warn(
                "Only losses are watched, for the networks are not those of a "
                f"ganlab.GAN: {follower.reason}",
                UserWarning,
                stacklevel=2,
            )
        return follower

    def _count_classes(self, generator: keras.Model) -> int | None:
        """How many classes the labels of the data have, if the generator takes any."""
        takes_labels = len(getattr(generator, "inputs", ())) > 1
        if self.data is None or not takes_labels:
            return None
        shape = keras.tree.flatten(generator.outputs)[0].shape[1:]
        self._counted = read_data(self.data, shape)
        labels = self._counted.stored.labels
        return None if labels is None else int(labels.max()) + 1

    def on_train_begin(self, logs: Logs = None) -> None:
        self._begins = True  # when other callbacks have loaded what they load

    def _begin(self, logs: Logs) -> None:
        """Begins to watch, at the step that the model is at."""
        self._begins = False
        self._check_folder()
        self._lock_folder()
        try:
            self._check_folder()  # which another process may have finished writing
            self._begin_in_folder(logs)
        except BaseException:
            self._unlock_folder()
            raise

    def _check_folder(self) -> None:
        if not self.folder.holds_run():
            self.folder.check_new()
        elif self._is_at_start():
            check_unfinished(self.folder, allowed=self.resume)

    def _is_at_start(self) -> bool:
        """Whether neither this monitor nor a backup knows of earlier steps."""
        step = int(self._watched.step.numpy())
        return not (self._began or step or self._backup.loaded)

    def _lock_folder(self) -> None:
        """Keeps others from the folder, but for a `fit` of this process that failed."""
        self.folder.path.mkdir(parents=True, exist_ok=True)
        path = self.folder.path.resolve()
        earlier = LOCKED.get(path)
        if earlier is not None and earlier.params is not self.params:
            earlier._finish(False)
            earlier._unlock_folder()
        self._lock.enter_context(locked_folder(path))
        LOCKED[path] = self
        self._lock.callback(LOCKED.pop, path)

    def _unlock_folder(self) -> None:
        self._lock.close()
        with contextlib.suppress(OSError):
            self.folder.path.rmdir()  # which fails unless it is empty

    def _begin_in_folder(self, logs: Logs) -> None:
        loaded = self._backup.loaded if self.folder.holds_run() else None
        if self.folder.holds_run() and self._is_at_start():
            remove_run(self.folder)
        self._backup.loaded = None
        notes, arrays = loaded or ({}, {})
        if "step" in notes:
            self._watched.step.assign(notes["step"])
        step = int(self._watched.step.numpy())
        watched = None if self._losses_alone else self._read(self.data)
        self._began = True
        settings = settings_of(self._watched, self.follower, watched)
        if not notes:
            save_run(self.folder, self._watched, self.monitoring, settings, watched)
        self._run_log = RunLog(self.folder.path, step, settings, notes.get("log"))
        self._callbacks, self._run_state = self._make_callbacks(self._run_log, watched)
        for callback in self._callbacks:
            callback.set_params(self.params)
            callback.set_model(self._watched)
        if notes:
            self.folder.remove_checkpoints_after(step)
            # Keras begins an epoch anew wherever its backup is from.
            notes["callbacks"]["training metrics"]["epoch"] = {}
            self._run_state.take_up(notes, arrays)
        if self.follower is not None:
            self.follower.follow()
        self._train_function = self.model.train_function
        self.model.train_function = self._step
        atexit.register(self._finish, False)
        self._call("on_train_begin", logs)

    def _collect(self) -> tuple[dict[str, Any], dict[str, np.ndarray]] | None:
        """What goes on with the weights that Keras saves now."""
        if self._run_state is None or self._calls:
            return None
        if self._batch is not None and self._logs is not None:
            last = self._batch + getattr(self.model, "steps_per_execution", 1) - 1
            count = self.params.get("steps") or last + 1
            self.on_train_batch_end(
                min(last, count - 1),
                {name: float(value) for name, value in self._logs.items()},
            )
        notes, arrays = self._run_state.collect()
        return {**notes, "step": int(self._watched.step.numpy())}, arrays

    def _step(self, iterator: Any) -> Any:
        """The model's step; where it raises, the report is written first."""
        try:
            self._logs = self._train_function(iterator)
            return self._logs
        except (StopIteration, tf.errors.OutOfRangeError):
            raise  # the end of the data
        except BaseException as error:
            self._finish(_ending(error))
            raise

    def _read(self, data: Any) -> WatchedData | None:
        if data is None:
            return None
        gan, read = self._watched, None
        if data is self.data:
            read, self._counted = self._counted, None
        if read is None:
            read = read_data(data, gan.image_shape)
        return read.brought_to(gan.output_range)

    def _make_callbacks(
        self, run_log: RunLog, data: WatchedData | None
    ) -> tuple[list[keras.callbacks.Callback], RunState]:
        follower, seed = self.follower, self._watched.seed
        optimizers = None if follower is None else follower.optimizers
        policy = FailurePolicy(
            self.folder.path, run_log, self.on_failure, stream=sys.stderr
        )
        if data is None:
            metrics = TrainingMetrics(
                run_log,
                self.batch_size,
                self.monitoring.log_every,
                optimizers=optimizers,
            )
            run_state = RunState(run_log, {"training metrics": metrics})
            run_state.callbacks["failure policy"] = policy
            return [metrics, policy], run_state
        held_out = self._read(self.held_out)
        frozen = frozen_extractors(getattr(self._watched, "discriminator", None))
        watching = watching_callbacks(
            run_log,
            self.monitoring,
            data.stored.spec,
            self._probed(data),
            None if held_out is None else self._probed(held_out),
            reference=load_reference(self.monitoring, data.stored, frozen),
            batch_size=self.batch_size or data.batch_size,
            seed=seed,
            optimizers=optimizers,
            followed=follower is not None,
            probabilities=follower is not None and follower.ends_on_probabilities,
            beliefs=follower is not None and follower.logistic,
            attribution=data.stored.attribution,
        )
        run_state = watching["checkpoints"].run_state
        run_state.callbacks["failure policy"] = policy
        return [*watching.values(), policy], run_state

    def _probed(self, data: WatchedData) -> tuple[Any, Any]:
        if self._watched.num_classes is None:
            return data.samples, None
        if data.labels is None:
            raise UserError(
                "Expected images and labels of a conditional GAN's data. Received: "
                "images alone; give Monitor (images, labels)"
            )
        return data.samples, data.labels

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self._begins:
            self._begin(logs)
        if self.follower is not None:
            self.follower.begin_epoch()
            self._epoch_start = int(self._watched.step.numpy())
        self._call("on_epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        self._call("on_epoch_end", epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self._batch, self._logs = batch, None
        self._call("on_train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        if self._batch is None:
            return  # done when another callback saved the weights after this step
        self._batch = None
        if self.follower is not None:
            step = self._epoch_start + batch + 1
            logs = self.follower.observe(step, logs or {})
            if any(
                isinstance(callback, PeriodicCallback) and callback.is_due(step)
                for callback in self._callbacks
            ):
                self.follower.follow()
        self._call("on_train_batch_end", batch, logs)
        if self.follower is not None and self._watched.stop_training:
            self.model.stop_training = True

    def on_train_end(self, logs: Logs = None) -> None:
        if self._begins:
            self._begin(logs)  # of a run whose last epoch was in the backup
        if self.follower is not None:
            self.follower.follow()
        self._call("on_train_end", logs)
        self._finish(True)

    def _call(self, hook: str, *arguments: Any) -> None:
        """Calls every callback; where one raises, the report is written first."""
        self._calls = True
        try:
            for callback in self._callbacks:
                getattr(callback, hook)(*arguments)
            self._calls = False
        except BaseException as error:
            self._finish(_ending(error))
            raise

    def _finish(self, succeeded: bool | None) -> None:
        atexit.unregister(self._finish)
        self._backup.detach()
        if self._run_log is None:
            return
        self.model.train_function = self._train_function
        self._run_log.close(succeeded)
        self._run_log, self._run_state = None, None
        self._callbacks, self._calls = [], False
        with self._lock:
            if not self.folder.holds_run():
                return
            examined = report.examine(self.folder.path)
            page = report.write(examined, self.folder.path)
            LOGGER.info("%s %s", examined.verdict, page)


def _ending(error: BaseException) -> bool | None:
    """What an exception means to a run log: interrupted or failed."""
    return None if isinstance(error, KeyboardInterrupt) else False
