"""Are seeds, grids and files what they say?"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganlab import pictures, sampling
from ganlab.errors import UserError


@given(seed=st.integers(0, 2**40), count=st.integers(1, 20), more=st.integers(0, 20))
@settings(deadline=None)
def test_a_longer_draw_begins_with_a_shorter_one(seed, count, more):
    few = sampling.draw_latents(count, 8, seed)
    many = sampling.draw_latents(count + more, 8, seed)
    np.testing.assert_array_equal(few, many[:count])
    assert few.dtype == np.float32


def test_latents_are_standard_normal_and_truncation_cuts_them():
    plain = sampling.draw_latents(2000, 16, seed=3)
    assert plain.mean() == pytest.approx(0.0, abs=0.02)
    assert plain.std() == pytest.approx(1.0, abs=0.02)
    cut = sampling.draw_latents(2000, 16, seed=3, truncation=1.0)
    assert np.abs(cut).max() <= 1.0
    # The variance of N(0, 1) cut at 1 is 1 - 2 phi(1) / (2 Phi(1) - 1) = 0.2911.
    assert cut.var() == pytest.approx(0.2911, abs=0.01)
    order = np.argsort(plain[:, 0])
    assert (np.diff(cut[order, 0]) >= 0).all()


@pytest.mark.parametrize("truncation", [0.0, -1.0, float("nan"), float("inf")])
def test_truncation_out_of_range(truncation):
    with pytest.raises(UserError, match="truncation above 0"):
        sampling.draw_latents(1, 1, truncation=truncation)


def test_interpolation_keeps_length_and_ends():
    start, end = np.array([[3.0, 0.0]]), np.array([[0.0, 3.0]])
    path = sampling.interpolate_latents(start, end, 3)
    np.testing.assert_allclose(path[0], start, atol=1e-6)
    np.testing.assert_allclose(path[2], end, atol=1e-6)
    np.testing.assert_allclose(path[1], [[4.5**0.5, 4.5**0.5]], atol=1e-6)
    same = sampling.interpolate_latents(start, start, 4)
    np.testing.assert_allclose(same, np.broadcast_to(start, (4, 1, 2)), atol=1e-5)


def test_to_uint8_inverts_the_pipelines_scaling():
    pixels = np.arange(256, dtype=np.uint8)
    scaled = pixels.astype(np.float32) / 127.5 - 1.0
    np.testing.assert_array_equal(pictures.to_uint8(scaled), pixels)


def test_grid_places_images_row_by_row():
    images = np.arange(6, dtype=np.uint8)[:, None, None, None]
    images = images.repeat(64, axis=1).repeat(64, axis=2)
    pixels = pictures.grid(images, columns=3)
    gap, step = pictures.GAP, 64 + pictures.GAP
    assert pixels.shape == (2 * step + gap, 3 * step + gap, 1)
    corners = pixels[gap::step, gap::step, 0]
    assert corners[:2, :3].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert pictures.grid(images[:, :28, :28]).shape[0] > 2 * 56  # small ones enlarged


@pytest.mark.parametrize("channels", [1, 3])
def test_save_writes_grid_array_and_folder(tmp_path, channels):
    images = np.random.default_rng(0).integers(0, 256, (5, 16, 16, channels), np.uint8)
    pictures.save(images, tmp_path / "new" / "a.png")
    with Image.open(tmp_path / "new" / "a.png") as picture:
        assert picture.mode == ("L" if channels == 1 else "RGB")
    pictures.save(images, tmp_path / "a.npz", labels=np.arange(5))
    with np.load(tmp_path / "a.npz") as arrays:
        np.testing.assert_array_equal(arrays["images"], images)
        assert arrays["labels"].tolist() == [0, 1, 2, 3, 4]
    pictures.save(images, tmp_path / "folder", labels=[4, 4, 4, 4, 4])
    files = sorted((tmp_path / "folder").iterdir())
    assert files[0].name == "00000-class4.png"
    with Image.open(files[3]) as picture:
        read = np.asarray(picture).reshape(16, 16, channels)
    np.testing.assert_array_equal(read, images[3])


def test_save_refuses_what_it_would_spoil(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    images = np.zeros((1, 4, 4, 1), np.uint8)
    with pytest.raises(UserError, match="which has files"):
        pictures.save(images, tmp_path)
    with pytest.raises(UserError, match=r"\.png, \.npz, a folder.*a\.jpg"):
        pictures.save(images, tmp_path / "a.jpg")


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_goes_there_and_back(tmp_path, suffix):
    frames = np.linspace(0, 255, 5).astype(np.uint8)[:, None, None, None, None]
    frames = np.broadcast_to(frames, (5, 4, 16, 16, 1))
    pictures.save_animation(frames, tmp_path / f"a{suffix}")
    with Image.open(tmp_path / f"a{suffix}") as animation:
        assert animation.n_frames == 8
