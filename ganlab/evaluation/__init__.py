"""Scores of generated against real images, under a protocol that travels with them."""

from ganlab.evaluation.protocol import Protocol
from ganlab.evaluation.reference import (
    MAX_IMAGES,
    MIN_IMAGES,
    Reference,
    load_reference,
)
from ganlab.evaluation.scores import Evaluation, evaluate, evaluate_real

__all__ = [
    "MAX_IMAGES",
    "MIN_IMAGES",
    "Evaluation",
    "Protocol",
    "Reference",
    "evaluate",
    "evaluate_real",
    "load_reference",
]
