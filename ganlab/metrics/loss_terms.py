"""What would each usual loss be of a discriminator's answers?

A term is the mean of one side's answers under one loss. The loss of a discriminator is
a term of real answers plus one of fake answers, that of a generator a term of fake
ones, so that the loss of anybody's `train_step` is told by its value.
"""

from collections.abc import Callable

import numpy as np

CLIP = 1e-7  # of probabilities, as Keras does

Term = Callable[[np.ndarray], np.ndarray]


def _softplus(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.logaddexp(0.0, values))


def _probabilities(answers: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(answers, CLIP, 1.0 - CLIP))


def _squared_distance(target: float) -> Term:
    return lambda answers: np.square(answers - target)


TERMS: dict[str, dict[float, Term]] = {
    "logits": {  # cross-entropy of logits
        1.0: lambda answers: _softplus(-answers),
        0.0: lambda answers: _softplus(answers),
    },
    "probabilities": {  # cross-entropy of probabilities
        1.0: lambda answers: -np.log(_probabilities(answers)),
        0.0: lambda answers: -np.log1p(-_probabilities(answers)),
    },
    "squares": {target: _squared_distance(target) for target in (1.0, 0.0, -1.0)},
    "hinge": {
        1.0: lambda answers: np.maximum(1.0 - answers, 0.0),
        -1.0: lambda answers: np.maximum(1.0 + answers, 0.0),
    },
    "mean": {1.0: lambda answers: -answers, -1.0: lambda answers: answers},
}


def term_name(loss: str, target: float) -> str:
    """A term's name.

    >>> term_name("squares", -1.0)
    'squares_-1'

    Args:
        loss: A key of `TERMS`.
        target: Float: the target that the answers are drawn to.
    """
    return f"{loss}_{target:g}"


def loss_terms(answers: np.ndarray) -> dict[str, float]:
    """Every term of one side's answers, by name.

    >>> terms = loss_terms(np.array([0.5]))
    >>> terms["squares_1"], terms["hinge_-1"], terms["mean_1"]
    (0.25, 1.5, -0.5)

    Args:
        answers: Float array: what the discriminator ends on, of real or of fake images.
    """
    answers = np.asarray(answers, np.float64)
    return {
        term_name(loss, target): float(np.mean(term(answers)))
        for loss, terms in TERMS.items()
        for target, term in terms.items()
    }
