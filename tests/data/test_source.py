"""A path that is given for another is named, with the SPEC that reads it."""

import pytest

from ganlab.data.loading import load_data
from ganlab.data.source import existing_file, existing_folder, spec_of_path
from ganlab.errors import UserError


@pytest.fixture
def paths(tmp_path):
    """A folder, one with IDX files, an npz file and a csv file."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "train-images-idx3-ubyte.gz").touch()
    (tmp_path / "a.npz").touch()
    (tmp_path / "a.csv").touch()
    return tmp_path


def test_the_spec_that_reads_a_path(paths):
    assert spec_of_path(paths / "photos") == f"folder:{paths / 'photos'}"
    assert spec_of_path(paths / "mnist") == f"idx:{paths / 'mnist'}"
    assert spec_of_path(paths / "a.npz") == f"npz:{paths / 'a.npz'}"
    assert spec_of_path(paths / "a.csv") is None
    assert spec_of_path(paths / "nowhere") is None


def test_what_exists_is_returned(paths):
    assert existing_folder(str(paths / "photos")) == paths / "photos"
    assert existing_file(str(paths / "a.csv")) == paths / "a.csv"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("folder:{}/a.npz", "Expected a folder.*the file .*a.npz; write npz:.*a.npz"),
        ("idx:{}/a.npz", "Expected a folder.*write npz:"),
        ("npz:{}/photos", "Expected a file.*the folder .*; write folder:.*photos"),
        ("npz:{}/mnist", "write idx:.*mnist"),
        ("npz:{}/a.csv", "Expected a .npz file.*a.csv, which is damaged or of another"),
        ("folder:{}/a.csv", "Expected a folder that exists. Received: the file"),
        ("{}/photos", "Received: the path .*photos; write folder:.*photos"),
        ("{}/a.npz", "Received: the path .*a.npz; write npz:.*a.npz"),
        ("", "Unknown data"),
    ],
)
def test_a_path_of_another_kind_is_refused_with_its_spec(paths, spec, message):
    with pytest.raises(UserError, match=message) as caught:
        load_data(spec.format(paths))
    assert "\n" not in str(caught.value)


def test_what_is_no_string_is_refused(paths):
    for spec in (paths, [1.0], None):
        with pytest.raises(UserError, match=f"Received: {type(spec).__name__}"):
            load_data(spec)
