"""Pairs, domains and tasks: what belongs together stays together."""

import numpy as np
import pytest
from PIL import Image

from ganlab.data.loading import load_data
from ganlab.errors import UserError

COUNT = 360


def save(folder, name, shade, size=(8, 8)):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, shade).save(path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Pictures of which red is a number's low part, and green its high one.

    In `a` blue is 0, in `b` 255. Each 3 of a number are a family.
    """
    root = tmp_path_factory.mktemp("pairs")
    for folder, blue, suffix in (("a", 0, "png"), ("b", 255, "bmp")):
        for number in range(COUNT):
            name = f"{number // 3:03}/{number:03}.{suffix}"
            save(root / folder, name, (number % 100, number // 100, blue))
    return root


def numbers(images):
    return (images[:, 4, 4].astype(int) @ [1, 100, 0]).tolist()


@pytest.mark.e2e
@pytest.mark.parametrize("cache", ["memory", "disk", "stream"])
def test_pairs_belong_together_however_they_are_read(
    folders, cache, tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    spec = f"pairs:{folders}/a:{folders}/b:families"
    data = load_data(spec, image_size=16, cache=cache)
    assert data.paired
    assert data.images.shape == data.sources.images.shape == (COUNT, 16, 16, 3)
    assert numbers(data.images[:]) == numbers(data.sources.images[:])
    assert (data.images[5][..., 2] == 255).all()
    assert not data.sources.images[5][..., 2].any()

    train, held_out = data.split(0)
    assert len(train) + len(held_out) == COUNT
    held = {number // 3 for number in numbers(held_out.images[held_out.indices])}
    assert not held & {n // 3 for n in numbers(train.images[train.indices])}
    taken, of = (
        part.take(8)[0] * 127.5 + 127.5 for part in (held_out, held_out.sources)
    )
    assert numbers(taken.round()) == numbers(of.round())

    sources, images = next(iter(train.batches(32, seed=3, flip=True, start_step=11)))
    pixels = [np.round(127.5 * x + 127.5).astype(int) for x in (sources, images)]
    assert numbers(pixels[0]) == numbers(pixels[1])
    assert len(set(numbers(pixels[0]))) == 32


def test_a_flip_is_one_of_both(tmp_path):
    half = np.zeros((8, 8), np.uint8)
    half[:, 4:] = 255
    for number in range(32):
        for folder in "ab":
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(half).save(tmp_path / folder / f"{number}.png")
    data = load_data(f"pairs:{tmp_path}/a:{tmp_path}/b", image_size=16)
    sources, images = next(iter(data.batches(32, flip=True)))
    np.testing.assert_array_equal(sources, images)
    assert 0 < np.mean(images[:, 0, 0, 0] > 0) < 1


def test_domains_are_in_orders_of_their_own(folders):
    spec = f"domains:{folders}/a:{folders}/b:families"
    data = load_data(spec, image_size=16)
    assert not data.paired
    images = "360 colour images of 16 x 16 pixels"
    assert data.summary() == f"{spec}: {images}, no classes, 360 sources"
    train, held_out = data.split(0)
    assert len(held_out.sources) >= 30
    sources, images = next(train.batches(32).as_numpy_iterator())
    assert (images[..., 2] == 1).all()
    assert (sources[..., 2] == -1).all()
    pixels = [np.round(127.5 * x + 127.5).astype(int) for x in (sources, images)]
    assert numbers(pixels[0]) != numbers(pixels[1])


def test_what_does_not_match_is_left_out_and_said(folders, tmp_path):
    for name in ("000", "001", "002"):
        save(tmp_path / "c:d", f"{name}.png", (9, 9, 9))
    save(tmp_path / "e", "000.png", (8, 8, 8), (9, 9))
    save(tmp_path / "e", "001.png", (8, 8, 8), (8, 16))
    save(tmp_path / "e", "003.png", (8, 8, 8))
    data = load_data(f"pairs:{tmp_path}/c:d:{tmp_path}/e")
    assert len(data) == 1
    assert data.left_out == (
        "2 without counterpart (002, 003)",
        "1 image left out (1 of another ratio than its source: 001.png)",
    )


def test_mistakes_are_one_line(folders, tmp_path):
    save(tmp_path / "a", "x.png", (9, 9, 9))
    with pytest.raises(UserError, match=r"equal names.*Received: none, but x and 000/"):
        load_data(f"pairs:{tmp_path}/a:{folders}/b")
    with pytest.raises(UserError, match="two folders that exist. Received: pairs:x:y"):
        load_data("pairs:x:y")
    with pytest.raises(UserError, match="Expected two folders. Received: .*a twice"):
        load_data(f"domains:{tmp_path}/a:{tmp_path}/a")
    save(tmp_path / "a", "x.jpg", (9, 9, 9))
    with pytest.raises(UserError, match="one picture of each name.*x with two suff"):
        load_data(f"pairs:{tmp_path}/a:{folders}/b")
    spec = f"pairs:{folders}/a:{folders}/b"
    with pytest.raises(UserError, match="one set of images for task:grey.*has sources"):
        load_data(f"task:grey:{spec}")


def test_emoji_of_two_kinds_are_pairs(tmp_path):
    for name in ("google", "twitter"):
        save(tmp_path / name, "flags/1f1e6/1f1e6.png", (len(name),) * 3)
        (tmp_path / name / "ATTRIBUTION").write_text(f"drawn by {name}")
    data = load_data(f"emoji:google:twitter:{tmp_path}")
    assert data.sources.images[0, 0, 0].tolist() == [6, 6, 6]
    assert data.images[0, 0, 0].tolist() == [7, 7, 7]
    assert data.attribution == "drawn by google; drawn by twitter"
    assert data.families.tolist() == [0]
    with pytest.raises(UserError, match="two kinds.*write emoji:google:twitter"):
        load_data(f"emoji:google:google:{tmp_path}")
