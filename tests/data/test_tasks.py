"""Tasks: sources are what their names say, and the same for the same image."""

import numpy as np
import pytest
from PIL import Image

from ganlab.data.loading import load_data
from ganlab.data.tasks import HOLE, Task, parse_task
from ganlab.errors import UserError


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (3, 16, 24, 3), dtype=np.uint8)


def made(task, images):
    return task.sources(images, np.arange(len(images)))


def test_grey_is_pillow_s(images):
    expected = [np.asarray(Image.fromarray(image).convert("L")) for image in images]
    np.testing.assert_array_equal(made(Task("grey"), images)[..., 0], expected)


def test_edges_of_a_step_are_dark_at_it_alone():
    image = np.zeros((1, 16, 16, 1), np.uint8)
    image[:, :, 8:] = 40
    edges = made(Task("edges"), image)
    # Sobel's kernel sums to 4 on each side: |gradient| / 4 is the step itself
    assert (edges[:, :, 7:9] == 255 - 40).all()
    assert (np.delete(edges, [7, 8], axis=2) == 255).all()


def test_noise_has_its_deviation_and_is_the_image_s_own():
    images = np.full((2, 64, 64, 3), 128, np.uint8)
    noisy = made(Task("noise", 25), images)
    assert np.std(noisy.astype(float) - 128) == pytest.approx(25, rel=0.03)
    assert (noisy[0] != noisy[1]).mean() > 0.9
    np.testing.assert_array_equal(
        Task("noise", 25).sources(images[1:], np.array([1])), noisy[1:]
    )


def test_small_has_lost_what_is_finer(images):
    checkers = np.indices((16, 16)).sum(0)[None, ..., None] % 2 * 200
    flat = made(Task("small", 2), checkers.astype(np.uint8))
    assert np.ptp(flat[:, 3:-3, 3:-3].astype(int)) <= 2  # 100 all over
    even = np.full((1, 16, 24, 3), 77, np.uint8)
    np.testing.assert_array_equal(made(Task("small", 4), even), even)
    with pytest.raises(UserError, match=r"16 pixels or more.*8 by 8"):
        made(Task("small", 16), even[:, :8, :8])


def test_holes_are_one_rectangle_of_mid_grey(images):
    for image, source in zip(images, made(Task("holes"), images), strict=True):
        changed = (image != source).any(axis=-1)
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        inside = source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        assert (inside == HOLE).all()
        assert 4 <= len(inside) <= 8
        assert 6 <= inside.shape[1] <= 12


def test_opacity_stays(images):
    clear = np.concatenate([images, images[..., :1]], axis=-1)
    grey = made(Task("grey"), clear)
    assert grey.shape == (3, 16, 24, 2)
    np.testing.assert_array_equal(grey[..., 1], clear[..., 3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blur:fashion_mnist", r"Unknown task.*grey, edges, noise, small, holes"),
        ("grey", r"Expected task:grey:SPEC\. Received: task:grey;"),
        ("noise:fashion_mnist", r"Expected task:noise:25:SPEC, with 1 to 255"),
        ("small:1:fashion_mnist", r"with 2 to 16\. Received: task:small:1:fash"),
        ("holes:pairs:a:b", r"Expected pairs:A:B, two folders"),
        ("holes:ring", r"Unknown data"),
    ],
)
def test_mistakes_are_one_line(text, message):
    with pytest.raises(UserError, match=message):
        load_data(f"task:{text}")


def test_a_task_of_a_set_has_its_sources():
    assert parse_task("small:4:a:b") == (Task("small", 4), "a:b")
    data = load_data("task:noise:25:fashion_mnist")
    assert data.sources.images.shape == data.images.shape == (10_000, 28, 28, 1)
    assert data.labels is not None
    with pytest.raises(UserError, match="images in colour for task:grey"):
        load_data("task:grey:fashion_mnist")
    sources, images = next(iter(data.batches(4)))
    difference = 127.5 * np.abs(sources - images)
    assert 5 < difference.mean() < 25  # E|noise| is 20; black pixels lose half of it
