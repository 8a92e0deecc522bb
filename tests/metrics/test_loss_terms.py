"""Terms are what Keras's and ganlab's own losses give."""

import keras
import numpy as np
import pytest

from ganlab.metrics import TERMS, loss_terms, term_name
from ganlab.objectives import losses

ANSWERS = np.array([[-2.5], [0.3], [0.7], [4.0]])


def test_cross_entropies_and_squares_are_those_of_keras():
    terms = loss_terms(ANSWERS)
    for name, loss in {
        "logits": keras.losses.BinaryCrossentropy(from_logits=True),
        "probabilities": keras.losses.BinaryCrossentropy(),
        "squares": keras.losses.MeanSquaredError(),
    }.items():
        for target in TERMS[name]:
            answers = np.clip(ANSWERS, 0, 1) if name == "probabilities" else ANSWERS
            expected = loss(np.full_like(answers, target), answers)
            if target >= 0 or name == "squares":
                assert terms[term_name(name, target)] == pytest.approx(
                    float(expected),
                    rel=0.02,  # which clips in float32
                )


@pytest.mark.parametrize(
    ("name", "loss"), [("hinge", "hinge"), ("mean", "wasserstein")]
)
def test_hinge_and_wasserstein_are_those_of_ganlab(name, loss):
    real, fake = loss_terms(ANSWERS), loss_terms(-2 * ANSWERS)
    expected = losses.get(loss).discriminator(ANSWERS, -2 * ANSWERS)
    value = real[f"{name}_1"] + fake[f"{name}_-1"]
    assert value == pytest.approx(float(expected), rel=1e-5)


def test_a_large_answer_does_not_overflow():
    assert loss_terms(np.array([1e4, -1e4]))["logits_1"] == pytest.approx(5e3)
