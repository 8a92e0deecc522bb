"""Every command on images of every size, ratio and number of channels."""

import numpy as np
import pytest

from ganlab.artifacts.artifact import Artifact
from ganlab.artifacts.export import export_generator
from ganlab.config.settings import Monitoring, Recipe
from ganlab.data.loading import load_data
from ganlab.data.sizes import sides
from ganlab.diagnosis import report
from ganlab.evaluation.compare import compare
from ganlab.models.saving import load_gan
from ganlab.pictures import save
from ganlab.training.build import NETWORKS
from ganlab.training.preflight import check
from ganlab.training.train import train

IMAGES = [name for name in NETWORKS if name != "mlp"]
MONITORING = Monitoring(
    log_every=1, evaluate_images=12, sample_every=2, features="pixels"
)
SHAPES = [
    ("dcgan", 16, 1),
    ("resnet", "16x40", 3),
    ("r3gan", "50x33", 4),
    ("dcgan", "96x48", 2),
    ("resnet", 100, 4),
    ("r3gan", "128x64", 1),
    ("dcgan", "512x16", 3),
    ("dcgan", 256, 4),
    ("resnet", 512, 3),
    ("r3gan", "256x512", 2),
]
IDS = ["-".join(map(str, shape)) for shape in SHAPES]


def tiny(network, image_size, channels, **options):
    """A generator and a discriminator of 8 filters."""
    make_generator, make_discriminator = NETWORKS[network]
    options |= {"base_filters": 8}
    return (
        make_generator(image_size, channels, latent_dim=4, **options),
        make_discriminator(image_size, channels, **options),
    )


@pytest.mark.e2e
@pytest.mark.parametrize("size", [31, "16x512", "257x64"])
@pytest.mark.parametrize("network", IMAGES)
def test_networks_are_built_for_any_size_and_ratio(network, size):
    channels = 1 + sum(sides(size)) % 4
    generator, discriminator = tiny(network, size, channels, num_classes=3)
    assert generator.output_shape == (None, *sides(size), channels)
    assert discriminator.input_shape[0] == (None, *sides(size), channels)
    several = discriminator.output_shape[1] > 1  # patches
    assert several == (network == "projected")


@pytest.mark.e2e
@pytest.mark.parametrize("network", IMAGES)
def test_widths_stay_bounded_at_the_largest_size(network):
    generator, discriminator = tiny(network, 512, 3)
    for model in (generator, discriminator):
        widest = max(w.shape[-1] for w in model.weights if len(w.shape) == 4)
        assert widest <= 16 * 8


def walk(tmp_path, network, image_size, channels):
    """Checks, trains, diagnoses, exports in every format, samples and evaluates."""
    shape = (*sides(image_size), channels)
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (24, *shape), np.uint8)
    np.savez(tmp_path / "a.npz", images=images, labels=np.arange(24) % 2)
    recipe = Recipe(
        data=f"npz:{tmp_path / 'a.npz'}",
        network=network,
        channels=channels,
        steps=2,
        batch_size=4,
        latent_dim=4,
        generator_filters=8,
        discriminator_filters=8,
        augmentation="ada" if channels > 2 else "diffaugment",
    )
    problems = check(recipe)
    assert not [p for p in problems if p.severity == "critical"]
    run = train(recipe, tmp_path / "run", monitoring=MONITORING)
    assert (run.recipe.image_size, run.recipe.channels) == (image_size, channels)
    assert report.examine(run.folder.path) is not None
    gan = load_gan(run.folder.newest_checkpoint())
    card = export_generator(gan, tmp_path / "artifact", class_names=("a", "b"))
    expected = {"float32", "float16", "int8"}
    if (
        network == "r3gan"
    ):  # whose int8, hardly trained, may differ by more than allowed
        expected -= {"int8"} - set(card["formats"])
    assert set(card["formats"]) == expected
    for name in card["formats"]:
        samples = Artifact(tmp_path / "artifact", name).sample(12)
        assert (samples.shape, samples.dtype) == ((12, *shape), np.uint8)
    save(samples, tmp_path / "folder")
    subjects = [tmp_path / "run", tmp_path / "artifact", tmp_path / "folder"]
    comparison = compare(subjects, data=recipe.data, features="pixels")
    first, second, third = comparison.subjects.values()
    assert first.scores["fid"].value == pytest.approx(second.scores["fid"].value, 1e-3)
    assert third.scores["fid"].value > 0
    again = load_data(f"folder:{tmp_path / 'folder'}", image_size=image_size)
    assert again.images.shape[1:3] == shape[:2]


@pytest.mark.e2e
def test_every_command_works_on_one_shape(tmp_path):
    walk(tmp_path, "dcgan", "24x48", 4)


@pytest.mark.slow
@pytest.mark.parametrize(("network", "image_size", "channels"), SHAPES, ids=IDS)
def test_every_command_works_on_every_shape(tmp_path, network, image_size, channels):
    walk(tmp_path, network, image_size, channels)
