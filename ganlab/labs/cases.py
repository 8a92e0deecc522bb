"""Cases: GANs as users write them, drawn at random and trained under a monitor.

A `Case` states data, networks, loss and optimizers of one GAN, in layers of Keras
alone, trained by `ganlab.GAN` or by a `keras.Model` with a `train_step` of its own.
Its fields of faults are off in a healthy case; `ganlab.labs.faults` turns them on.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

import ganlab
from ganlab.callbacks.monitor import Monitor
from ganlab.config.settings import Monitoring
from ganlab.data.toy2d import MIXTURES, find_mixture
from ganlab.errors import RunError, UserError
from ganlab.labs.case_networks import build_discriminator, build_generator
from ganlab.labs.plain_gan import PlainGAN

Pictures = Mapping[str, tuple[np.ndarray, np.ndarray]]

STEPS = 600
SIZE = 16  # pixels a side
TOY_SAMPLES = 4096
HELD_OUT = 256
MONITORING = Monitoring(
    log_every=20,
    sample_every=STEPS,
    checkpoint_every=STEPS,
    evaluate_every=80,
    evaluate_share=0.3,
    evaluate_images=256,
    features="pixels",
    probe_every=20,
    probe_share=0.2,
)
TOY_MONITORING = MONITORING.replace(features=None)


@dataclass(frozen=True)
class Case:
    """One user's GAN.

    Args:
        seed: Integer: of weights, latents and order.
        trainer: `ganlab` or `keras`: who trains it.
        data: `emoji`, `mnist`, `fashion_mnist`, or a toy mixture, `ring` or `grid`.
        conditional: Whether both networks take labels.
        value_range: Range of the pictures: `symmetric` for [-1, 1], `unit` for
            [0, 1], `bytes` for [0, 255], `standard` for mean 0 and deviation 1,
            `twice` for [0, 1 / 255].
        generator: `transposed` or `resized` convolutions, or `dense`.
        discriminator: `strided` or `pooled` convolutions, or `dense`.
        width: Integer: filters or units of the first layers.
        latent_dim: Integer.
        kernel_size: Integer: of transposed convolutions.
        generator_activation: Of hidden layers.
        discriminator_activation: Likewise.
        generator_normalization: `batch`, `layer` or `none`.
        discriminator_normalization: Likewise, or `dropout`.
        output: The generator's last activation.
        end: The discriminator's: `linear` or `sigmoid`; `softmax` or `relu`.
        loss: A loss's name: of `ganlab.losses`, or for Keras `cross_entropy`,
            `saturating`, `least_squares`, `hinge` or `wasserstein`.
        penalty: Weight of its gradient penalty (R1, or that of WGAN-GP), or 0.
        fake_label: 0 or 1, for a Keras loss of labels.
        optimizer: `adam` or `rmsprop`.
        rates: Learning rates of generator and discriminator.
        beta_1: Float, of Adam.
        discriminator_steps: Integer: steps for each of the generator.
        batch_size: Integer.
        steps: Integer.
        nan_share: Fraction of pictures with a NaN.
        distinct: How many pictures there are, or 0 for all.
        blank_share: Fraction of pictures that are of one colour.
        shuffled_labels: Whether labels are those of other pictures.
        still: A network that does not learn: `generator` or `discriminator`.
        still_by: `rate` of 0, `trainable` switched off, or `cut` gradient.
        latent_gain: Float: factor on the latents, within the generator.
        labels_used: Whether the generator looks at its labels.
        reversed_loss: A network whose loss has its sign swapped, or an empty string.
        targets: What the discriminator's loss lacks: `same` labels both sides alike,
            `fakes` leaves the real side out, `random` draws both sides' labels,
            `near` labels fakes by 0.1 less than real images alone.
        joint: Whether the generator's step moves the discriminator's weights too.
        dropout: Fraction of the discriminator's hidden units that are left out.
        noise: Standard deviation of noise on the discriminator's images, or 0.
        clip: Float: largest weight of the discriminator; or `None`.
        zero_kernels: Whether the generator's kernels start at 0.
        clipnorm: Float: largest norm of each gradient, of plain SGD; or `None`.
        from_logits: Whether the loss takes the discriminator's answers for logits;
            `None` for what they are.
        blind: Whether the discriminator sees no more than the mean colour.
        unit_bias: Float: initial bias of hidden units.
        output_gain: Float: factor on the generator's last pre-activations.
        momentum: Float: of moving statistics.
        spike: Factor on both rates from the middle of the run on.
        warmup: Integer: steps in which both rates rise from 0; 0 for none.
        weight_decay: Float, of Adam, in rates a step; 0 for none.
        rescaled_fakes: Whether the discriminator is shown fakes in [0, 1].
        stale_fakes: Whether it is shown the first batch of fakes in every step.
        inference: Whether the generator trains as it samples, by moving statistics.
        swapped_weights: Whether the generator's step moves the discriminator's weights
            instead.
        fixed_latents: Whether every step draws the same latents.
        discriminator_every: Integer: of how many steps the discriminator learns in one.
        taped: Whether the penalty reaches the discriminator's gradient.
        rescaled_reals: Whether real pictures are scaled from bytes once more.
        average: Float: decay of the averaged generator that is watched in place of the
            one that is trained; or `None`.
        cropped: Whether the discriminator sees a corner alone.
        borrowed_loss: Whether the generator minimises the discriminator's loss.
        other_labels: Whether fakes are judged under other labels than they are
            generated for.
    """

    seed: int
    trainer: str
    data: str
    conditional: bool = False
    value_range: str = "symmetric"
    generator: str = "transposed"
    discriminator: str = "strided"
    width: int = 16
    latent_dim: int = 32
    kernel_size: int = 4
    generator_activation: str = "relu"
    discriminator_activation: str = "leaky_relu"
    generator_normalization: str = "batch"
    discriminator_normalization: str = "dropout"
    output: str = "tanh"
    end: str = "linear"
    loss: str = "non_saturating"
    penalty: float = 0.0
    fake_label: int = 0
    optimizer: str = "adam"
    rates: tuple[float, float] = (5e-4, 5e-4)
    beta_1: float = 0.5
    discriminator_steps: int = 1
    batch_size: int = 32
    steps: int = STEPS
    nan_share: float = 0.0
    distinct: int = 0
    blank_share: float = 0.0
    shuffled_labels: bool = False
    still: str = ""
    still_by: str = ""
    latent_gain: float = 1.0
    labels_used: bool = True
    reversed_loss: str = ""
    targets: str = ""
    joint: bool = False
    dropout: float = 0.2
    noise: float = 0.0
    clip: float | None = None
    zero_kernels: bool = False
    clipnorm: float | None = None
    from_logits: bool | None = None
    blind: bool = False
    unit_bias: float = 0.0
    output_gain: float = 1.0
    momentum: float = 0.9
    spike: float = 1.0
    warmup: int = 0
    weight_decay: float = 0.0
    rescaled_fakes: bool = False
    stale_fakes: bool = False
    inference: bool = False
    swapped_weights: bool = False
    fixed_latents: bool = False
    discriminator_every: int = 1
    taped: bool = True
    rescaled_reals: bool = False
    average: float | None = None
    cropped: bool = False
    borrowed_loss: bool = False
    other_labels: bool = False

    @property
    def toy(self) -> bool:
        """Whether its samples are points of a mixture."""
        return find_mixture(self.data) is not None

    def replace(self, **fields: Any) -> "Case":
        """A copy with other fields."""
        return dataclasses.replace(self, **fields)

    def as_dict(self) -> dict[str, Any]:
        """JSON values."""
        return dataclasses.asdict(self)


def train(case: Case, pictures: Pictures, directory: Path | str) -> str | None:
    """Trains a case under a `Monitor`.

    Args:
        case: The `Case`.
        pictures: By name of the data, uint8 images `(n, 16, 16, channels)` and int32
            labels `(n,)`.
        directory: A new folder of a run.

    Returns:
        `None`; or, of a case that was refused before its first step, the reason.
    """
    keras.backend.clear_session()
    keras.utils.set_random_seed(case.seed)
    samples, labels = _samples(case, pictures)
    order = np.random.default_rng(case.seed).permutation(len(samples))
    held_out = 0 if case.toy else min(HELD_OUT, len(order) // 5)
    held, kept = order[:held_out], order[held_out:]
    classes = int(labels.max()) + 1 if case.conditional else 0
    shape = samples.shape[1:]
    generator = build_generator(case, shape, classes)
    discriminator = build_discriminator(case, shape, classes)

    def given(indices: np.ndarray) -> Any:
        images = samples[indices]
        return (images, labels[indices]) if case.conditional else images

    spec_alone = case.toy and not case.conditional
    monitor = Monitor(
        directory,
        case.data if spec_alone else given(kept),
        held_out=given(held) if len(held) else None,
        batch_size=case.batch_size,
        monitoring=TOY_MONITORING if case.toy else MONITORING,
    )
    try:
        model = _model(case, generator, discriminator, classes)
        scheduled = case.spike != 1 or case.warmup
        model.fit(
            _batches(case, given(kept)),
            epochs=1,
            steps_per_epoch=case.steps,
            verbose=0,
            shuffle=False,
            callbacks=[monitor, *([_Schedule(model, case)] if scheduled else [])],
        )
    except UserError as error:
        return str(error)
    except RunError:
        pass  # which the log tells of
    return None


def _samples(case: Case, pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
    """Real samples as the networks take them, and their labels."""
    random = np.random.default_rng([case.seed, 1])
    if case.toy:
        images, labels = MIXTURES[case.data].sample(TOY_SAMPLES, case.seed)
    else:
        stored, labels = pictures[case.data]
        images = _scaled(stored.astype(np.float32), case.value_range)
    if case.distinct:
        chosen = random.choice(len(images), case.distinct, replace=False)
        repeated = random.choice(chosen, max(len(images), 1024))
        if case.distinct >= HELD_OUT // 4:  # a small set, and not a repeated file
            repeated = chosen
        images, labels = images[repeated], labels[repeated]
    if case.shuffled_labels:
        labels = random.permutation(labels)
    if case.blank_share:
        blank = random.random(len(images)) < case.blank_share
        images = images.copy()
        images[blank] = images[blank][:, :1, :1]
    if case.nan_share:
        broken = random.random(len(images)) < case.nan_share
        images = images.copy()
        images[broken, ..., 0] = np.nan
    return images, np.asarray(labels, np.int32)


def _scaled(pixels: np.ndarray, value_range: str) -> np.ndarray:
    if value_range == "symmetric":
        return pixels / 127.5 - 1.0
    if value_range == "unit":
        return pixels / 255.0
    if value_range == "standard":
        return (pixels - pixels.mean()) / pixels.std()
    if value_range == "twice":
        return pixels / 255.0**2
    return pixels


def _batches(case: Case, samples: Any) -> tf.data.Dataset:
    size = case.batch_size
    if case.trainer == "ganlab":
        size *= case.discriminator_steps
    dataset = tf.data.Dataset.from_tensor_slices(samples)
    dataset = dataset.shuffle(8192, seed=case.seed).repeat()
    dataset = dataset.batch(size, drop_remainder=True)
    return dataset.prefetch(2)


class _Schedule(keras.callbacks.Callback):
    """A warm-up of both rates, and a factor on them from the middle on."""

    def __init__(self, gan: Any, case: Case) -> None:
        super().__init__()
        names = ("generator_optimizer", "discriminator_optimizer")
        self._optimizers = [getattr(gan, name) for name in names]
        self._case = case

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        case = self._case
        factor = min((batch + 1) / case.warmup, 1.0) if case.warmup else 1.0
        if batch >= case.steps // 2:
            factor *= case.spike
        for optimizer, rate in zip(self._optimizers, case.rates, strict=True):
            optimizer.learning_rate = rate * factor


def _optimizer(case: Case, role: str) -> keras.optimizers.Optimizer:
    rate = case.rates[role == "discriminator"]
    if case.still == role and case.still_by == "rate":
        rate = 0.0
    if case.clipnorm is not None:
        return keras.optimizers.SGD(rate, clipnorm=case.clipnorm)
    if case.optimizer == "rmsprop":
        return keras.optimizers.RMSprop(rate)
    return keras.optimizers.Adam(
        rate,
        beta_1=case.beta_1,
        beta_2=0.99,
        weight_decay=case.weight_decay or None,
    )


def _model(case: Case, generator: Any, discriminator: Any, classes: int) -> Any:
    """The compiled model that trains both networks."""
    optimizers = [_optimizer(case, role) for role in ("generator", "discriminator")]
    networks = {"generator": generator, "discriminator": discriminator}
    if case.still_by == "trainable":
        networks[case.still].trainable = False
    if case.trainer == "keras":
        plain = PlainGAN(case, generator, discriminator)
        plain.compile(*optimizers)
        return plain
    gan = ganlab.GAN(
        generator, discriminator, num_classes=classes or None, seed=case.seed
    )
    names = {"wasserstein": "gradient_penalty", "relativistic": "r1+r2"}
    regularizers = ganlab.regularizers.get(
        names.get(case.loss, "r1") if case.penalty else None, case.penalty
    )
    gan.compile(
        *optimizers,
        loss=case.loss,
        discriminator_steps=case.discriminator_steps,
        regularizers=regularizers,
    )
    return gan
