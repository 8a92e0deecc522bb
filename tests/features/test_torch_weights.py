"""PyTorch files are read without PyTorch, and hostile ones execute nothing."""

import pickle
import re
import struct
import zipfile

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.features.torch_weights import read_state_dict


@pytest.mark.e2e
@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_are_read_without_torch(tmp_path, zipped):
    import torch

    state = {
        "a.weight": torch.randn(4, 3, 2, 2),
        "a.count": torch.tensor(7),
        "view": torch.arange(10.0)[4:8].reshape(2, 2),
        "strided": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)[::2],
        "column": torch.arange(12.0).reshape(4, 3)[:, 1:2],
        "empty": torch.zeros(0, 3),
        "half": torch.ones(3, dtype=torch.float16),
        "parameter": torch.nn.Parameter(torch.zeros(2)),
    }
    path = tmp_path / "a.pth"
    torch.save(state, path, _use_new_zipfile_serialization=zipped)
    arrays = read_state_dict(path)
    assert arrays.keys() == state.keys()
    for name, tensor in state.items():
        np.testing.assert_array_equal(arrays[name], tensor.detach().numpy())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"torch\.save"):
        read_state_dict(path)


class Exploit:
    """What a hostile file holds."""

    def __reduce__(self):
        return (print, ("executed",))


def test_a_hostile_torch_file_executes_nothing(tmp_path, capsys):
    path = tmp_path / "a.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"x": Exploit()}, protocol=2))
    with pytest.raises(UserError, match="call of .*print, which is not executed"):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(Exploit()))
    with pytest.raises(UserError, match="not executed"):
        read_state_dict(path)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "content", [b"", b"PK", b"hello", b"\x80\x02.", b"\x80\x02}q."]
)
def test_a_broken_torch_file_is_one_line(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(UserError, match="Expected tensors that torch.save") as caught:
        read_state_dict(path)
    assert "\n" not in str(caught.value)


def refused(tmp_path, content):
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_state_dict(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", content)
    with pytest.raises(UserError):
        read_state_dict(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\x80\x04\x8d" + struct.pack("<Q", 2**60) + b"abc", "bytes"),
        (b"\x80\x04\x8b" + struct.pack("<i", 2**30) + b"abc", "not enough data"),
        (b"X" + struct.pack("<I", 2**32 - 1) + b"abc", "bytes"),
        # A tuple of itself twice, 60 times over: its hash takes 2^60 steps.
        (b")" + b"q\0h\0h\0\x86" * 60 + b"}h\0Ns.", "tuple in place of a name"),
        (b"]" * 110_000 + b".", "more than 100,000 opcodes"),
        (b"N" * 60_000 + b"(t" * 15_000 + b".", "no file of torch.save"),
        (b"}}\x85R.", "no name"),
        (b"0" * 9, "empty|opcode"),
        (b"I" + b"9" * 100_000 + b"\n.", "digits"),
    ],
    ids=[
        *("unicode8", "long4", "unicode", "nested hash", "many lists", "many marks"),
        *("call of a tuple", "pop", "digits"),
    ],
)
def test_what_would_take_memory_or_time_is_refused(tmp_path, content, reason):
    assert re.search(reason, refused(tmp_path, content))


@pytest.mark.parametrize("count", [2**38, 2**62, -1, 7])
def test_counts_are_no_more_than_there_is(tmp_path, count):
    import torch

    torch.save(
        {"a": torch.ones(3)}, tmp_path / "a", _use_new_zipfile_serialization=False
    )
    content = (tmp_path / "a").read_bytes()
    assert content.count(struct.pack("<q", 3)) == 1
    (tmp_path / "a").write_bytes(
        content.replace(struct.pack("<q", 3), struct.pack("<q", count))
    )
    with pytest.raises(UserError, match=r"a storage|storage 0|storage \d+ of"):
        read_state_dict(tmp_path / "a")


def test_compressed_tensors_are_refused(tmp_path):
    import torch

    torch.save({"a": torch.zeros(1 << 20)}, tmp_path / "a")
    with (
        zipfile.ZipFile(tmp_path / "a") as stored,
        zipfile.ZipFile(tmp_path / "b", "w", zipfile.ZIP_DEFLATED) as packed,
    ):
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    with pytest.raises(UserError, match="data/0 of more than"):
        read_state_dict(tmp_path / "b")


@pytest.mark.parametrize(
    ("size", "strides", "offset", "reason"),
    [
        ((2, 3), (0, 1), 0, "overlaps itself"),
        ((3, 3), (2, 1), 0, "overlaps itself"),
        ((1 << 40,), (0,), 0, "overlaps itself"),
        ((2, 3), (8, 2), 0, "past the end"),
        ((6,), (1,), 7, "past the end"),
        ((2, 2), (1 << 40, 1), 0, "past the end"),
        ((2, -1), (1, 1), 0, "a size that is none"),
        ((2, 3), (-3, 1), 5, "a size that is none"),
        ((2, 3), (3,), 0, "of shape .2, 3. and strides"),
        ((0, 1 << 40, 1 << 40), (1, 1, 1), 0, "array is too big|too large"),
    ],
    ids=[
        *("stride 0", "overlap", "expanded", "far", "offset", "very far"),
        *("negative size", "negative stride", "fewer strides", "empty and huge"),
    ],
)
def test_strides_stay_within_the_storage(tmp_path, size, strides, offset, reason):
    import torch
    from torch._utils import _rebuild_tensor_v2

    class Rebuilt:
        def __reduce__(self):
            storage = torch.arange(12.0).untyped_storage()
            typed = torch.storage.TypedStorage(
                wrap_storage=storage, dtype=torch.float32, _internal=True
            )
            arguments = (typed, offset, size, strides, False, {})
            return (_rebuild_tensor_v2, arguments)

    torch.save({"a": Rebuilt()}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=reason):
        read_state_dict(tmp_path / "a.pth")


def test_a_view_of_a_storage_takes_no_memory_of_its_own(tmp_path):
    import torch

    whole = torch.arange(6.0).reshape(2, 3)
    torch.save({"whole": whole, "turned": whole.T}, tmp_path / "a.pth")
    arrays = read_state_dict(tmp_path / "a.pth")
    np.testing.assert_array_equal(arrays["turned"], arrays["whole"].T)
    assert np.shares_memory(arrays["turned"], arrays["whole"])
    assert not arrays["turned"].flags.writeable
