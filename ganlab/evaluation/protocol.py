"""How were these scores taken, and may they stand side by side?"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

from ganlab.errors import UserError

VERSION = 1  # of what the scores mean


@dataclass(frozen=True)
class Protocol:
    """How scores were taken.

    Args:
        extractor: Name of what made the features.
        extractor_sha256: Hash of its weights, or `None`.
        resizer: How images became what it takes.
        data: The data SPEC of the real images.
        data_sha256: Hash of those real images, in the order used.
        split: `train`, `test` or `all`: which part of the data they are.
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
    def fingerprint(self):
        """SHA-256 of all fields but `data`, whose images are hashed themselves."""
        about = {k: v for k, v in dataclasses.asdict(self).items() if k != "data"}
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def check_comparable(self, other):
        """Raises `UserError`, naming the fields, unless `other` measures the same."""
        if self.fingerprint == other.fingerprint:
            return
        ours, theirs = dataclasses.asdict(self), dataclasses.asdict(other)
        differing = [key for key in ours if ours[key] != theirs[key] and key != "data"]
        said = "; ".join(
            f"{key.replace('_', ' ')} {_short(ours[key])} and {_short(theirs[key])}"
            for key in differing
        )
        raise UserError(
            "Expected scores of one protocol, for others do not compare. Received: "
            f"{said}; evaluate both alike"
        )

    def as_dict(self):
        """Fields and fingerprint, as JSON values."""
        return json.loads(
            json.dumps(dataclasses.asdict(self) | {"fingerprint": self.fingerprint})
        )

    @classmethod
    def from_dict(cls, found):
        """Reads what `as_dict` gave.

        Raises:
            UserError: if it is no protocol, or its fingerprint is another's.
        """
        try:
            known = {key: value for key, value in found.items() if key != "fingerprint"}
            protocol = cls(**known | {"image_shape": tuple(known["image_shape"])})
        except (TypeError, KeyError, AttributeError) as error:
            raise UserError(
                f"Expected the protocol of scores. Received: {error}; write it with "
                "ganlab evaluate --json"
            ) from error
        if protocol.fingerprint != found.get("fingerprint"):
            raise UserError(
                f"Expected a protocol of fingerprint {protocol.fingerprint[:12]}. "
                f"Received: {str(found.get('fingerprint'))[:12]}; it was changed"
            )
        return protocol


def _short(value):
    return value[:12] if isinstance(value, str) and len(value) == 64 else value
