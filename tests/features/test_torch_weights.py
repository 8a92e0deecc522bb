"""PyTorch files are read without PyTorch, and hostile ones execute nothing."""

import pickle
import zipfile

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.features.torch_weights import read_state_dict


@pytest.mark.parametrize("zipped", [True, False])
def test_torch_files_are_read_without_torch(tmp_path, zipped):
    import torch

    state = {
        "a.weight": torch.randn(4, 3, 2, 2),
        "a.count": torch.tensor(7),
        "view": torch.arange(10.0)[4:8].reshape(2, 2),
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
