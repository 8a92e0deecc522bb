"""How do several generators stand beside each other?

A subject is a run, an artifact, a folder of images or an npz file. All are held
against the same real images, as many of each as the smallest has, and shown as
one table and one picture.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ganlab import evaluation, metrics, pictures, sampling
from ganlab.artifacts import card
from ganlab.artifacts.artifact import Artifact
from ganlab.config import legacy
from ganlab.data.loading import load_data
from ganlab.errors import UserError
from ganlab.evaluation import LEAST_IMAGES, TITLES, Evaluation, Protocol, Reference
from ganlab.models.saving import load_gan
from ganlab.runs import RunFolder, load_run


@dataclass(frozen=True)
class Subject:
    """Something that images come from.

    Args:
        path: What the user named.
        kind: `run`, `artifact` or `images`.
        images: All there are, or `None` of a generator.
        generate: Function from latents and labels to float32 images, or `None`.
        latent_dim: Integer, or `None`.
        num_classes: Integer, 0 without classes.
        data: SPEC of what it was trained on, or `None`.
        image_shape: Shape of one image.
    """

    path: Path
    kind: str
    images: np.ndarray | None
    generate: Callable | None
    latent_dim: int | None
    num_classes: int
    data: str | None
    image_shape: tuple[int, ...]

    def draw(self, count, seed, labels):
        """Images, and the labels they were asked for, or `None`."""
        if self.images is not None:
            some = np.random.default_rng(seed).permutation(len(self.images))[:count]
            return self.images[np.sort(some)], None
        if not self.num_classes:
            labels = None
        elif labels is None or labels.max() >= self.num_classes:
            labels = sampling.class_labels(count, self.num_classes)
        else:
            labels = labels[:count]
        latents = sampling.sample_latents(count, self.latent_dim, seed)
        drawn = self.generate(latents, labels)
        return (drawn if drawn.ndim == 2 else pictures.to_uint8(drawn)), labels


@dataclass(frozen=True)
class Comparison:
    """Subjects held against the same real images.

    Args:
        reference: The `ganlab.evaluation.Reference`.
        real: `Evaluation` of one half of the real images against the other, or
            `None` of too few.
        subjects: A dict from each path, as given, to its `Evaluation`.
    """

    reference: Reference
    real: Evaluation | None
    subjects: dict[str, Evaluation]


def load_subject(path, checkpoint="newest"):
    """Finds out what a path holds, and loads it.

    Args:
        path: Run folder, artifact folder, folder of images, or npz file.
        checkpoint: `"newest"` or `"best"`, of a run.

    Returns:
        A `Subject`.

    Raises:
        UserError: if it is none of those.
    """
    path = Path(path)
    if (path / "card.json").is_file():
        artifact = Artifact(path)
        training = artifact.card.get("training", {})
        shape = artifact.card["outputs"]["images"]["shape"][1:]
        return Subject(
            path,
            "artifact",
            None,
            artifact.generate,
            artifact.latent_dim,
            len(artifact.class_names),
            training.get("data"),
            tuple(shape),
        )
    if RunFolder(path).holds_run():
        run = load_run(path)
        gan = load_gan(run.folder.find_checkpoint(checkpoint))
        return Subject(
            path,
            "run",
            None,
            _generate(gan),
            gan.latent_dim,
            gan.num_classes or 0,
            run.recipe.data,
            gan.image_shape,
        )
    if path.is_dir():
        images = _images_of_folder(path)
    elif path.suffix == ".npz" and path.is_file():
        images = load_data(f"npz:{path}").images
    else:
        raise UserError(
            "Expected a run, an artifact, a folder of images or an .npz file. "
            f"Received: {path}"
        )
    return Subject(path, "images", images, None, None, 0, None, images.shape[1:])


def _generate(gan):
    def generate(latents, labels):
        inputs = latents if labels is None else [latents, labels]
        return gan.predict(inputs, batch_size=256, verbose=0)

    return generate


def _images_of_folder(path):
    """Images of a folder, at their own size and channels."""
    files = sorted(each for each in path.rglob("*") if each.suffix.lower() == ".png")
    files = files or sorted(each for each in path.rglob("*") if each.is_file())
    size, channels = None, None
    for file in files:
        try:
            with Image.open(file) as picture:
                size = min(picture.size)
                channels = 1 if picture.mode in ("1", "L", "I;16") else 3
            break
        except OSError:
            continue  # named and skipped when all are read
    return load_data(f"folder:{path}", image_size=size, channels=channels).images


def compare(
    paths,
    *,
    data=None,
    features=None,
    num_images=evaluation.MAX_IMAGES,
    seed=0,
    checkpoint="newest",
    progress=None,
):
    """Evaluates subjects against the same real images.

    Args:
        paths: Paths of subjects.
        data: A data SPEC, or `None` for what the first generator was trained on.
        features: SPEC of an extractor, or `None` for the default.
        num_images: Integer: images on each side, at most.
        seed: Integer.
        checkpoint: `"newest"` or `"best"`, of runs.
        progress: `None`, or a function of `(what is done, done, in all)`.

    Returns:
        A `Comparison`.

    Raises:
        UserError: if a path holds no subject, or subjects do not compare.
    """
    tell = progress or (lambda what, done, count: None)
    subjects = {str(path): load_subject(path, checkpoint) for path in paths}
    data = data or next((each.data for each in subjects.values() if each.data), None)
    if data is None:
        raise UserError(
            "Expected --data, the real images to hold these against. Received: none, "
            "and images do not say what they were trained on"
        )
    fixed = [len(each.images) for each in subjects.values() if each.images is not None]
    if min(fixed, default=LEAST_IMAGES) < LEAST_IMAGES:
        raise UserError(
            f"Expected {LEAST_IMAGES} images or more. Received: {min(fixed)}; draw more"
        )
    shape = next(iter(subjects.values())).image_shape
    size = {} if len(shape) == 1 else {"image_size": shape[0]}
    loaded = load_data(
        data, **size, progress=lambda done, count: tell("decoding", done, count)
    )
    reference = evaluation.load_reference(
        loaded,
        features=features,
        num_images=min([num_images, *fixed]),
        seed=seed,
        progress=lambda done, count: tell("real features", done, count),
    )
    for name, subject in subjects.items():
        if tuple(subject.image_shape) != reference.protocol.image_shape:
            raise UserError(
                f"Expected images of shape {reference.protocol.image_shape}, as those "
                f"of {data}. Received: {tuple(subject.image_shape)} from {name}; name "
                "other --data, or evaluate it alone"
            )
    found = {}
    for name, subject in subjects.items():
        images, labels = subject.draw(
            reference.protocol.num_images, seed, reference.labels
        )
        found[name] = evaluation.evaluate(
            reference,
            images,
            labels=labels,
            generate=subject.generate if images.ndim == 4 else None,
            latent_dim=subject.latent_dim,
            progress=_named(tell, Path(name).name),
        )
    real = None
    if len(reference.images) >= 2 * LEAST_IMAGES:
        real = evaluation.evaluate_real(reference, _named(tell, "real halves"))
    return Comparison(reference, real, found)


def _named(tell, name):
    def named(what, done, count):
        tell(f"{name}: {what}", done, count)

    return named


def read_scores(path):
    """Reads scores that `ganlab evaluate --json` printed.

    Args:
        path: A JSON file.

    Returns:
        A dict from each subject to its `Protocol` and dict of `Score`s.

    Raises:
        UserError: if the file holds no scores.
    """
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)["subjects"]
        return {
            name: (
                Protocol.from_dict(each["protocol"]),
                {
                    k: metrics.Score(**score)
                    for k, score in legacy.current_scores(each["scores"]).items()
                },
            )
            for name, each in found.items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"Expected scores from ganlab evaluate --json. Received: {path} ({error})"
        ) from error


def as_dict(comparison):
    """Subjects and real halves as JSON values; `read_scores` reads them."""
    return {
        "subjects": {
            name: each.as_dict() for name, each in comparison.subjects.items()
        },
        "real_halves": None if comparison.real is None else comparison.real.as_dict(),
    }


def check_cards(paths):
    """Raises `UserError` unless every path is an artifact."""
    for path in paths:
        card.read_card(path)


def write_card(directory, found):
    """Puts an `Evaluation` on an artifact's card, under `metrics`."""
    contents = legacy.current_card(card.read_card(directory))
    contents["metrics"] = found.as_dict()
    card.write_card(directory, contents)


def table(columns):
    """Scores side by side, as lines of text.

    Args:
        columns: A dict from each name to its dict of `Score`s.

    Returns:
        A string.
    """
    rows = [["", *columns]]
    for name, (title, _) in TITLES.items():
        if any(name in scores for scores in columns.values()):
            cells = (
                str(evaluation.shown_score(name, scores[name]))
                if name in scores
                else ""
                for scores in columns.values()
            )
            rows.append([title, *cells])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def warn_of_few(comparison):
    """Logs what a reader of the scores should know."""
    dim, count = (
        comparison.reference.features.shape[1],
        len(comparison.reference.images),
    )
    if count <= dim:
        logging.getLogger("ganlab").warning(
            "%d images are no more than their %d features: the Fréchet distance is "
            "far too high; read the kernel distance, or add images",
            count,
            dim,
        )
