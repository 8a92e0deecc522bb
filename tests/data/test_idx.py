"""IDX files are read, and wild bytes refused."""

import contextlib
import gzip
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganlab.data.idx import read_idx
from ganlab.errors import UserError


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=64))
def test_wild_idx_bytes_never_crash(content):
    with contextlib.suppress(UserError):
        read_idx(io.BytesIO(content), "wild")


def test_a_file_by_hand():
    content = b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + bytes(range(6))
    expected = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.testing.assert_array_equal(read_idx(io.BytesIO(content), "a"), expected)
    np.testing.assert_array_equal(
        read_idx(io.BytesIO(gzip.compress(content)), "a"), expected
    )
    with pytest.raises(UserError, match="Received: floats"):
        read_idx(io.BytesIO(content.replace(b"\x08", b"\x0d", 1)), "floats")


@pytest.mark.parametrize("zipped", [True, False])
def test_no_more_is_unpacked_than_the_sizes_say(zipped):
    header = b"\0\0\x08\x03" + struct.pack(">III", 3000, 1000, 1000)
    content = header + bytes(1 << 20)
    if zipped:
        content = gzip.compress(content)
    with pytest.raises(UserError, match=r"a \(.* bytes that unpack to 3,000,000,000\)"):
        read_idx(io.BytesIO(content), "a")


@pytest.mark.parametrize(("change", "word"), [(-1, "fewer"), (1, "more")])
def test_sizes_and_bytes_that_differ_are_refused(change, word):
    content = b"\0\0\x08\x01" + struct.pack(">I", 10) + bytes(10 + change)
    with pytest.raises(UserError, match=rf"{word} bytes than the 10 of its sizes"):
        read_idx(io.BytesIO(gzip.compress(content)), "a")
