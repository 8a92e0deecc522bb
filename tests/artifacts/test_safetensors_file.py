"""Weights as safetensors: what the library of the format reads."""

import numpy as np
import pytest

from ganlab.artifacts.safetensors_file import DTYPES, write_safetensors


def test_the_library_reads_what_is_written(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy")
    random = np.random.default_rng(0)
    arrays = {
        name: random.integers(0, 2, (3, 2)).astype(name)
        for name in DTYPES
        if name != "bfloat16"  # which NumPy does not have
    }
    arrays["turned"] = np.arange(6, dtype=np.float32).reshape(2, 3).T
    arrays["big"] = np.arange(3, dtype=">f4")
    arrays["scalar"] = np.float32(3.5)
    arrays["empty"] = np.zeros((0, 4), np.float32)
    path = tmp_path / "weights.safetensors"
    write_safetensors(path, arrays)
    loaded = safetensors.load_file(path)
    assert set(loaded) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(loaded[name], array)
        assert loaded[name].shape == array.shape
    assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0


def test_a_type_that_the_format_lacks_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no type of safetensors for complex64 of w"):
        write_safetensors(tmp_path / "w", {"w": np.zeros(2, np.complex64)})
