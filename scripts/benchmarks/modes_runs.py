"""The runs of the benchmark of modes: recipes, data, scores."""

import json
import time
from pathlib import Path

import numpy as np

from ganlab import metrics, pictures
from ganlab.config.presets import get_preset
from ganlab.config.settings import Recipe
from ganlab.data.toy2d import MIXTURES

NUM_TOY_SAMPLES, NUM_STACKED, NUM_LABELLED = 2500, 26_000, 5000
NUM_SMALL_TRAINING, NUM_SMALL = 1000, 10_000
NUM_TRAINING_STACKS = 128_000
R3GAN_STEPS = {"ring": 8000, "grid": 20_000}


def make_recipes() -> dict[str, Recipe]:
    """`experiment/variant` -> its `Recipe`, of seed 0."""
    recipes = {}
    pacgan = {
        "generator_learning_rate": 1e-4,
        "discriminator_learning_rate": 1e-4,
        "beta_1": 0.8,
        "batch_size": 100,
        "steps": 3000,
    }
    for mixture in MIXTURES:
        plain = get_preset("dcgan").replace(data=mixture, **pacgan)
        recipes[f"{mixture}/non-saturating"] = plain
        recipes[f"{mixture}/PacGAN-2"] = plain.replace(packing=2, batch_size=200)
        recipes[f"{mixture}/r3gan"] = get_preset("r3gan").replace(
            data=mixture,
            steps=R3GAN_STEPS[mixture],
            batch_size=100,
            regularizer_every=1,
        )
    quick = {"generator_learning_rate": 1e-3, "discriminator_learning_rate": 1e-3}
    stacked = get_preset("dcgan").replace(
        data="stacked", image_size=16, latent_dim=128, steps=8000, **quick
    )
    recipes["stacked/non-saturating"] = stacked
    recipes["stacked/relativistic+R1+R2"] = stacked.replace(
        loss="relativistic",
        regularizer="r1+r2",
        regularizer_weight=0.05,
        regularizer_every=4,
        beta_1=0.0,
        beta_2=0.99,
        final_rate_share=0.05,
        steps=10_000,
    )
    recipes["conditional/projection"] = get_preset("dcgan").replace(
        image_size=28, steps=3000
    )
    small = get_preset("dcgan").replace(
        data="small",
        image_size=16,
        discriminator_filters=64,
        discriminator_normalization="none",
        batch_size=32,
        steps=8000,
        **quick,
    )
    recipes["small/no augmentation"] = small
    recipes["small/translation"] = small.replace(
        augmentation="diffaugment", augmentation_policy="translation"
    )
    return recipes


def make_recipe(name: str, seed: int, options) -> Recipe:
    """The recipe of one run."""
    recipe = make_recipes()[name].replace(seed=seed)
    return recipe if options.steps is None else recipe.replace(steps=options.steps)


def experiment_of(name: str) -> str:
    return name.partition("/")[0]


def real_images_of(name: str, options) -> tuple[str, int]:
    """Folder and size of the real images of an experiment."""
    stacked = experiment_of(name) == "stacked"
    folder = options.stacked if stacked else options.fashion
    return folder, make_recipes()[name].image_size


def record_path(name: str, seed: int, options) -> Path:
    return options.out / f"{name.replace('/', '-')}-{seed}.json"


def read_record(name: str, seed: int, options) -> dict | None:
    """The record of a run of this very recipe, or `None`."""
    path = record_path(name, seed, options)
    if not path.exists():
        return None
    record = json.loads(path.read_text())
    recipe = make_recipe(name, seed, options).as_dict()
    return record if record["recipe"] == recipe else None


def run(name: str, seed: int, options) -> None:
    """Trains and scores one run, and writes its record."""
    import keras

    from ganlab.config.resolve import complete
    from ganlab.training.build import build_gan

    started = time.perf_counter()
    recipe = make_recipe(name, seed, options)
    data = training_data(name, recipe, options)
    resolved = complete(recipe, data.image_size, data.channels)
    num_classes = len(data.class_names) or None
    execution = 1 if data.kind.pictorial else 50
    gan = build_gan(resolved, num_classes, steps_per_execution=execution)
    batches = data.batches(
        resolved.batch_size,
        seed=resolved.seed,
        labels=num_classes is not None,
        flip=resolved.flip,
    )
    gan.fit(
        batches,
        steps_per_epoch=resolved.steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.TerminateOnNaN()],
    )
    seconds = time.perf_counter() - started
    record = {
        "name": name,
        "seed": seed,
        "scores": score(name, gan, resolved, options),
        "seconds": round(seconds, 1),
        "recipe": recipe.as_dict(),
    }
    record_path(name, seed, options).write_text(json.dumps(record) + "\n")


def training_data(name: str, recipe: Recipe, options):
    """The `ImageData` that an experiment trains on."""
    from ganlab.data.image_data import ImageData
    from ganlab.data.loading import load_data

    experiment = experiment_of(name)
    if experiment in MIXTURES:
        return load_data(experiment)
    folder, size = real_images_of(name, options)
    data = load_data(f"idx:{folder}:train", image_size=size)
    if experiment == "stacked":
        images = stack_images(data.images, NUM_TRAINING_STACKS, recipe.seed)
        return ImageData("stacked", images, None, (), ())
    if experiment == "conditional":
        return data
    order = np.random.default_rng(recipe.seed).permutation(len(data.images))
    indices = order[:NUM_SMALL_TRAINING]
    return ImageData(
        "small", data.images[indices], data.labels[indices], data.class_names, ()
    )


def stack_images(images: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Samples triples of grey images and stacks each as three colour channels."""
    triples = np.random.default_rng(seed).integers(len(images), size=(count, 3))
    return np.stack([images[triples[:, k], :, :, 0] for k in range(3)], axis=-1)


def score(name: str, gan, recipe: Recipe, options) -> dict[str, float]:
    """The scores of a trained GAN; writes its samples too."""
    experiment = experiment_of(name)
    picture = record_path(name, recipe.seed, options).with_suffix(".png")
    if experiment in MIXTURES:
        return score_toy_samples(MIXTURES[experiment], gan, recipe, picture)
    from modes_classifier import (
        extract_features,
        load_classifier,
        load_test_images,
        predict_classes,
    )

    pictures.save(gan.sample(40, seed=2), picture, columns=10)
    folder, size = real_images_of(name, options)
    classifier = load_classifier(folder, size, options.out)
    if experiment == "stacked":
        return score_stacks(gan.sample(NUM_STACKED, seed=1), classifier)
    if experiment == "conditional":
        labels = np.arange(NUM_LABELLED) % gan.num_classes
        classes = predict_classes(gan.sample(NUM_LABELLED, 1, labels), classifier)
        return {"label_accuracy": float(np.mean(classes == labels))}
    real = load_test_images(folder, size).images
    fake = gan.sample(NUM_SMALL, seed=1)
    features = (extract_features(images, classifier) for images in (real, fake))
    return {"fid": metrics.frechet_distance(*features)}


def score_toy_samples(mixture, gan, recipe: Recipe, picture: Path) -> dict[str, float]:
    """Modes that samples hit and divergences; saves samples and decision surface."""
    from ganlab.callbacks import DecisionSurface

    fake = gan.sample(NUM_TOY_SAMPLES, seed=1)
    np.save(picture.with_suffix(".npy"), fake)
    surface = DecisionSurface(picture.with_suffix(""), mixture)
    surface.set_model(gan)
    surface.run(recipe.steps)
    real, _ = mixture.sample(NUM_TOY_SAMPLES, seed=1)
    return metrics.mode_scores(fake, mixture.centers, mixture.deviation) | (
        metrics.grid_divergences(real, fake, mixture.extent)
    )


def score_stacks(images: np.ndarray, classifier) -> dict[str, float]:
    """Number of modes of stacked images, and their reverse KL."""
    from modes_classifier import predict_classes

    modes = sum(
        predict_classes(images[..., k : k + 1], classifier) * 10**k for k in range(3)
    )
    return {
        "modes": len(np.unique(modes)),
        "reverse_kl": metrics.reverse_kl(modes, 1000),
    }
