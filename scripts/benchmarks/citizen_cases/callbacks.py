"""Every callback of Keras's."""

import contextlib
import csv
import functools
import http.server
import io
import json
import threading
from typing import Any

import keras
import numpy as np
from keras import callbacks

from citizen_cases.case import Group, new_path
from citizen_cases.parts import FIT, IMAGES, compiled, weights
from ganlab import GAN

group = Group("callbacks")
PER_EPOCH = {**FIT, "batch_size": 8}


def _rates(gan: GAN) -> list[float]:
    pair = gan.generator_optimizer, gan.discriminator_optimizer
    return [float(optimizer.learning_rate) for optimizer in pair]


@group.works("it stops in the first epoch")
def terminate_on_nan():
    """`TerminateOnNaN`, and a generator that diverges."""
    gan = compiled(optimizers=("sgd", "sgd"))
    first, *_ = gan.generator.trainable_variables
    first.assign(np.full(first.shape, np.nan))
    history = gan.fit(IMAGES, epochs=3, callbacks=[callbacks.TerminateOnNaN()], **FIT)
    return len(history.epoch) == 1


@group.works("both rates follow, each at its epoch")
def learning_rate_scheduler():
    """`LearningRateScheduler`."""
    gan = compiled()
    schedule = callbacks.LearningRateScheduler(lambda epoch: 0.25 / (epoch + 1))
    gan.fit(IMAGES, epochs=2, callbacks=[schedule], **FIT)
    return np.allclose(_rates(gan), 0.125)


@group.works("both rates fall")
def reduce_on_plateau():
    """`ReduceLROnPlateau` on a number that does not fall."""
    gan = compiled(optimizers=("sgd", "sgd"))
    plateau = callbacks.ReduceLROnPlateau(
        "d_loss", factor=0.5, patience=1, min_delta=1e9, mode="min"
    )
    gan.fit(IMAGES, epochs=3, callbacks=[plateau], **FIT)
    return max(_rates(gan)) < 0.01


def stopping(monitor: str, **options: Any) -> bool:
    gan = compiled()
    stop = callbacks.EarlyStopping(monitor, min_delta=1e9, mode="min", **options)
    return len(gan.fit(IMAGES, epochs=9, callbacks=[stop], **FIT).epoch) == 2


for watched in ("loss", "d_loss", "g_loss"):
    group.works(
        "it stops once the number has not fallen",
        f"early-stopping-{watched}",
        f"`EarlyStopping` on {watched}.",
    )(functools.partial(stopping, watched))


@group.works("it watches the validation, and stops")
def early_stopping_validation():
    """`EarlyStopping` with its default, `val_loss`, and validation data."""
    stop = callbacks.EarlyStopping(min_delta=1e9)
    options = {"validation_data": IMAGES, "callbacks": [stop], **FIT}
    return len(compiled().fit(IMAGES, epochs=9, **options).epoch) == 2


@group.works("the weights are the best epoch's")
def restore_best_weights():
    """`EarlyStopping(restore_best_weights=True)`."""
    gan = compiled()
    kept: list[Any] = []

    def keep(epoch: int, logs: Any) -> None:
        if epoch == 0:
            kept.extend(weights(gan))

    stop = callbacks.EarlyStopping(
        "d_loss", min_delta=1e9, mode="min", restore_best_weights=True
    )
    watch = callbacks.LambdaCallback(on_epoch_end=keep)
    gan.fit(IMAGES, epochs=4, callbacks=[watch, stop], **FIT)
    return all(
        np.array_equal(a, b)
        for one, other in zip(kept, weights(gan), strict=True)
        for a, b in zip(one, other, strict=True)
    )


@group.works("the file loads, and draws what the GAN draws")
def model_checkpoint():
    """`ModelCheckpoint` of the whole model."""
    gan, path = compiled(), new_path("gan-{epoch}.keras")
    gan.fit(IMAGES, epochs=2, callbacks=[callbacks.ModelCheckpoint(path)], **FIT)
    loaded = keras.saving.load_model(str(path).format(epoch=2))
    return np.array_equal(loaded.sample(3), gan.sample(3)) and loaded.step == 2


@group.works("the file is the epoch's whose number was least")
def model_checkpoint_best():
    """`ModelCheckpoint` of the weights of the best `loss`."""
    gan, path = compiled(), new_path("best.weights.h5")
    save = callbacks.ModelCheckpoint(
        path, monitor="loss", mode="max", save_best_only=True, save_weights_only=True
    )
    losses = gan.fit(IMAGES, epochs=3, callbacks=[save], **FIT).history["loss"]
    other = compiled()
    other.load_weights(path)
    return int(other.step) == int(np.argmax(losses)) + 1


@group.works("a second `fit` goes on at its epoch")
def backup_and_restore():
    """`BackupAndRestore` after an interruption."""
    folder = new_path("backup")

    class StopError(RuntimeError):
        pass

    def interrupt(epoch: int, logs: Any) -> None:
        if epoch == 1:
            raise StopError

    gan = compiled()
    backup = callbacks.BackupAndRestore(folder)
    stop = callbacks.LambdaCallback(on_epoch_end=interrupt)
    with contextlib.suppress(StopError):
        gan.fit(IMAGES, epochs=3, callbacks=[backup, stop], **FIT)
    again = compiled()
    backup = callbacks.BackupAndRestore(folder)
    history = again.fit(IMAGES, epochs=3, callbacks=[backup], **FIT)
    straight = compiled(again.generator, again.discriminator)
    return history.epoch[-1] == 2 and int(again.step) == 3 and straight.step == 0


@group.works("one row an epoch, with both losses")
def csv_logger():
    """`CSVLogger`."""
    path = new_path("log.csv")
    compiled().fit(IMAGES, epochs=2, callbacks=[callbacks.CSVLogger(path)], **FIT)
    rows = list(csv.DictReader(path.open()))
    return len(rows) == 2 and {"d_loss", "g_loss", "loss"} <= set(rows[0])


@group.works("event files are written, histograms of distinct weights too")
def tensorboard():
    """`TensorBoard` with histograms."""
    folder = new_path("logs")
    board = callbacks.TensorBoard(folder, histogram_freq=1, write_graph=True)
    compiled().fit(IMAGES, callbacks=[board], **FIT)
    return any(path.stat().st_size > 1000 for path in folder.rglob("events*"))


@group.works("each epoch's numbers arrive")
def remote_monitor():
    """`RemoteMonitor`, with a server."""
    received: list[Any] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            received.append(json.loads(self.rfile.read(size)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            """Prints nothing."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monitor = callbacks.RemoteMonitor(
            f"http://127.0.0.1:{server.server_port}", path="/", send_as_json=True
        )
        compiled().fit(IMAGES, epochs=2, callbacks=[monitor], **FIT)
        server.shutdown()
    return [entry["epoch"] for entry in received] == [0, 1] and "d_loss" in received[0]


@group.works("both networks are validated and saved with their averages")
def swap_ema_weights():
    """`SwapEMAWeights`, and both optimizers with `use_ema`."""
    pair = [keras.optimizers.SGD(0.5, use_ema=True, ema_momentum=0.9) for _ in "gd"]
    gan = compiled(optimizers=pair)
    seen: list[Any] = []
    swap = callbacks.SwapEMAWeights(swap_on_epoch=True)
    watch = callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: seen.extend(
            np.allclose(variable, average, atol=1e-6)
            for network, optimizer in zip(
                (gan.generator, gan.discriminator), pair, strict=True
            )
            for variable, average in zip(
                network.trainable_variables,
                optimizer._model_variables_moving_average,
                strict=True,
            )
        )
    )
    gan.fit(IMAGES, callbacks=[swap, watch], **FIT)
    return len(seen) == 4


@group.works("it sees each batch's running losses")
def lambda_callback():
    """`LambdaCallback` on batches."""
    seen: list[Any] = []
    watch = callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((batch, logs["d_loss"]))
    )
    compiled().fit(IMAGES, callbacks=[watch], **PER_EPOCH)
    return [batch for batch, _ in seen] == [0, 1] and np.isfinite(seen[0][1])


@group.works("it samples the model that it watches")
def own_callback():
    """A callback of one's own that draws images, as keras.io's `GANMonitor`."""
    drawn: list[Any] = []

    class Monitor(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            latents = keras.random.normal((3, self.model.latent_dim))
            drawn.append(self.model.generator(latents).shape)

    compiled().fit(IMAGES, epochs=2, callbacks=[Monitor()], **FIT)
    return drawn == [(3, 8, 8, 1)] * 2


@group.works("training stops at the end of the step")
def stop_training():
    """A callback that sets `model.stop_training`."""
    gan = compiled()

    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    history = gan.fit(IMAGES, epochs=5, callbacks=[Stop()], **PER_EPOCH)
    return len(history.epoch) == 1


@group.works("the bar shows both losses")
def progress_bar():
    """`ProgbarLogger`, by `verbose=1` and `verbose=2`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        gan = compiled()
        gan.fit(IMAGES, **{**FIT, "verbose": 1})
        gan.fit(IMAGES, **{**FIT, "verbose": 2})
    return printed.getvalue().count("d_loss") >= 2


@group.works("they are those of the history")
def history_object():
    """`History`, kept by the user."""
    kept = callbacks.History()
    history = compiled().fit(IMAGES, epochs=2, callbacks=[kept], **FIT)
    return history.history == kept.history and len(kept.history["g_loss"]) == 2
