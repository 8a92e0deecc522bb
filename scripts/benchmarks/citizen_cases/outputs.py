"""What is drawn and exported: images on any scale, and samples that are no images."""

from typing import Any

import numpy as np
from keras import layers

from citizen_cases.case import Group, new_path
from citizen_cases.parts import (
    IMAGES,
    compiled,
    conditional,
    discriminator,
    generator,
    trains,
)
from ganlab import GAN, Artifact, draw_latents, export_generator

group = Group("outputs", slow=True)


def _exported(gan: GAN, **options: Any) -> tuple[dict[str, Any], Artifact]:
    path = new_path("artifact")
    return export_generator(gan, path, **options), Artifact(path)


def _other(shape: tuple[int, ...]) -> GAN:
    return compiled(generator(shape=shape), discriminator(shape=shape))


@group.works("sample, artifact and card use the range [0, 1]")
def sigmoid_generator():
    """A generator that ends on a sigmoid."""
    gan = compiled(generator(layers.Activation("sigmoid")))
    card, artifact = _exported(gan)
    drawn = gan.generator(draw_latents(9, 4, seed=0)).numpy() * 255
    close = [
        np.abs(images.astype(float) - drawn).max() <= 1.0
        for images in (gan.sample(9), artifact.sample(9))
    ]
    return all(close) and card["outputs"]["images"]["range"] == [0.0, 1.0]


@group.works("sample and artifact stretch it over black to white")
def stated_range():
    """A generator without a bound whose range is stated as (0, 255)."""
    gan = compiled(model={"output_range": (0, 255)})
    card, artifact = _exported(gan)
    drawn = np.clip(gan.generator(draw_latents(9, 4, seed=0)), 0, 255)
    return (
        np.abs(gan.sample(9) - drawn).max() <= 1.0
        and np.abs(artifact.sample(9) - drawn).max() <= 1.0
        and card["outputs"]["images"]["range"] == [0.0, 255.0]
    )


def _floats(shape: tuple[int, ...]) -> bool:
    gan = _other(shape)
    _, artifact = _exported(gan)
    drawn = gan.generator(draw_latents(5, 4, seed=0)).numpy()
    return np.allclose(gan.sample(5), drawn, atol=1e-5) and np.allclose(
        artifact.sample(5), drawn, atol=1e-4
    )


for title, size in {
    "series": (64, 2),
    "table": (5,),
    "volume": (4, 4, 4, 1),
    "five-channels": (8, 8, 5),
}.items():
    group.works(
        "sample and artifact give the generator's floats",
        f"{title}-exported",
        f"A generator of samples of {size}.",
    )(lambda size=size: _floats(size))


@group.works("it trains, and four channels are drawn")
def rgba_ada():
    """Images of four channels under ADA."""
    shape = (8, 8, 4)
    networks = generator(shape=shape), discriminator(shape=shape)
    gan = compiled(*networks, augmentation="ada")
    images = np.repeat(IMAGES, 4, -1)
    return trains(gan, images, expected=None) and gan.sample(2).shape == (2, 8, 8, 4)


@group.refused("leave augmentation out")
def series_augmented():
    """A GAN of series under DiffAugment."""
    networks = generator(shape=(64, 2)), discriminator(shape=(64, 2))
    compiled(*networks, augmentation="diffaugment")


@group.works("the artifact draws the classes asked for, as the GAN does")
def classes_exported():
    """A conditional generator, exported with class names."""
    gan = conditional()
    _, artifact = _exported(gan, class_names=["a", "b", "c", "d"])
    labels = [3, 0, 1, 1]
    return (
        np.abs(
            artifact.sample(4, labels=labels).astype(int) - gan.sample(4, labels=labels)
        ).max()
        <= 1
    )


@group.refused("class names")
def class_names_too_few():
    """Two class names for four classes."""
    export_generator(conditional(), new_path("artifact"), class_names=["a", "b"])


@group.works("equal seeds draw equal samples, and others do not")
def seeds_of_samples():
    """`sample` with a seed, by a generator whose layers draw noise."""
    gan = compiled(generator(layers.GaussianNoise(1.0)))
    first, again, other = (gan.sample(4, seed=seed) for seed in (1, 1, 2))
    return np.array_equal(first, again) and not np.array_equal(first, other)


@group.works("the first images are those of a smaller number")
def counts_of_samples():
    """`sample` of 300 and of 7."""
    gan = compiled()
    return np.abs(gan.sample(300)[:7].astype(int) - gan.sample(7)).max() <= 1


@group.refused("Expected 1 image or more")
def no_samples():
    """`sample` of no image."""
    compiled().sample(0)


@group.refused("empty folder")
def exported_twice():
    """An artifact over one that is there."""
    path = new_path("artifact")
    path.mkdir()
    (path / "notes.txt").write_text("mine")
    export_generator(compiled(), path)
