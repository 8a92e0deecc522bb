"""IDX files are read, and wild bytes refused."""

import contextlib
import gzip

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
        read_idx(content, "wild")


def test_a_file_by_hand():
    content = b"\0\0\x08\x02" + b"\0\0\0\x02" + b"\0\0\0\x03" + bytes(range(6))
    expected = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.testing.assert_array_equal(read_idx(content, "a"), expected)
    np.testing.assert_array_equal(read_idx(gzip.compress(content), "a"), expected)
    with pytest.raises(UserError, match="Received: floats"):
        read_idx(content.replace(b"\x08", b"\x0d", 1), "floats")
