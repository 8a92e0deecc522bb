"""Runs that are written by hand, line by line."""

import json

import pytest
from PIL import Image

from ganlab.config.resolve import complete
from ganlab.config.settings import Monitoring, Recipe
from ganlab.runs import Run, RunFolder
from ganlab.watch.watcher import Watcher

HEALTHY = {"d_loss": 0.9, "g_loss": 1.2, "d_real": 0.7, "d_fake": 0.3}
COLLAPSED = HEALTHY | {
    "d_accuracy_real": 1.0,
    "d_accuracy_fake": 0.99,
    "d_fake": 0.001,
    "pairwise_ratio": 0.05,
}


class WrittenRun:
    """A run of 2,000 steps at `path`, of which nothing is there yet."""

    def __init__(self, path):
        self.path = path
        self.folder = RunFolder(path)

    def begin(self, **settings):
        """Writes the settings of the run."""
        recipe = complete(Recipe(steps=2000, **settings), 28, 1)
        self.path.mkdir(exist_ok=True)
        Run(self.folder, recipe, Monitoring(), 100, ()).save()

    def log(self, first, last, *, healthy=True):
        """Logs every 50th step, half a second each."""
        values = HEALTHY if healthy else COLLAPSED
        for step in range(first, last + 1, 50):
            self.append({"step": step, "seconds": step / 100, **values})

    def append(self, row):
        """Adds one line."""
        with self.folder.metrics.open("a") as file:
            file.write(json.dumps(row) + "\n")

    def picture(self, step):
        """Saves the samples of a step, grey that grows with it."""
        self.folder.samples.mkdir(exist_ok=True)
        Image.new("L", (40, 40), step // 10).save(self.folder.picture(step))


class Times:
    """A clock that is set by hand."""

    def __init__(self):
        self.seconds = 0.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def run(tmp_path):
    """A `WrittenRun` that is not there yet."""
    return WrittenRun(tmp_path / "run")


@pytest.fixture
def clock():
    """A clock that is set by hand."""
    return Times()


@pytest.fixture
def make_watcher(clock):
    """A function that makes a watcher by that clock."""

    def make(path, columns=None):
        return Watcher(path, columns, clock=clock, cost=clock)

    return make


@pytest.fixture
def look(clock):
    """A function that lets a watcher look, and gives its status and report."""

    def look_again(watcher, known=""):
        clock.seconds += 1000
        watcher.look()
        status = watcher.status(known)
        return status, json.loads(status["report"] or "null")

    return look_again
