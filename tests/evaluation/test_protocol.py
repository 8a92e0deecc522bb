"""A protocol says what differs, and cannot be forged."""

import dataclasses
import json

import pytest

from ganlab.errors import UserError
from ganlab.evaluation.protocol import Protocol


def test_a_protocol_says_what_differs(reference):
    protocol = reference.protocol
    protocol.check_comparable(dataclasses.replace(protocol, data="elsewhere"))
    for change, message in (
        ({"num_images": 500}, "num images 1000 and 500"),
        ({"seed": 7}, "seed 0 and 7"),
        ({"extractor": "pixels"}, "extractor fashion_mnist and pixels"),
        ({"split": "test"}, "split all and test"),
        ({"resizer": "bicubic"}, "resizer none and bicubic"),
        ({"data_sha256": "0" * 64}, f"{protocol.data_sha256[:12]} and 000000000000"),
    ):
        other = dataclasses.replace(protocol, **change)
        assert other.fingerprint != protocol.fingerprint
        with pytest.raises(UserError, match=message) as caught:
            protocol.check_comparable(other)
        assert str(caught.value).count(" and ") == 1


def test_a_protocol_round_trips_and_is_not_forged(reference):
    about = reference.protocol.as_dict()
    assert Protocol.from_dict(json.loads(json.dumps(about))) == reference.protocol
    with pytest.raises(UserError, match="it was changed"):
        Protocol.from_dict(about | {"num_images": 50_000})
    with pytest.raises(UserError, match="Expected the protocol"):
        Protocol.from_dict({"seed": 0})
