"""Which latents and classes does a request for samples ask for?

Images of a seed from any number on, images on the great circle between two of them, and
each of these moved along the generator's principal directions.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ganlab import sampling
from ganlab.errors import UserError, as_integer, brief
from ganlab.serving.models import TRUNCATED_NUMBERS, Model
from ganlab.serving.service import Inputs

NUM_IMAGES = 64  # by default, as of `ganlab sample`
DRAWN_NUMBERS = 1 << 20  # latents that are drawn to come to those asked for
MAX_SHIFT = 100.0
FIELDS = ("seed", "count", "label", "truncation", "first", "last", "shift")


@dataclass(frozen=True)
class Drawing:
    """What is to be drawn.

    Args:
        count: Images.
        seed: Of the latents.
        labels: Int32 array `(count,)`, or `None`.
        in_turn: Whether the images have each class in turn.
        inputs: Function that gives the latents, and the labels.
    """

    count: int
    seed: int
    labels: np.ndarray | None
    in_turn: bool
    inputs: Inputs


def read_drawing(model: Model, fields: Mapping[str, Any]) -> Drawing:
    """Reads what a request asks for.

    Args:
        model: The model.
        fields: Those of `FIELDS` that are stated; the rest have defaults.

    Raises:
        UserError: for what the model does not take.
    """
    count = integer("count", fields.get("count"), min(NUM_IMAGES, model.max_images))
    model.check_count(count)
    seed = integer("seed", fields.get("seed"), 0)
    first = _number(model, "first", fields.get("first")) or 0
    last = _number(model, "last", fields.get("last"))
    if last is not None and count < 2:
        raise UserError(
            f"Expected a count of 2 or more from first to last. Received: {count}"
        )
    drawn = max(first + count if last is None else first + 1, (last or 0) + 1)
    truncation = _truncation(model, fields.get("truncation"), drawn)
    shift = _shift(model, fields.get("shift"))
    label = fields.get("label")
    labels = _labels(model, label, first + count)
    if labels is not None:
        labels = labels[first:] if last is None else labels[[first] * count]
    dimension = model.artifact.latent_dim

    def inputs() -> tuple[np.ndarray, np.ndarray | None]:
        latents = sampling.draw_latents(drawn, dimension, seed, truncation)
        if last is None:
            latents = latents[first : first + count]
        else:
            ends = latents[[first]], latents[[last]]
            latents = sampling.interpolate_latents(*ends, count)[:, 0]
        return (latents if shift is None else latents + shift), labels

    in_turn = labels is not None and label is None and last is None
    return Drawing(count, seed, labels, in_turn, inputs)


def integer(name: str, value: Any, default: int) -> int:
    """An integer of 0 or more, in 64 bits; a default for `None`.

    Raises:
        UserError: for anything else.
    """
    if value is None:
        return default
    number = None if isinstance(value, bool) else as_integer(value)
    if number is None or not 0 <= number < 2**63:
        raise UserError(
            f"Expected a {name} of 0 or more, an integer under 2^63. Received: "
            f"{brief(value)}"
        )
    return number


def _number(model: Model, name: str, value: Any) -> int | None:
    """The number of an image of a seed, from 0."""
    if value is None:
        return None
    number = None if isinstance(value, bool) else as_integer(value)
    most = max(1, min(model.max_images, DRAWN_NUMBERS // model.artifact.latent_dim))
    if number is None or not 0 <= number < most:
        raise UserError(
            f"Expected {name}, the number of an image from 0 to {most - 1}. Received: "
            f"{brief(value)}"
        )
    return number


def _truncation(model: Model, value: Any, drawn: int) -> float | None:
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not 0.0 < value < math.inf:
        raise UserError(f"Expected a truncation above 0. Received: {brief(value)}")
    most = max(1, TRUNCATED_NUMBERS // model.artifact.latent_dim)
    if drawn > most:
        raise UserError(
            f"Expected at most {most} images a request with truncation. Received: "
            f"{drawn}"
        )
    return float(value)


def _shift(model: Model, value: Any) -> np.ndarray | None:
    """What is added to the latents: steps along the directions, times these."""
    if value is None:
        return None
    most = len(model.directions)
    steps = value if isinstance(value, list) else [math.nan]
    are_numbers = all(type(step) in (int, float) for step in steps)
    if (
        not are_numbers
        or len(steps) > most
        or not all(abs(step) <= MAX_SHIFT for step in steps)
    ):
        raise UserError(
            f"Expected a shift, at most {most} numbers from {-MAX_SHIFT:g} to "
            f"{MAX_SHIFT:g}, one for each principal direction. Received: {brief(value)}"
        )
    shift: np.ndarray = np.array(steps, np.float32) @ model.directions[: len(steps)]
    return shift


def _labels(model: Model, label: Any, count: int) -> np.ndarray | None:
    """A class for each image: the one that is named, or each in turn."""
    if label is None:
        return model.artifact.labels(count)
    if isinstance(label, bool) or not isinstance(label, (int, str)):
        raise UserError(
            f"Expected a label, a class's number or name. Received: {brief(label)}"
        )
    return model.artifact.labels(count, [model.artifact.label(label)] * count)
