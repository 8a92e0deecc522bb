"""Artifacts have names for URLs, limits, and batches that change no sample."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ganlab.errors import UserError
from ganlab.serving.models import Model, independent_sizes, load_models

FASHION = Path(__file__).parents[2] / "saved_models" / "fashion"


def fake(generate, shape=(4,), latent_dim=3):
    """What stands for an artifact here: a function from latents to samples."""
    return SimpleNamespace(
        latent_dim=latent_dim,
        image_shape=shape,
        labels=lambda count: None,
        generate=generate,
    )


def test_artifacts_are_named_by_their_folders_or_by_the_user():
    models = load_models([str(FASHION), f"other={FASHION}"], "float32", 32)
    assert list(models) == ["fashion", "other"]
    assert models["other"].max_images == 32
    assert models["fashion"].sizes[0] == 1


@pytest.mark.parametrize("format", ["float32", "float16", "int8"])
def test_the_shipped_generator_runs_in_batches_in_every_format(format):
    (model,) = load_models([str(FASHION)], format, 256).values()
    latents = np.random.default_rng(0).standard_normal((64, 64), np.float32)
    labels = np.arange(64, dtype=np.int32) % 10
    alone = model.artifact.generate(latents[5:6], labels[5:6])
    for size in model.sizes:
        together = model.artifact.generate(latents[5 : 5 + size], labels[5 : 5 + size])
        np.testing.assert_array_equal(together[:1], alone)


@pytest.mark.parametrize("name", ["..", ".hidden", "a b", "a/b", "a" * 65, "", "é"])
def test_names_that_no_url_holds_are_refused(name):
    with pytest.raises(UserError, match="Expected a name of letters"):
        load_models([f"{name}={FASHION}"], "float32", 256)


def test_two_artifacts_of_one_name_are_refused():
    with pytest.raises(
        UserError, match="a name for each artifact. Received: 'fashion'"
    ):
        load_models([str(FASHION), f"fashion={FASHION}"], "float32", 256)


def test_a_changed_file_is_refused(tmp_path):
    folder = tmp_path / "changed"
    shutil.copytree(FASHION, folder)
    content = bytearray((folder / "generator.onnx").read_bytes())
    content[-1] ^= 1
    (folder / "generator.onnx").write_bytes(content)
    with pytest.raises(UserError, match="SHA-256"):
        load_models([str(folder)], "float32", 256)


def test_a_generator_that_mixes_its_batch_is_run_alone():
    mixing = fake(lambda latents, labels: latents - latents.mean(axis=0))
    assert independent_sizes(mixing, 64) == (1,)


def test_sizes_that_change_the_last_bit_are_left_out():
    def generate(latents, labels):
        return (
            np.nextafter(latents, 9, dtype=np.float32) if len(latents) > 8 else latents
        )

    assert independent_sizes(fake(generate), 40) == (1, 2, 4, 8)


def test_every_size_up_to_the_largest_is_tried():
    sizes = set()

    def generate(latents, labels):
        sizes.add(len(latents))
        return latents

    assert independent_sizes(fake(generate), 20) == (1, 2, 4, 8, 16)
    assert sizes == {1, 2, 4, 8, 16}


def test_counts_are_limited_and_fewer_as_text():
    model = Model("big", fake(None, (512, 512, 3)), (1,), 20)
    model.check_count(20)
    with pytest.raises(UserError, match="1 to 20 images a request. Received: 21$"):
        model.check_count(21)
    with pytest.raises(UserError, match="1 to 1 images .* Received: 2; ask for binary"):
        model.check_count(2, as_text=True)
    with pytest.raises(UserError, match="Received: 0"):
        model.check_count(0)


def test_a_body_has_room_for_the_latents_and_an_end():
    small, large = fake(None, latent_dim=64), fake(None, latent_dim=1 << 18)
    assert 256 * 64 * 20 < Model("a", small, (1,), 256).max_body < 1 << 20
    assert Model("b", large, (1,), 256).max_body == 1 << 24
