"""What the interfaces share: capacity, latents of numbers, times."""

from types import SimpleNamespace

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.serving.models import Model
from ganlab.serving.service import (
    Limits,
    capacity,
    check_latents,
    stated_seconds,
)


def model(image_shape=(28, 28, 1), latent_shapes=((64,),), max_images=256):
    artifact = SimpleNamespace(image_shape=image_shape, latent_shapes=latent_shapes)
    return Model("one", artifact, (1,), max_images)


def test_a_full_request_has_a_place_and_memory_an_end():
    assert capacity(model(), Limits(queue=1000)) == 1000
    assert capacity(model(), Limits(queue=10)) == 256
    large = model((1024, 1024, 3), max_images=5)
    assert capacity(large, Limits(queue=1000)) == (1 << 26) // (1024 * 1024 * 3)


def test_latents_are_flat_however_they_come():
    shapes = model(latent_shapes=((2,), (1, 2)))
    parts = [np.ones((3, 2)), np.full((3, 1, 2), 2.0)]
    expected = [[1, 1, 2, 2]] * 3
    np.testing.assert_array_equal(check_latents(shapes, parts), expected)
    np.testing.assert_array_equal(check_latents(shapes, [np.array(expected)]), expected)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e39])
def test_latents_that_are_no_numbers_are_refused(value):
    latents = np.zeros((2, 64))
    latents[1, 3] = value
    with (
        np.errstate(over="ignore"),
        pytest.raises(UserError, match="Expected finite latents"),
    ):
        check_latents(model(), [latents])


def test_a_time_is_in_microseconds():
    assert stated_seconds(2_500_000) == 2.5
    assert stated_seconds(None) is None
    assert stated_seconds(0) is None


@pytest.mark.parametrize("value", [-1, 1.5, "1", True, 2**63], ids=repr)
def test_what_is_no_time_is_refused(value):
    with pytest.raises(UserError, match="a timeout in microseconds"):
        stated_seconds(value)
