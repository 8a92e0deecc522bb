"""The protocol of scores: how they were taken, and what compares with them."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ganlab.errors import UserError

VERSION = 1  # of the scores' definitions
SPLITS = ("train", "test", "validation")


@dataclass(frozen=True)
class Protocol:
    """How scores were taken.

    Args:
        extractor: Name of the feature extractor.
        extractor_sha256: Hash of its weights, or `None`.
        resizer: How images became the extractor's input.
        data: The data SPEC of the real images.
        data_sha256: Hash of those real images, in the order used.
        split: One of `SPLITS`, or `all`: which part of the data they are.
        image_shape: Shape of one image.
        num_images: Integer: images on each side.
        seed: Integer: seeds latents, subsets and bootstrap.
        version: Integer: which definitions of the scores.
    """

    extractor: str
    extractor_sha256: str | None
    resizer: str
    data: str
    data_sha256: str
    split: str
    image_shape: tuple[int, ...]
    num_images: int
    seed: int
    version: int = VERSION

    @property
    def fingerprint(self) -> str:
        """SHA-256 of all fields but `data`, whose images are hashed themselves."""
        fields = {k: v for k, v in dataclasses.asdict(self).items() if k != "data"}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()

    def check_comparable(self, other: "Protocol") -> None:
        """Raises `UserError`, naming the fields, unless `other` measures the same."""
        if self.fingerprint == other.fingerprint:
            return
        own, others = dataclasses.asdict(self), dataclasses.asdict(other)
        differences = "; ".join(
            f"{key.replace('_', ' ')} {_short(own[key])} and {_short(others[key])}"
            for key in own
            if own[key] != others[key] and key != "data"
        )
        raise UserError(
            "Expected scores of one protocol, for others do not compare. Received: "
            f"{differences}; evaluate both alike"
        )

    def as_dict(self) -> dict[str, Any]:
        """Fields and fingerprint, as JSON values."""
        fields = dataclasses.asdict(self) | {"image_shape": list(self.image_shape)}
        return fields | {"fingerprint": self.fingerprint}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> "Protocol":
        """Reads what `as_dict` gave.

        Raises:
            UserError: if it is no protocol, or its fingerprint is another's.
        """
        try:
            fields = {k: v for k, v in record.items() if k != "fingerprint"}
            fields["image_shape"] = tuple(fields["image_shape"])
            protocol = cls(**fields)
        except (TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"Expected the protocol of scores. Received: {error}; write it with "
                "ganlab evaluate --json"
            ) from error
        if protocol.fingerprint != record.get("fingerprint"):
            raise UserError(
                f"Expected a protocol of fingerprint {protocol.fingerprint[:12]}. "
                f"Received: {str(record.get('fingerprint'))[:12]}; it was changed"
            )
        return protocol


def _short(value: object) -> object:
    return value[:12] if isinstance(value, str) and len(value) == 64 else value
