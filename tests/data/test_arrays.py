"""npz files as other tools write them, and labels in every form."""

import io
import zipfile

import numpy as np
import pytest

from ganlab.data.arrays import from_arrays
from ganlab.data.loading import load_data
from ganlab.errors import UserError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 8, 8), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def load(tmp_path, **arrays):
    np.savez(tmp_path / "a.npz", **arrays)
    return load_data(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("images", "labels"),
        ("x_train", "y_train"),
        ("train_images", "train_labels"),
    ],
)
def test_names_of_other_tools(tmp_path, images, labels):
    loaded = load(tmp_path, **{images: IMAGES, labels: LABELS[:, None]})
    np.testing.assert_array_equal(loaded.images[..., 0], IMAGES)
    assert loaded.labels.tolist() == LABELS.tolist()


def test_what_needs_no_decoding_is_not_copied(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise AssertionError("decoded")

    monkeypatch.setattr("ganlab.data.filling.decode", fail)
    loaded = load(tmp_path, images=IMAGES, labels=LABELS)
    np.testing.assert_array_equal(loaded.images[..., 0], IMAGES)
    with pytest.raises(UserError, match="can be read"):
        load_data(f"npz:{tmp_path / 'a.npz'}", channels=3)


def test_the_only_array_is_the_images(tmp_path):
    np.savez(tmp_path / "a.npz", IMAGES)
    loaded = load_data(f"npz:{tmp_path / 'a.npz'}")
    np.testing.assert_array_equal(loaded.images[..., 0], IMAGES)
    np.savez(tmp_path / "a.npz", IMAGES, LABELS)
    with pytest.raises(UserError, match=r"named images.*arr_0, arr_1"):
        load_data(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.parametrize("name", ["images.npy", "images.npz"])
def test_a_npy_file_is_refused_by_its_content(tmp_path, name):
    with (tmp_path / name).open("wb") as file:
        np.save(file, IMAGES)
    with pytest.raises(UserError, match=r"a .npy file of one array; save it") as caught:
        load_data(f"npz:{tmp_path / name}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.98])
def test_a_truncated_file_is_refused(tmp_path, keep):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=IMAGES)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(UserError, match=r"a.npz, which is damaged"):
        load_data(f"npz:{path}")


def test_a_damaged_member_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=IMAGES)
    content = bytearray(path.read_bytes())
    content[120:160] = b"\xff" * 40
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"plain arrays.*a.npz, which is damaged"):
        load_data(f"npz:{path}")


def test_class_names_are_decoded(tmp_path):
    names = np.array([b"cat", b"dog", b"cow"])
    assert load(
        tmp_path, images=IMAGES, labels=LABELS, class_names=names
    ).class_names == ("cat", "dog", "cow")
    one = load(tmp_path, images=IMAGES, labels=LABELS * 0, class_names=np.array("cat"))
    assert one.class_names == ("cat",)


@pytest.mark.parametrize("dtype", ["U3", "S3"])
def test_labels_of_strings_are_classes(tmp_path, dtype):
    labels = np.array(["dog", "cat", "dog", "cat", "hen", "cat"], dtype)
    loaded = load(tmp_path, images=IMAGES, labels=labels)
    assert loaded.class_names == ("cat", "dog", "hen")
    assert loaded.labels.tolist() == [1, 0, 1, 0, 2, 0]


def test_labels_from_1_have_no_empty_class():
    source = from_arrays(IMAGES, LABELS + 1, (), "x")
    assert source.class_names == ("1", "2", "3")
    assert source.labels.tolist() == LABELS.tolist()
    assert source.left_out == ("no label is 0, so 1 is the first class",)
    named = from_arrays(IMAGES, LABELS + 1, tuple("abcd"), "x")
    assert named.labels.tolist() == (LABELS + 1).tolist()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS + 2, "from 0 on.*2 to 4"),
        (np.where(LABELS == 0, 2**32 + 1, LABELS), "0 on.*1 to 4294967297"),
        (LABELS - 1, "0 or more. Received: -1"),
        (np.eye(3)[LABELS], r"integer labels.*float64 of shape \(6, 3\)"),
        (LABELS * 1.0, "integer labels.*float64"),
    ],
)
def test_labels_that_are_none_are_refused(labels, message):
    with pytest.raises(UserError, match=message):
        from_arrays(IMAGES, labels, (), "x")


@pytest.mark.parametrize("shape", [(0, 8, 8), (1 << 20, 0, 1 << 17)], ids=str)
def test_images_of_no_pixels_are_refused(shape):
    with pytest.raises(UserError, match="1 pixel or more"):
        from_arrays(np.zeros(shape, np.uint8), None, (), "x")


def test_one_image_is_not_read_as_many_grey_ones():
    with pytest.raises(UserError, match=r"\(8, 8, 3\).*one image in colour"):
        from_arrays(np.zeros((8, 8, 3), np.uint8), None, (), "x")


def members(path, compression=zipfile.ZIP_DEFLATED, **contents):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in contents.items():
            archive.writestr(f"{name}.npy", content)


def npy(array, shape=None):
    """The bytes of a `.npy` file, which may claim another shape."""
    file = io.BytesIO()
    np.save(file, array)
    claim = str(array.shape if shape is None else shape).encode()
    return file.getvalue().replace(str(array.shape).encode(), claim)


@pytest.mark.parametrize(
    "shape", [(3_000_000, 1000, 1000), (2**62, 8, 8), (-6, 8, 8), (7, 8, 8)]
)
def test_a_size_that_is_only_claimed_is_refused(tmp_path, shape):
    members(tmp_path / "a.npz", images=npy(IMAGES, shape))
    with pytest.raises(UserError, match="a.npz, which is damaged"):
        load_data(f"npz:{tmp_path / 'a.npz'}")


@pytest.mark.e2e
def test_what_unpacks_to_much_more_is_refused_and_what_is_not_used_is_not_read(
    tmp_path,
):
    large = npy(np.zeros((80, 1000, 1000), np.uint8))
    members(tmp_path / "a.npz", images=large)
    with pytest.raises(UserError, match="bytes that unpack to 80,000,128"):
        load_data(f"npz:{tmp_path / 'a.npz'}")
    members(tmp_path / "a.npz", images=npy(IMAGES), unused=large)
    assert len(load_data(f"npz:{tmp_path / 'a.npz'}")) == len(IMAGES)


def test_objects_and_other_compressions_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, images=np.array([{}], object))
    with pytest.raises(UserError, match="images of Python objects"):
        load_data(f"npz:{path}")
    for compression in (zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        members(path, compression, images=npy(IMAGES))
        with pytest.raises(UserError, match="otherwise than by deflate"):
            load_data(f"npz:{path}")
    members(path, images=npy(IMAGES))
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\1\2") + 8] |= 1  # says that it is encrypted
    path.write_bytes(content)
    with pytest.raises(UserError, match="encrypted"):
        load_data(f"npz:{path}")
