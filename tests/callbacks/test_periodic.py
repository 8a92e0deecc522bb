"""Callbacks run every so many steps, within their budget."""

import numpy as np
import pytest

from ganlab.callbacks.periodic import (
    BudgetedCallback,
    PeriodicCallback,
    PictureCallback,
)
from ganlab.runs import RunFolder


class Steps(PeriodicCallback):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.steps = []

    def run(self, step):
        self.steps.append(step)

    def on_train_end(self, logs=None):
        self.run_at_end()


class BudgetedSteps(Steps, BudgetedCallback):
    pass


@pytest.mark.e2e
def test_steps_are_counted_over_epochs_and_runs(make_gan, fit):
    gan, callback = make_gan(), Steps(3)
    fit(gan, [callback])
    assert callback.steps == [3, 6, 9, 10]
    fit(gan, [callback], epochs=1)
    assert callback.steps[4:] == [12, 15]


def test_nothing_runs_at_the_end_of_no_training():
    callback = Steps(3)
    callback.run_at_end()
    assert callback.steps == []


@pytest.mark.e2e
def test_a_budget_is_kept_by_the_clock(make_gan, fit):
    now = [0.0]

    class Slow(BudgetedSteps):
        def on_train_batch_begin(self, batch, logs=None):
            now[0] += 1.0  # a step of training

        def run(self, step):
            super().run(step)
            now[0] += 1.0

    callback = Slow(1, 0.25, lambda: now[0])
    fit(make_gan(), [callback], epochs=4)
    # After n calls of 1 s, the next waits until it would end at 4 (n + 1) s.
    assert callback.steps == [1, 6, 9, 12, 15, 18, 20]
    assert callback.seconds == len(callback.steps)


@pytest.mark.e2e
def test_pictures_come_before_the_first_step_and_after_the_last(
    make_gan, fit, run_log, read_events, tmp_path
):
    class Grey(PictureCallback):
        def run(self, step):
            pixels = np.full((4, 4, 1), step, np.uint8)
            self.save_picture(step, "grey", pixels)

    fit(make_gan(), [Grey(tmp_path, every=4, run_log=run_log)], epochs=1)
    run_log.close()
    assert list(RunFolder(tmp_path).pictures()) == [0, 4, 5]
    events = read_events(tmp_path).Tensors("grey")
    assert [event.step for event in events] == [0, 4, 5]


def test_the_base_class_does_nothing():
    with pytest.raises(NotImplementedError):
        PeriodicCallback(1).run(1)
