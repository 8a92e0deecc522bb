"""Subjects of an evaluation: runs, artifacts, folders of images or shards, npz."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab import pictures, sampling
from ganlab.artifacts import card
from ganlab.artifacts.artifact import Artifact
from ganlab.config.resolve import stated_extractors
from ganlab.data import kinds
from ganlab.data.decoding import FORMATS, MODES, WHITE, decode, parse_colour
from ganlab.data.loading import load_data
from ganlab.data.toy2d import MIXTURES
from ganlab.errors import UserError
from ganlab.evaluation.scores import Generate
from ganlab.evaluation.shard_images import ShardImages, open_shards
from ganlab.models.gan import GAN
from ganlab.models.saving import load_gan
from ganlab.networks.projection import frozen_extractors
from ganlab.runs import RunFolder, load_run

EMBEDDED = ("fashion_mnist", *MIXTURES)


@dataclass(frozen=True)
class Generator:
    """A trained generator.

    Args:
        generate: Function from latents `(n, latent_dim)` and labels to float32
            images in [-1, 1].
        latent_dim: Integer.
        num_classes: Integer, 0 without classes.
    """

    generate: Generate
    latent_dim: int
    num_classes: int


@dataclass(frozen=True)
class Subject:
    """Images to be scored, or the generator that makes them.

    Args:
        path: The path that the user named.
        image_shape: Shape of one image.
        source: The `Generator`, or all images there are; those of shards are read when
            they are sampled.
        data: SPEC of the generator's training data, or `None`.
        background: What transparent pictures of that data were laid on.
        frozen: SPECs of the features that its discriminator was made of, as far as
            that is known.
    """

    path: Path
    image_shape: tuple[int, ...]
    source: Generator | np.ndarray | ShardImages
    data: str | None = None
    background: str = WHITE
    frozen: frozenset[str] = frozenset()

    @property
    def generator(self) -> Generator | None:
        """The `Generator`, or `None` of images."""
        return self.source if isinstance(self.source, Generator) else None

    @property
    def num_images(self) -> int | None:
        """How many images there are, or `None` of a generator."""
        return None if isinstance(self.source, Generator) else len(self.source)

    def in_channels(self, channels: int) -> "Subject":
        """The subject with images of other channels; a generator keeps its own."""
        if (
            isinstance(self.source, Generator)
            or channels not in MODES
            or not kinds.of_shape(self.image_shape).pictorial
            or self.image_shape[-1] == channels
        ):
            return self
        height, width = self.image_shape[:2]
        shape = (height, width, channels)
        if isinstance(self.source, ShardImages):
            shards = self.source.in_channels(channels)
            return dataclasses.replace(self, image_shape=shape, source=shards)
        images = np.stack([decode(image, shape).pixels for image in self.source])
        return dataclasses.replace(self, image_shape=shape, source=images)

    def sample(
        self, count: int, seed: int, labels: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Images, and the labels that they were generated for, or `None`.

        Args:
            count: Integer: how many, at most.
            seed: Integer: seeds latents, or which images are taken.
            labels: The real images' labels, or `None`.
        """
        if not isinstance(self.source, Generator):
            order = np.random.default_rng(seed).permutation(len(self.source))
            return self.source[np.sort(order[:count])], None
        generator = self.source
        if not generator.num_classes:
            labels = None
        elif labels is None or labels.max() >= generator.num_classes:
            labels = sampling.class_labels(count, generator.num_classes)
        else:
            labels = labels[:count]
        latents = sampling.draw_latents(count, generator.latent_dim, seed)
        images = generator.generate(latents, labels)
        return kinds.of_shape(self.image_shape).to_stored(images), labels


def load_subject(path: Path | str, checkpoint: str = "newest") -> Subject:
    """Finds out what a path holds, and loads it.

    Args:
        path: Run folder, artifact folder, folder of images or of shards, or npz file.
        checkpoint: `"newest"` or `"best"`, of a run.

    Raises:
        UserError: if it is none of those.
    """
    path = Path(path)
    if (path / card.CARD).is_file():
        return _artifact(path)
    if RunFolder(path).holds_run():
        return _run(path, checkpoint)
    images: np.ndarray | ShardImages
    if path.is_dir() and (shards := open_shards(path)) is not None:
        return Subject(path, shards.shape, shards)
    if path.is_dir():
        images = _images_of_folder(path)
    elif path.suffix == ".npz" and path.is_file():
        images = np.asarray(load_data(f"npz:{path}").images)
    else:
        raise UserError(
            "Expected a run, an artifact, a folder of images or shards, or an .npz "
            f"file. Received: {path}"
        )
    return Subject(path, tuple(images.shape[1:]), images)


def _artifact(path: Path) -> Subject:
    artifact = Artifact(path)
    generator = Generator(
        _rescaled(artifact), artifact.latent_dim, len(artifact.class_names)
    )
    training = artifact.card.get("training")
    recipe = training.get("recipe") if isinstance(training, dict) else None
    return Subject(
        path,
        artifact.image_shape,
        generator,
        _stated_data(artifact),
        _stated_background(artifact),
        frozenset(stated_extractors(recipe if isinstance(recipe, dict) else {})),
    )


def _stated_data(artifact: Artifact) -> str | None:
    """The data that a card states, if it is no path and no download.

    A card is a stranger's: what it names is not read because it says so.
    """
    training = artifact.card.get("training")
    data = training.get("data") if isinstance(training, dict) else None
    return data if data in EMBEDDED else None


def _stated_background(artifact: Artifact) -> str:
    """The background that a card states, if it is a colour."""
    try:
        background = artifact.card["training"]["recipe"]["background"]
        parse_colour(background)
    except (KeyError, TypeError, UserError):
        return WHITE
    return str(background)


def _run(path: Path, checkpoint: str) -> Subject:
    run = load_run(path, watched=True)
    gan = load_gan(run.folder.find_checkpoint(checkpoint))
    generator = Generator(_rescaled(gan), gan.latent_dim, gan.num_classes or 0)
    recipe = run.recipe
    return Subject(
        path,
        gan.image_shape,
        generator,
        recipe.data,
        recipe.background,
        frozenset(frozen_extractors(getattr(gan, "discriminator", None))),
    )


def _rescaled(source: Artifact | GAN) -> Generate:
    """A generator's function, with images in [-1, 1] whatever their own range."""
    pictorial = kinds.of_shape(source.image_shape).pictorial

    def generate(latents: np.ndarray, labels: np.ndarray | None) -> np.ndarray:
        images = source.generate(latents, labels)
        return pictures.rescaled(images, source.output_range) if pictorial else images

    return generate


def _images_of_folder(path: Path) -> np.ndarray:
    """Images of a folder at the size of the first; grey, opaque if all of them are."""
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() == ".png")
    files = files or sorted(file for file in path.rglob("*") if file.is_file())
    size = None
    for file in files:
        try:
            with Image.open(file, formats=list(FORMATS)) as picture:
                size = picture.size[1], picture.size[0]
            break
        except Exception:
            continue  # named and skipped when all are read
    images = np.asarray(load_data(f"folder:{path}", image_size=size, channels=4).images)
    colours, opacity = images[..., :3], images[..., 3:]
    if (colours == colours[..., :1]).all():
        colours = colours[..., :1]
    if (opacity == 255).all():
        return colours
    return np.concatenate([colours, opacity], axis=-1)
