"""Comparison of several subjects against the same real images."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganlab import metrics
from ganlab.artifacts import card
from ganlab.config import legacy
from ganlab.config.resolve import check_independent
from ganlab.data import kinds
from ganlab.data.decoding import MODES, WHITE
from ganlab.data.loading import load_data
from ganlab.errors import UserError, brief
from ganlab.evaluation.protocol import Protocol
from ganlab.evaluation.reference import (
    MAX_IMAGES,
    MIN_IMAGES,
    Reference,
    load_reference,
)
from ganlab.evaluation.scores import Evaluation, Progress, evaluate, evaluate_real
from ganlab.evaluation.subjects import Subject, load_subject
from ganlab.safety.bounded import read_json
from ganlab.text import printable


@dataclass(frozen=True)
class Comparison:
    """Subjects scored against the same real images.

    Args:
        reference: The `ganlab.evaluation.Reference`.
        real: `Evaluation` of one half of the real images against the other, or
            `None` of too few.
        subjects: A dict from each path, as given, to its `Evaluation`.
    """

    reference: Reference
    real: Evaluation | None
    subjects: dict[str, Evaluation]

    def as_dict(self) -> dict[str, Any]:
        """Subjects and real halves as JSON values; `read_scores` reads them."""
        return {
            "subjects": {
                name: evaluation.as_dict() for name, evaluation in self.subjects.items()
            },
            "real_halves": None if self.real is None else self.real.as_dict(),
        }


def compare(
    paths: Iterable[Path | str],
    *,
    data: str | None = None,
    features: str | None = None,
    num_images: int = MAX_IMAGES,
    seed: int = 0,
    checkpoint: str = "newest",
    progress: Progress | None = None,
) -> Comparison:
    """Evaluates subjects against the same real images, as many of each.

    Args:
        paths: Paths of subjects.
        data: A data SPEC, or `None` for that of the first generator's training.
        features: SPEC of an extractor, or `None` for the default.
        num_images: Integer: images on each side, at most.
        seed: Integer.
        checkpoint: `"newest"` or `"best"`, of runs.
        progress: `None`, or a function of `(name of the stage, done, in all)`.

    Returns:
        A `Comparison`.

    Raises:
        UserError: if a path holds no subject, or subjects do not compare.
    """
    report = progress or (lambda stage, done, count: None)
    subjects = {str(path): load_subject(path, checkpoint) for path in paths}
    for subject in subjects.values():
        check_independent(subject.frozen, features)
    reference = _load_reference(
        subjects, data, features, num_images, seed=seed, report=report
    )
    subjects = {
        name: subject.in_channels(reference.protocol.image_shape[-1])
        for name, subject in subjects.items()
    }
    _check_shapes(subjects, reference)
    evaluations = {}
    for name, subject in subjects.items():
        images, labels = subject.sample(
            reference.protocol.num_images, seed, reference.labels
        )
        generator = subject.generator
        if not kinds.of_shape(subject.image_shape).applies("path_length"):
            generator = None
        evaluations[name] = evaluate(
            reference,
            images,
            labels=labels,
            generate=None if generator is None else generator.generate,
            latent_dim=None if generator is None else generator.latent_dim,
            progress=_prefixed(report, Path(name).name),
        )
    real = None
    if len(reference.images) >= 2 * MIN_IMAGES:
        real = evaluate_real(reference, _prefixed(report, "real halves"))
    return Comparison(reference, real, evaluations)


def _load_reference(
    subjects: Mapping[str, Subject],
    data: str | None,
    features: str | None,
    num_images: int,
    *,
    seed: int,
    report: Progress,
) -> Reference:
    """The real images, no more than the smallest subject has.

    They are grey or in colour as the first generator's are, or else as they come.
    """
    trained_on = (subject.data for subject in subjects.values() if subject.data)
    data = data or next(trained_on, None)
    if data is None:
        raise UserError(
            "Expected --data, the real images to hold these against. Received: none; "
            "images do not say what they were trained on, and a card is not believed "
            "where it names files or a download"
        )
    counts = [
        subject.num_images
        for subject in subjects.values()
        if subject.num_images is not None
    ]
    if min(counts, default=MIN_IMAGES) < MIN_IMAGES:
        raise UserError(
            f"Expected {MIN_IMAGES} images or more. Received: {min(counts)}; "
            "sample more"
        )
    shape = next(iter(subjects.values())).image_shape
    first = next((s for s in subjects.values() if s.generator), None)
    channels = None if first is None else first.image_shape[-1]
    return load_reference(
        load_data(
            data,
            image_size=kinds.of_shape(shape).image_size(shape),
            channels=channels if channels in MODES else None,
            background=WHITE if first is None else first.background,
            progress=lambda done, count: report("decoding", done, count),
        ),
        features=features,
        excluded=frozenset().union(*(subject.frozen for subject in subjects.values())),
        num_images=min([num_images, *counts]),
        seed=seed,
        progress=lambda done, count: report("real features", done, count),
    )


def _check_shapes(subjects: Mapping[str, Subject], reference: Reference) -> None:
    protocol = reference.protocol
    for name, subject in subjects.items():
        if tuple(subject.image_shape) != protocol.image_shape:
            raise UserError(
                f"Expected images of shape {protocol.image_shape}, as those of "
                f"{protocol.data}. Received: {tuple(subject.image_shape)} from {name}; "
                "name other --data, or evaluate it alone"
            )


def _prefixed(report: Progress, name: str) -> Progress:
    return lambda stage, done, count: report(f"{name}: {stage}", done, count)


def read_scores(
    path: Path | str,
) -> dict[str, tuple[Protocol, dict[str, metrics.Score]]]:
    """Reads scores that `ganlab evaluate --json` printed.

    Args:
        path: A JSON file; names of older versions are read as today's.

    Returns:
        A dict from each subject to its `Protocol` and dict of `Score`s.

    Raises:
        UserError: if the file holds no scores.
    """
    try:
        subjects = read_json(Path(path))["subjects"]
        return {name: _read_subject(record) for name, record in subjects.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Expected scores from ganlab evaluate --json. Received: {path} ({error})"
        ) from error


def _read_subject(
    record: Mapping[str, Any],
) -> tuple[Protocol, dict[str, metrics.Score]]:
    scores = legacy.current_scores(record["scores"])
    for name, score in scores.items():
        for value in score.values():
            if not isinstance(value, float | int | None):
                raise TypeError(f"{name} of {brief(value)}")
    return Protocol.from_dict(record["protocol"]), {
        name: metrics.Score(**score) for name, score in scores.items()
    }


def check_cards(paths: Iterable[Path | str]) -> None:
    """Raises `UserError` unless every path is an artifact."""
    for path in paths:
        card.read_card(path)


def write_card(directory: Path | str, evaluation: Evaluation) -> None:
    """Puts an `Evaluation` on an artifact's card, under `metrics`."""
    contents = legacy.current_card(card.read_card(directory))
    contents["metrics"] = evaluation.as_dict()
    card.write_card(directory, contents)


def table(
    columns: Mapping[str, Mapping[str, metrics.Score]], extractor: str | None = None
) -> list[str]:
    """Scores side by side, as lines of text.

    Args:
        columns: A mapping from each name to its dict of `Score`s.
        extractor: Name of the extractor, which the scores' names show.
    """
    rows = [["", *map(printable, columns)]]
    for name in metrics.TITLES:
        if any(name in scores for scores in columns.values()):
            cells = (
                str(metrics.display_score(name, scores[name])) if name in scores else ""
                for scores in columns.values()
            )
            rows.append([metrics.display_name(name, extractor), *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return [line.rstrip() for line in lines]


def warn_of_few(comparison: Comparison) -> None:
    """Logs a warning where FID is far too high for want of images."""
    reference = comparison.reference
    count, dim = len(reference.images), reference.features.shape[1]
    if count <= dim:
        logging.getLogger("ganlab").warning(
            "%d images are no more than their %d features: FID is far too high; read "
            "KID, or add images",
            count,
            dim,
        )
