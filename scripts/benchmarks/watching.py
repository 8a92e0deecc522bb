"""What does watching cost?

    python scripts/benchmarks/watching.py

Trains the default preset in alternating stretches of 500 steps, bare and with
what `ganlab train` attaches: numbers to TensorBoard and metrics.jsonl, sample
grids, and, apart, checkpoints. Prints the median time of a step and the ratio
to bare; about 6 minutes on 2 cores. One JSON document on stdout.
"""

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

import keras

from ganlab import callbacks, load_data
from ganlab.config import get_preset
from ganlab.data import WaitTimer
from ganlab.train import build_gan

STEPS = 500
ROUNDS = 7


def main():
    config = get_preset("dcgan").at_image_size(28, 1)
    data = load_data("fashion_mnist")
    gan = build_gan(config, len(data.class_names))
    timer = WaitTimer()
    batches = data.batches(config.batch_size)
    with tempfile.TemporaryDirectory() as folder:
        run_log = callbacks.RunLog(folder, settings=config.as_dict())
        watching = [
            callbacks.Watch(run_log, config.batch_size, config.log_every, timer),
            callbacks.SampleGrids(
                Path(folder) / "samples", config.sample_every, run_log=run_log
            ),
        ]
        saving = callbacks.Checkpoints(
            Path(folder) / "checkpoints",
            data.images[:1000],
            data.labels[:1000],
            every=config.checkpoint_every,
            run_log=run_log,
        )
        ways = {
            "bare": (batches, []),
            "watched": (timer.watch(batches), watching),
            "watched and saved": (timer.watch(batches), [*watching, saving]),
        }
        seconds = {name: [] for name in ways}
        for turn in range(ROUNDS):
            for name, (dataset, attached) in ways.items():
                seconds[name].append(time_fit(gan, dataset, attached))
                print(
                    f"round {turn + 1}: {name} {seconds[name][-1]:.2f} s",
                    file=sys.stderr,
                )
        run_log.close()
    # The first round also compiles the step.
    medians = {name: statistics.median(times[1:]) for name, times in seconds.items()}
    report = {
        name: {
            "ms_per_step": round(1000 * median / STEPS, 2),
            "ratio_to_bare": round(median / medians["bare"], 4),
        }
        for name, median in medians.items()
    }
    json.dump(report, sys.stdout, indent=2)
    print()


class StepTimer(keras.callbacks.Callback):
    """Times from the end of the first step to the end of the last."""

    def on_train_batch_end(self, batch, logs=None):
        self.end = time.perf_counter()
        if batch == 0:
            self.start = self.end


def time_fit(gan, dataset, attached):
    timer = StepTimer()
    gan.fit(
        dataset,
        steps_per_epoch=STEPS + 1,
        shuffle=False,
        verbose=0,
        callbacks=[*attached, timer],
    )
    return timer.end - timer.start


if __name__ == "__main__":
    main()
