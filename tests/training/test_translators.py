"""Recipes of translators: what they take, what they build, and whole runs."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

import ganlab
from ganlab.config.resolve import complete
from ganlab.config.settings import Recipe
from ganlab.data.loading import load_data
from ganlab.errors import UserError
from ganlab.models.saving import load_gan
from ganlab.models.translator import Translator
from ganlab.runs import load_run
from ganlab.training.build import build_gan, check_names
from ganlab.training.data import load_recipe_data
from ganlab.training.memory import estimate, passes
from ganlab.training.preflight import check_run
from ganlab.training.translators import watched

SMALL = {
    "model": "translator",
    "generator_filters": 4,
    "discriminator_filters": 4,
    "batch_size": 8,
}


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    """Grey to colour, of 330 images of noise."""
    pixels = np.random.default_rng(0).integers(0, 256, (330, 16, 16, 3), np.uint8)
    path = tmp_path_factory.mktemp("data") / "noise.npz"
    np.savez(path, images=pixels)
    return f"task:grey:npz:{path}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "vae"}, "Unknown model.*gan, translator"),
        ({"training": "paired"}, "training with model=translator alone"),
        ({**SMALL, "training": "pix2pix"}, "Unknown training.*paired, cycle, contr"),
        ({**SMALL, "network": "resnet"}, "no network with model=translator"),
        ({**SMALL, "packing": 2}, "no packing with model=translator"),
        ({**SMALL, "conditional": True}, "no conditional with model=translator"),
    ],
)
def test_mistakes_in_settings_are_one_line(changes, message):
    with pytest.raises(UserError, match=message):
        check_names(Recipe(**changes))


def test_data_fit_the_model(spec, tmp_path):
    for model, data, message in (
        ("translator", "fashion_mnist", "data with sources.*pairs:A:B"),
        ("gan", spec, "without sources for model=gan.*--model translator"),
    ):
        with pytest.raises(UserError, match=message):
            load_recipe_data(Recipe(model=model, data=data))
    for name in "ab":
        (tmp_path / name).mkdir()
        Image.new("RGB", (16, 16)).save(tmp_path / name / "x.png")
    domains = Recipe(**SMALL, data=f"domains:{tmp_path}/a:{tmp_path}/b")
    assert load_recipe_data(domains)[0].training == "contrastive"
    with pytest.raises(UserError, match="pairs for training=paired.*cycle or contr"):
        load_recipe_data(domains.replace(training="paired"))


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("training", "judged", "times"),
    [("paired", 4, 1), ("cycle", 4, 4), ("contrastive", 3, 4)],
)
def test_networks_fit_the_training(training, judged, times):
    data = "task:grey:x" if training != "contrastive" else "task:holes:x"
    recipe = complete(Recipe(**SMALL, data=data, training=training), (16, 24), 3)
    assert recipe.generator_learning_rate == 2e-4
    translator = build_gan(recipe, None)
    assert isinstance(translator, Translator)
    assert translator.training == training
    assert translator.source_shape == (16, 24, 1 if data == "task:grey:x" else 3)
    assert translator.image_shape == (16, 24, 3)
    assert translator.discriminator.input_shape[-1] == judged
    assert passes(translator) == times


def test_an_odd_size_is_refused():
    recipe = complete(Recipe(**SMALL, data="task:holes:x"), (17, 16), 3)
    with pytest.raises(UserError, match="multiple of 2 pixels"):
        build_gan(recipe, None)


def test_what_is_watched_is_held_out(spec):
    train, held_out = load_data(spec).split(0)
    sources, images, scored = watched(train, held_out)
    np.testing.assert_array_equal(images, held_out.images[held_out.indices[:16]])
    np.testing.assert_array_equal(
        sources, held_out.sources.images[held_out.indices[:16]]
    )
    expected = train.sources.images[train.indices[:20]]
    np.testing.assert_array_equal(scored.stored(20), expected)
    unpaired = dataclasses.replace(held_out, paired=False)
    assert watched(train, unpaired).images is None


def test_memory_and_data_are_checked_before(spec):
    recipe, data = load_recipe_data(Recipe(**SMALL, data=spec))
    translator = build_gan(recipe, None)
    assert 0.9e9 < estimate(recipe, translator, data) < 1.2e9
    problems = {problem.name for problem in check_run(recipe, data, translator)}
    assert problems == {"too_few_images"}


@pytest.mark.slow
def test_a_run_goes_on_where_it_stopped(recipe, monitoring, tmp_path):
    data = f"task:noise:9:{recipe.data}"
    recipe = Recipe(**SMALL, data=data, training="contrastive", steps=4)
    monitoring = monitoring.replace(sample_every=2)
    whole = ganlab.train(recipe, tmp_path / "whole", monitoring=monitoring)
    parts = tmp_path / "parts"
    ganlab.train(recipe.replace(steps=2), parts, monitoring=monitoring)
    resumed = ganlab.train(recipe, parts, monitoring=monitoring, resume=True)
    assert list(resumed.folder.pictures()) == [0, 2, 4]
    weights = [
        load_gan(run.folder.find_checkpoint()).get_weights() for run in (whole, resumed)
    ]
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert load_run(parts).recipe == resumed.recipe
    assert "g_contrast" in resumed.folder.metrics.read_text()
