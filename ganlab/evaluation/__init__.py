"""How good are these images, how sure is that, and what may it be compared with?

A score means nothing without how it was taken: which features, which real
images, how many. So scores travel with their `Protocol`, and scores of different
protocols refuse to stand side by side.
"""

import dataclasses
import hashlib
import json
from dataclasses import dataclass

import numpy as np

from ganlab import metrics, sampling
from ganlab.errors import UserError
from ganlab.evaluation.protocol import Protocol
from ganlab.features.extractors import class_shares, default_spec, load_extractor
from ganlab.files import atomic_file, cache_folder

MAX_IMAGES = 10_000
LEAST_IMAGES = 6
PATH_STEP = 1e-4
PATH_IMAGES = 1000
KNOWN = 0.5  # accuracy from which a classifier is taken to know the data's classes

# Score -> what it is called, and whether more of it is better.
TITLES = {
    "fid": ("Fréchet distance", False),
    "fid_infinity": ("Fréchet distance, n to infinity", False),
    "kid": ("kernel distance, x 1000", False),
    "precision": ("precision", True),
    "recall": ("recall", True),
    "density": ("density", True),
    "coverage": ("coverage", True),
    "ndb": ("bins that differ (NDB)", False),
    "duplicate_share": ("repeats of each other", False),
    "copied_share": ("copies of real images", False),
    "class_diversity": ("diversity within classes", True),
    "inception_score": ("class score", True),
    "label_accuracy": ("drawn as asked", True),
    "path_length": ("path length", False),
}


@dataclass(frozen=True)
class Reference:
    """Real images that others are held against.

    Args:
        protocol: The `Protocol` of scores against them.
        extractor: The `ganlab.features.extractors.Extractor`.
        images: Uint8 array `(n, height, width, channels)`, or points `(n, 2)`.
        labels: Int32 array `(n,)`, or `None`.
        class_names: A name for each class; empty without labels.
        features: Float32 array `(n, d)`.
        logits: Float32 array `(n, classes)`, or `None`.
    """

    protocol: Protocol
    extractor: object
    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple[str, ...]
    features: np.ndarray
    logits: np.ndarray | None

    @property
    def accuracy(self):
        """How often the extractor's classifier is right on them, or `None`."""
        if self.logits is None or self.labels is None:
            return None
        return float(np.mean(self.logits.argmax(axis=1) == self.labels))


@dataclass(frozen=True)
class Evaluation:
    """Scores of one set of images.

    Args:
        protocol: The `Protocol`.
        scores: A dict from a name in `TITLES` to a `ganlab.metrics.Score`.
        details: A dict of what is known beside them: `birthday_support`,
            `fewer_images_than_features`, and by class `class_shares` and
            `class_diversity`.
        images: The images that were scored.
        pairs: The `ganlab.metrics.Pairs` of real images and these.
    """

    protocol: Protocol
    scores: dict[str, metrics.Score]
    details: dict
    images: np.ndarray
    pairs: metrics.Pairs

    def as_dict(self):
        """Protocol, scores and details as JSON values."""
        return {
            "protocol": self.protocol.as_dict(),
            "scores": {
                name: dataclasses.asdict(score) for name, score in self.scores.items()
            },
            "details": self.details,
        }


def shown_score(name, score):
    """A score as it is shown: kernel distances are multiplied by 1000.

    Args:
        name: A name in `TITLES`.
        score: A `ganlab.metrics.Score`, or its fields as a dict.
    """
    if isinstance(score, dict):
        score = metrics.Score(**score)
    if name != "kid":
        return score
    return metrics.Score(*(1000 * each for each in dataclasses.astuple(score)))


def load_reference(
    data, *, features=None, num_images=MAX_IMAGES, seed=0, progress=None
):
    """Chooses real images of a data set and extracts their features.

    Features are kept under `~/.cache/ganlab` (or `XDG_CACHE_HOME`), by the hash of
    extractor and images, and read from there the next time.

    Args:
        data: A `ganlab.data.image_data.ImageData`.
        features: SPEC of an extractor, or `None` for `default_spec`.
        num_images: Integer: how many, at most.
        seed: Integer: seeds which ones.
        progress: `None`, or a function of `(images done, images in all)`.

    Returns:
        A `Reference`.

    Raises:
        UserError: if there are fewer than 6 images, or the extractor does not
            take them.
    """
    count = min(num_images, len(data.images))
    if count < LEAST_IMAGES:
        raise UserError(
            f"Expected {LEAST_IMAGES} real images or more. Received: {count} in "
            f"{data.spec}"
        )
    shape = tuple(int(size) for size in data.images.shape[1:])
    extractor = load_extractor(features or default_spec(shape), shape)
    some = np.sort(np.random.default_rng(seed).permutation(len(data.images))[:count])
    images = np.ascontiguousarray(data.images[some])
    split = data.spec.rpartition(":")[2]
    protocol = Protocol(
        extractor=extractor.name,
        extractor_sha256=extractor.sha256,
        resizer=extractor.resizer,
        data=data.spec,
        data_sha256=hashlib.sha256(images.tobytes()).hexdigest(),
        split=split if split in ("train", "test", "validation") else "all",
        image_shape=shape,
        num_images=count,
        seed=seed,
    )
    found, logits = _cached_features(protocol, extractor, images, progress)
    return Reference(
        protocol=protocol,
        extractor=extractor,
        images=images,
        labels=None if data.labels is None else data.labels[some],
        class_names=tuple(data.class_names),
        features=found,
        logits=logits,
    )


def _cached_features(protocol, extractor, images, progress):
    about = [extractor.name, extractor.sha256, extractor.resizer, protocol.data_sha256]
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:32]
    path = cache_folder() / "features" / f"{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            return kept["features"], kept.get("logits")
    except (OSError, ValueError, KeyError, EOFError):
        pass  # not there yet, or broken off
    features, logits = extractor.extract(images, progress)
    arrays = {"features": features} | ({} if logits is None else {"logits": logits})
    try:
        with atomic_file(path) as temporary:
            np.savez(temporary, **arrays)
    except OSError:
        pass  # a full or read-only disk costs the extraction next time
    return features, logits


def evaluate(
    reference, images, *, labels=None, generate=None, latent_dim=None, progress=None
):
    """Scores images against real ones.

    Args:
        reference: A `Reference`; as many of its images as there are others count.
        images: Uint8 array `(m, height, width, channels)`, 6 or more; points
            are float32 `(m, 2)`.
        labels: Int array `(m,)`: the classes that were asked for, or `None`.
        generate: Function from latents and labels to float32 images, for the
            path length, or `None`.
        latent_dim: Integer: size of its latents.
        progress: `None`, or a function of `(what is done, done, in all)`.

    Returns:
        An `Evaluation`.

    Raises:
        UserError: for images of another shape than the real ones, too few, or
            features that are not finite.
    """
    images = np.asarray(images)
    reference = check_images(reference, images)
    protocol, seed = reference.protocol, reference.protocol.seed
    images = images[: protocol.num_images]
    tell = progress or (lambda what, done, count: None)
    features, logits = reference.extractor.extract(
        images, lambda done, count: tell("features", done, count)
    )
    pairs = metrics.compare(
        reference.features,
        features,
        seed=seed,
        progress=lambda done, count: tell("pairs", done, count),
    )
    distance = metrics.frechet_score(reference.features, features, seed)
    scores = {"fid": distance}
    limit = metrics.frechet_infinity(reference.features, features, seed, distance.value)
    if limit is not None:
        scores["fid_infinity"] = _moved(distance, limit)
    scores["kid"] = pairs.kid
    scores |= metrics.manifold_scores(pairs, seed)
    scores["ndb"] = metrics.ndb_scores(reference.features, features, seed=seed)
    scores |= metrics.repetition_scores(pairs, seed)
    support = metrics.birthday_support(pairs)
    details = {
        "birthday_support": float(support) if np.isfinite(support) else None,
        "fewer_images_than_features": bool(len(images) <= features.shape[1]),
    }
    if labels is not None:
        labels = np.asarray(labels)[: len(images)]
    _score_classes(reference, features, logits, labels, scores, details)
    if generate is not None:
        scores["path_length"] = _path_length(
            reference, generate, latent_dim, labels, seed
        )
    return Evaluation(protocol, scores, details, images, pairs)


def check_images(reference, images):
    """The `Reference` cut to as many real images as there are others.

    Raises:
        UserError: if the images are of another shape than the real ones, or
            fewer than 6.
    """
    shape = reference.protocol.image_shape
    if tuple(images.shape[1:]) != shape:
        raise UserError(
            f"Expected images of shape {shape}, as those of {reference.protocol.data}. "
            f"Received: {tuple(images.shape[1:])}; name other --data, or draw them so"
        )
    if len(images) < LEAST_IMAGES:
        raise UserError(
            f"Expected {LEAST_IMAGES} images or more. Received: {len(images)}; "
            "draw more"
        )
    if len(images) >= len(reference.images):
        return reference
    draws = np.random.default_rng(reference.protocol.seed)
    return _part(reference, draws.permutation(len(reference.images))[: len(images)])


def evaluate_real(reference, progress=None):
    """Scores one random half of the real images against the other.

    It is what a perfect generator would score, at half as many images.

    Returns:
        An `Evaluation`.
    """
    first, second = halves(reference)
    return evaluate(first, second.images, labels=second.labels, progress=progress)


def halves(reference):
    """Cuts a `Reference` in two at random."""
    count = len(reference.images)
    order = np.random.default_rng(reference.protocol.seed).permutation(count)
    half = count // 2
    return _part(reference, order[:half]), _part(reference, order[half : 2 * half])


def _part(reference, some):
    """A `Reference` of some of its images."""
    images = reference.images[some]
    protocol = dataclasses.replace(
        reference.protocol,
        num_images=len(images),
        data_sha256=hashlib.sha256(np.ascontiguousarray(images).tobytes()).hexdigest(),
    )
    return dataclasses.replace(
        reference,
        protocol=protocol,
        images=images,
        labels=None if reference.labels is None else reference.labels[some],
        features=reference.features[some],
        logits=None if reference.logits is None else reference.logits[some],
    )


def _moved(score, value):
    """A score moved to another value, its interval with it."""
    gap = value - score.value
    return metrics.Score(value, score.low + gap, score.high + gap, score.standard_error)


def _score_classes(reference, features, logits, labels, scores, details):
    """Adds what is known of classes to `scores` and `details`."""
    seed, accuracy = reference.protocol.seed, reference.accuracy
    real_classes = np.zeros(len(reference.features), int)
    fake_classes = np.zeros(len(features), int)
    names = ("all",)
    if labels is not None and reference.labels is not None:
        real_classes, fake_classes = reference.labels, labels
        names = reference.class_names
    elif logits is not None:
        real_classes, fake_classes = (
            each.argmax(axis=1) for each in (reference.logits, logits)
        )
        names = reference.extractor.class_names
    diversity, by_class = metrics.class_diversity(
        reference.features, features, real_classes, fake_classes, seed
    )
    if diversity is not None:
        scores["class_diversity"] = diversity
        details["class_diversity"] = {
            names[each] if each < len(names) else str(each): ratio
            for each, ratio in by_class.items()
        }
    if logits is None:
        return
    if len(features) >= metrics.SPLITS:
        scores["inception_score"] = metrics.inception_score(class_shares(logits), seed)
    if accuracy is not None and accuracy > KNOWN:
        answers = logits.argmax(axis=1)
        counts = np.bincount(answers, minlength=len(reference.class_names))
        details["class_shares"] = {
            name: float(count / len(answers))
            for name, count in zip(reference.class_names, counts, strict=False)
        }
        if labels is not None:
            scores["label_accuracy"] = metrics.label_accuracy(answers, labels, seed)


def _path_length(reference, generate, latent_dim, labels, seed):
    """Path length between random pairs of latents of one class each."""
    count = min(PATH_IMAGES, reference.protocol.num_images)
    starts, ends = (
        sampling.sample_latents(count, latent_dim, seed + 1 + k) for k in range(2)
    )
    where = np.random.default_rng(seed).uniform(size=count)
    labels = None if labels is None else labels[:count]
    found = []
    for step in (0.0, PATH_STEP):
        latents = sampling.slerp(starts, ends, where + step)
        images = np.clip(generate(latents, labels), -1.0, 1.0)
        found.append(reference.extractor.extract(images)[0])
    before, after = found
    return metrics.path_lengths(before, after, PATH_STEP, seed)
