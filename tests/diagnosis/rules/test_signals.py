"""One signal past its threshold, in general and of either network."""

import numpy as np

from ganlab.diagnosis import Log, Series
from ganlab.diagnosis.evidence import Bound
from ganlab.diagnosis.rules.signals import observe_networks, observe_signal

CHANGES = {"generator": {"a": 1}, "discriminator": {"b": 2}}


def log_of(last_step=400, **values):
    steps = np.linspace(0, last_step, 8).astype(int)
    series = {name: Series(steps, np.full(8, value)) for name, value in values.items()}
    return Log("run", series)


def test_a_signal_counts_once_the_warm_up_is_over():
    bound = Bound("gap", 0.3)
    observation = observe_signal(log_of(gap=0.5), bound, "it is {:.1f}")
    assert observation.evidence[0]["says"] == "it is 0.5"
    assert observation.held == (0, 1.0)
    assert observe_signal(log_of(gap=0.2), bound, "{}") is None
    assert observe_signal(log_of(last_step=100, gap=0.5), bound, "{}") is None


def test_the_generator_comes_first():
    bound = Bound("{network}_gap", 0.3)
    both = log_of(g_gap=0.5, d_gap=0.9)
    observation = observe_networks(both, bound, "{:.1f} of the {}", CHANGES)
    assert observation.evidence[0]["says"] == "0.5 of the generator"
    assert observation.changes == {"a": 1}
    alone = observe_networks(log_of(d_gap=0.9), bound, "{:.1f} of the {}", CHANGES)
    assert alone.evidence[0]["signal"] == "d_gap"
    assert alone.changes == {"b": 2}
