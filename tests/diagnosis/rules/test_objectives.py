"""Rules of what is minimised, read from the model or told by a loss's value."""

import dataclasses

import numpy as np
import pytest

from ganlab import metrics

RANDOM = np.random.default_rng(0)
LEAD = np.linspace(0.0, 3.0, 40)[:, None]
REAL, FAKE = (sign * LEAD + RANDOM.normal(size=(40, 32)) for sign in (1, -1))


def sigmoid(values):
    return 1.0 / (1.0 + np.exp(-values))


def answers_of(real, fake):
    """The series that the probe logs of both sides' answers."""
    series = {}
    for side, answers in (("real", real), ("fake", fake)):
        rows = [metrics.loss_terms(row) for row in answers]
        for name in rows[0]:
            series[f"answers/{side}/{name}"] = np.array([row[name] for row in rows])
    return series


def with_settings(log, **settings):
    return dataclasses.replace(log, settings=settings)


def test_logits_that_are_probabilities(make_log, find, names_of):
    find(make_log({"logit_lowest": 0.3, "logit_highest": 0.7}), "double_sigmoid")
    assert names_of(make_log({"logit_lowest": -0.3, "logit_highest": 0.7})) == []


def test_one_answer_to_all_is_no_probability(make_log, names_of):
    assert names_of(make_log({"logit_lowest": 0.3, "logit_highest": 0.3})) == []


@pytest.mark.parametrize(
    ("misread", "name"),
    [("probabilities", "double_sigmoid"), ("logits", "missing_sigmoid")],
)
def test_what_the_loss_takes_is_compared_with_what_it_is_given(
    make_log, find, misread, name
):
    log = make_log()
    find(dataclasses.replace(log, settings={"misread_answers": misread}), name)


@pytest.mark.parametrize(
    ("end", "loss", "named"),
    [
        (sigmoid, "mean", ["double_sigmoid"]),
        (np.tanh, "mean", ["double_sigmoid"]),
        (sigmoid, "logits", ["double_sigmoid"]),
        (sigmoid, "probabilities", []),
        (sigmoid, "squares", []),
    ],
    ids=["critic", "tanh", "logits", "cross-entropy", "squares"],
)
def test_a_loss_that_wants_other_answers_than_it_is_given(
    make_log, names_of, end, loss, named
):
    real, fake = end(REAL), end(FAKE)
    g_loss = np.array([metrics.TERMS[loss][1.0](row).mean() for row in fake])
    log = make_log(answers_of(real, fake) | {"g_loss": g_loss})
    bounded = [float(np.round(end(np.float64(x)))) for x in (-99.0, 99.0)]
    assert names_of(with_settings(log, loss="unknown", answer_range=bounded)) == named
    assert names_of(with_settings(log, loss="unknown")) == (
        ["missing_sigmoid"] if loss == "probabilities" else []
    )


@pytest.mark.parametrize(
    ("targets", "named"),
    [((0.0, 0.0), True), ((None, 0.0), True), ((1.0, 0.0), False)],
    ids=["same", "fakes", "both"],
)
def test_a_loss_that_is_smaller_than_any_that_parts(make_log, names_of, targets, named):
    decay = np.geomspace(0.5, 0.01, 40)[:, None]
    real, fake = (0.0, 0.0) if named else (1.0, 0.0)
    real, fake = (side + decay * RANDOM.normal(size=(40, 32)) for side in (real, fake))
    squares = metrics.TERMS["squares"]
    d_loss = sum(
        squares[target](side).mean(axis=1)
        for target, side in zip(targets, (real, fake), strict=True)
        if target is not None
    )
    changes = {"d_loss": d_loss, "g_loss": squares[1.0](fake).mean(axis=1)}
    log = make_log(answers_of(real, fake) | changes)
    log = with_settings(log, loss="unknown")
    assert ("undivided_objective" in names_of(log)) == named


def test_weights_that_the_other_network_moves(make_log, find, names_of):
    finding = find(make_log({"d_crossed_share": 0.5}), "crossed_steps")
    assert "generator's optimizer moves 50%" in finding.evidence[0]["says"]
    unmoved = {"d_crossed_share": 0.0, "g_crossed_share": 0.0}
    assert names_of(make_log(unmoved)) == []
