"""Displayed names of scores, and whether more of each is better."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ganlab.metrics.resampling import Score

KID_SCALE = 1000


@dataclass(frozen=True)
class Title:
    """How a score is displayed.

    Args:
        name: The field's name of the score.
        higher_is_better: Whether more of it is better.
        names_extractor: Whether its value means nothing without the extractor.
        unit: What follows the name.
    """

    name: str
    higher_is_better: bool = field(kw_only=True)
    names_extractor: bool = field(default=False, kw_only=True)
    unit: str = field(default="", kw_only=True)


TITLES = {  # in the order of every table and chart
    "fid": Title("FID", higher_is_better=False, names_extractor=True),
    "fid_infinity": Title("FID∞", higher_is_better=False, names_extractor=True),
    "kid": Title("KID", higher_is_better=False, names_extractor=True, unit=" x 1000"),
    "precision": Title("precision", higher_is_better=True),
    "recall": Title("recall", higher_is_better=True),
    "density": Title("density", higher_is_better=True),
    "coverage": Title("coverage", higher_is_better=True),
    "ndb": Title("NDB", higher_is_better=False),
    "duplicate_share": Title("duplicates", higher_is_better=False),
    "copied_share": Title("copies of real images", higher_is_better=False),
    "class_diversity": Title("diversity within classes", higher_is_better=True),
    "inception_score": Title(
        "Inception score", higher_is_better=True, names_extractor=True
    ),
    "label_accuracy": Title("label accuracy", higher_is_better=True),
    "path_length": Title("path length", higher_is_better=False),
}


def display_name(score: str, extractor: str | None = None) -> str:
    """The displayed name of a score, with the extractor where the field states it.

    >>> display_name("fid", "fashion_mnist"), display_name("kid", "inception")
    ('FID[fashion_mnist]', 'KID[inception] x 1000')
    >>> display_name("recall", "inception"), display_name("fid")
    ('recall', 'FID')

    Args:
        score: A key of `TITLES`.
        extractor: Name of the extractor, or `None` where it is not known.
    """
    title = TITLES[score]
    bracket = f"[{extractor}]" if extractor and title.names_extractor else ""
    return f"{title.name}{bracket}{title.unit}"


def display_score(name: str, score: Score | Mapping[str, float]) -> Score:
    """The score in its displayed unit: KID is multiplied by 1000.

    Args:
        name: A key of `TITLES`.
        score: A `Score`, or its fields as a mapping.
    """
    if isinstance(score, Mapping):
        score = Score(**score)
    return score.scaled(KID_SCALE) if name == "kid" else score
