"""The cost of monitoring a run.

    python scripts/benchmarks/watching.py

Trains the default preset for 2,000 steps (a minute and a half on 2 cores) with
what `ganlab train` attaches, and times it from inside, since whole runs here
differ by more than monitoring costs: each callback's own time, the timing of the
data, and, by themselves, the gradient norms and running means of the step. Each
is given as a fraction of the training time. One JSON document on stdout.
"""

import json
import sys
import tempfile
import time

import keras
import tensorflow as tf

from ganlab import callbacks, load_data
from ganlab.callbacks.probe import PROBE_IMAGES
from ganlab.callbacks.probe_samples import MAX_SAMPLES
from ganlab.callbacks.watching import load_reference, watching_callbacks
from ganlab.config.presets import get_preset
from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring
from ganlab.data.wait_timer import WaitTimer
from ganlab.models.gan import GAN
from ganlab.training.build import build_gan

STEPS = 2000
REPEATS = 1000
HOOKS = (
    "on_epoch_begin",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_epoch_end",
)


def main() -> None:
    recipe = complete(get_preset("dcgan"), 28, 1).replace(conditional=True)
    monitoring = Monitoring()
    everything = load_data("fashion_mnist")
    data, held_out = everything.split()
    gan = build_gan(recipe, len(data.class_names))
    timer = WaitTimer()
    batches = data.batches(recipe.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        run_log = callbacks.RunLog(
            folder, settings=recipe.as_dict() | monitoring.as_dict()
        )
        reference = load_reference(monitoring, everything, ())
        attached = watching_callbacks(
            run_log,
            monitoring,
            data.spec,
            data.take(MAX_SAMPLES),
            held_out.take(PROBE_IMAGES),
            reference=reference,
            batch_size=recipe.batch_size,
            timer=timer,
        )
        spent = {name: time_hooks(callback) for name, callback in attached.items()}
        total = StepTimer()
        gan.fit(
            timer.watch(batches),
            steps_per_epoch=STEPS,
            shuffle=False,
            verbose=0,
            callbacks=[*attached.values(), total, Progress()],
        )
        run_log.close()
    step = total.seconds / (STEPS - 1)
    seconds = {name: sum(times) / STEPS for name, times in spent.items()}
    seconds["norms and means in the step"] = time_of_step_numbers(gan)
    timed, untimed = time_batches(timer.watch(batches)), time_batches(batches)
    seconds["timing of the data"] = max(timed - untimed, 0.0)
    unwatched = seconds["checkpoints"] + seconds["evaluation"]
    watching = sum(seconds.values()) - unwatched
    report = {
        "ms_per_step": 1000 * step,
        "fraction_of_time": {name: value / step for name, value in seconds.items()},
        "watching_fraction": watching / step,
    }
    json.dump(report, sys.stdout, indent=2)
    print()


def time_hooks(callback: keras.callbacks.Callback) -> list[float]:
    """Makes a callback note the seconds that its hooks take; returns the list."""
    times = []

    def timed(hook):
        def run(*arguments, **options):
            start = time.perf_counter()
            hook(*arguments, **options)
            times.append(time.perf_counter() - start)

        return run

    for name in HOOKS:
        setattr(callback, name, timed(getattr(callback, name)))
    return times


def time_of_step_numbers(gan: GAN) -> float:
    """Seconds of the numbers that a step computes for its log alone."""
    pair = (gan.discriminator, gan.generator)
    gradients = [
        [tf.Variable(tf.ones(v.shape)) for v in network.trainable_variables]
        for network in pair
    ]

    @tf.function
    def numbers():
        for _ in tf.range(REPEATS):
            norms = [tf.linalg.global_norm(tensors) for tensors in gradients]
            gan.update_metrics({name: norms[name[0] == "g"] for name in gan.trackers})

    numbers()
    start = time.perf_counter()
    numbers()
    return (time.perf_counter() - start) / REPEATS


def time_batches(dataset: tf.data.Dataset) -> float:
    """Seconds a batch, fetched in a graph as `fit` does."""
    dataset = dataset.take(REPEATS)

    @tf.function
    def drain():
        count = tf.constant(0)
        for _ in dataset:
            count += 1
        return count

    drain()
    start = time.perf_counter()
    drain()
    return (time.perf_counter() - start) / REPEATS


class StepTimer(keras.callbacks.Callback):
    """Times from the end of the first step, which compiles, to the last's."""

    def on_train_batch_end(self, batch, logs=None):
        if batch == 0:
            self.start = time.perf_counter()
        self.seconds = time.perf_counter() - self.start


class Progress(keras.callbacks.Callback):
    """Prints the step now and then."""

    def on_train_batch_end(self, batch, logs=None):
        if (batch + 1) % 500 == 0:
            print(f"step {batch + 1} of {STEPS}", file=sys.stderr)


if __name__ == "__main__":
    main()
