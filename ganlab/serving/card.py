"""What does an artifact's card say, in words to show?

A card is a file of anybody: what is not as it should be is left out, and every text is
cut, and printable.
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from ganlab import metrics
from ganlab.artifacts.artifact import Artifact
from ganlab.metrics.resampling import format_number
from ganlab.text import shortened

MAX_TEXT = 300  # characters
MAX_ROWS = 50  # of a section
SMALL = 1e-3  # what is under it is written with an exponent
NOT_STATED = "not stated"

Row = tuple[str, str]


def describe_card(artifact: Artifact) -> dict[str, Any]:
    """Sections of a card: a title, rows of a name and a value, and a note each."""
    sections = {
        "Generator": (_generator(artifact), ""),
        "Scores": (_scores(artifact.card), _protocol(artifact.card)),
        "Certificate": (
            _certificate(artifact.card),
            "Largest difference from the Keras generator's images, which lie in "
            "[-1, 1]; of a format, from float32.",
        ),
        "Licence": (_licences(artifact), ""),
    }
    described = [
        {"title": title, "rows": list(islice(rows, MAX_ROWS)), "note": note}
        for title, (rows, note) in sections.items()
    ]
    return {"sections": [section for section in described if section["rows"]]}


def _generator(artifact: Artifact) -> Iterator[Row]:
    card = artifact.card
    training = _table(card, "training")
    shape = " x ".join(map(str, artifact.image_shape))
    yield "Samples", f"{shape}, {artifact.kind.name}"
    yield "Latents", f"{artifact.latent_dim:,}"
    if artifact.class_names:
        yield "Classes", _text(", ".join(artifact.class_names))
    for name, value in {
        "Weights": card.get("parameters"),
        "Trained on": training.get("data"),
        "Training images": training.get("num_images"),
        "Steps": training.get("step"),
        "Exported": card.get("created"),
        "By ganlab": card.get("ganlab"),
    }.items():
        if value is not None:
            yield name, _value(value)
    yield "File", f"{artifact.format}, SHA-256 {artifact.sha256}"


def _scores(card: Mapping[str, Any]) -> Iterator[Row]:
    scores = _table(_table(card, "metrics"), "scores")
    for key in metrics.TITLES:
        score = _score(key, scores.get(key))
        if score is not None:
            yield metrics.display_name(key, _extractor(card)), score


def _extractor(card: Mapping[str, Any]) -> str | None:
    protocol = _table(_table(card, "metrics"), "protocol")
    return _text(protocol["extractor"]) if "extractor" in protocol else None


def _protocol(card: Mapping[str, Any]) -> str:
    protocol = _table(_table(card, "metrics"), "protocol")
    parts = [
        f"{name} {_value(protocol[key])}"
        for key, name in {
            "data": "data",
            "num_images": "images",
            "extractor": "features",
            "seed": "seed",
            "fingerprint": "fingerprint",
        }.items()
        if protocol.get(key) is not None
    ]
    intervals = "Brackets: 95 % bootstrap intervals."
    return f"Protocol: {', '.join(parts)}. {intervals}" if parts else intervals


def _certificate(card: Mapping[str, Any]) -> Iterator[Row]:
    parity = _table(card, "parity")
    fid_name = metrics.display_name("fid", _extractor(card))
    for name, difference in _table(parity, "max_difference").items():
        yield _text(name), _value(difference)
    if "tolerance" in parity:
        yield "limit", _value(parity["tolerance"])
    for name, facts in _table(card, "formats").items():
        if not isinstance(facts, dict):
            continue
        parts = []
        if "bytes" in facts:
            parts.append(f"{_value(facts['bytes'])} bytes")
        if "max_difference" in facts:
            parts.append(f"difference {_value(facts['max_difference'])}")
        fid = _score("fid", facts.get("fid"))
        if fid is not None:
            parts.append(f"{fid_name} {fid}")
        yield _text(name), ", ".join(parts)


def _licences(artifact: Artifact) -> Iterator[Row]:
    yield "Weights", _value(artifact.card.get("license"))
    yield "Training data", _value(artifact.card.get("data_license"))
    if artifact.attribution:
        yield "Attribution", artifact.attribution


def _table(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = values.get(key)
    return value if isinstance(value, dict) else {}


def _score(key: str, score: Any) -> str | None:
    if not isinstance(score, dict):
        return None
    try:
        return str(metrics.display_score(key, score))
    except (TypeError, ValueError, AttributeError, OverflowError):
        return None


def _value(value: Any) -> str:
    if value is None:
        return NOT_STATED
    if type(value) is int:
        return _text(f"{value:,}")
    if type(value) is float:
        is_small = 0 < abs(value) < SMALL
        return f"{value:.1e}" if is_small else format_number(value)
    return _text(value)


def _text(value: Any) -> str:
    return shortened(value, MAX_TEXT)
