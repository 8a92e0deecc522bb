"""The translator: a generator that makes an image of another, and its adversary."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from ganlab import pictures
from ganlab.errors import UserError, brief, unknown_name
from ganlab.models import batches, first_batch, forward, pairs, reading, seeds
from ganlab.models.adversarial import AdversarialModel
from ganlab.models.batches import Batch, DiscriminatorInputs, Generated
from ganlab.models.compatibility import network_config
from ganlab.models.contrast import PatchContrast
from ganlab.objectives.arguments import is_number

TRAININGS: dict[str, dict[str, float]] = {  # with their losses and default weights
    "paired": {"reconstruction": 100.0},
    "cycle": {"cycle": 10.0, "identity": 5.0},
    "contrastive": {"contrast": 1.0, "identity": 1.0},
}
NETWORKS = ("inverse_generator", "inverse_discriminator")
BATCH_SIZE = 16  # of `translate`


@keras.saving.register_keras_serializable(package="ganlab")
class Translator(AdversarialModel):
    """Makes images of other images, trained on pairs or on two sets of images.

    Batches are `(sources, images)`; `x` and `y` of `fit` are arrays of them. Beside
    `L_adv`, the loss of any `ganlab.losses`, the generator minimises, with weights `w`,

        paired       w E|y - G(x)|                                 D judges [x, G(x)]
        cycle        w (E|x - F(G(x))| + E|y - G(F(y))|)
                     + w_identity (E|y - G(y)| + E|x - F(x)|)      D judges G(x), F(y)
        contrastive  w NCE(x, G(x)) + w_identity NCE(y, G(y))      D judges G(x)

    `paired` is pix2pix. `cycle` is CycleGAN: `F`, the inverse generator, has a
    discriminator of its own, and each optimizer trains both networks of its kind. The
    paper's pool of earlier images is not kept. `contrastive` is CUT: see
    `ganlab.models.contrast.PatchContrast`. `call`, `predict`, `translate` and `export`
    use the averaged generator `G`.

    Args:
        generator: `keras.Model` from sources to images, of equal height and width.
        discriminator: `keras.Model` from images to raw logits of any shape; with
            `paired`, from sources and images, in that order on the last axis.
        training: `"paired"`, `"cycle"` or `"contrastive"`.
        inverse_generator: With `cycle`: `keras.Model` from images to sources.
        inverse_discriminator: With `cycle`: of sources.
        feature_layers: With `contrastive`: names of the generator's layers whose
            outputs stand for patches. Defaults to those that are named `feature_…`, as
            in `ganlab.networks.unet_generator` and `resnet_translator`.
        ema_decay: Float in [0, 1). Weight of the past in the averaged generator.
        seed: Integer, 0 or more. Seeds the random numbers of training.
        output_range: `(low, high)`: the values of sources and images. Defaults to the
            range of the generator's last activation, or to `(-1.0, 1.0)`.
        name: String.

    Raises:
        UserError: for networks that do not fit the training or each other.

    Example:

    >>> from ganlab import networks
    >>> translator = Translator(
    ...     networks.unet_generator(32, base_filters=8, stages=3),
    ...     networks.patch_discriminator(32, source_channels=3, base_filters=8))
    >>> translator.compile(keras.optimizers.Adam(2e-4, beta_1=0.5),
    ...                    keras.optimizers.Adam(2e-4, beta_1=0.5))
    >>> translator.translate(np.zeros((2, 32, 32, 3), "uint8")).shape
    (2, 32, 32, 3)

    Reference:
        [Isola et al., 2017 (pix2pix)](https://arxiv.org/abs/1611.07004);
        [Zhu et al., 2017 (CycleGAN)](https://arxiv.org/abs/1703.10593);
        [Park et al., 2020 (CUT)](https://arxiv.org/abs/2007.15651)
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        *,
        training: str = "paired",
        inverse_generator: keras.Model | None = None,
        inverse_discriminator: keras.Model | None = None,
        feature_layers: list[str] | None = None,
        ema_decay: float = 0.999,
        seed: int = 0,
        output_range: tuple[float, float] | None = None,
        name: str = "translator",
    ) -> None:
        if training not in TRAININGS:
            raise unknown_name("training", training, TRAININGS)
        pairs.check_networks(
            training,
            generator,
            discriminator,
            inverse_generator,
            inverse_discriminator,
        )
        super().__init__(generator, ema_decay, seed, output_range, name)
        self.training = training
        self.feature_layers = feature_layers
        self.image_discriminator = self.discriminator = discriminator
        self.inverse_generator = inverse_generator
        self.inverse_discriminator = inverse_discriminator
        self.contrast: Any = None
        players = [generator]
        if training == "cycle":
            players.append(inverse_generator)
            self.discriminator = pairs.side_by_side(
                discriminator, inverse_discriminator
            )
        elif training == "contrastive":
            encoder = pairs.encoder(generator, feature_layers)
            self._encoder = lambda: encoder  # whose layers are the generator's
            self.contrast = PatchContrast([x.shape[-1] for x in encoder.outputs])
            players.append(self.contrast)
        self._trained = pairs.Together(players)
        self.built = True

    @property
    def trained_generator(self) -> keras.layers.Layer:
        return self._trained

    @property
    def source_shape(self) -> tuple[int | None, ...]:
        """Shape `(height, width, channels)` of a source, `None` where it is free."""
        return tuple(pairs.input_shape(self.generator))

    @property
    def log_keys(self) -> tuple[str, ...]:
        return (*super().log_keys, *(f"g_{name}" for name in self.loss_weights))

    def compile(
        self,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        loss: Any = "least_squares",
        discriminator_steps: int = 1,
        *,
        loss_weights: Mapping[str, float] | None = None,
        **options: Any,
    ) -> None:
        """Configures how the networks are trained.

        Args:
            generator_optimizer: See `ganlab.GAN.compile`; it trains all but the
                discriminators.
            discriminator_optimizer: See there; it trains both discriminators.
            loss: See there. Defaults to least squares.
            discriminator_steps: See there.
            loss_weights: A dict from names of the training's losses to floats of 0 or
                more; those that are left out keep `TRAININGS`' weights, and one of 0 is
                not computed. `reconstruction` for `paired`, `cycle` and `identity` for
                `cycle`, `contrast` and `identity` for `contrastive`; `identity` only
                where sources have as many channels as images.
            **options: The other arguments of `ganlab.GAN.compile`.

        Raises:
            UserError: as there, and for a weight that the training has not.
        """
        defaults = {**TRAININGS[self.training]}
        if self.source_shape[-1] != self.image_shape[-1]:
            defaults.pop("identity", None)
        self.loss_weights = _weights(self.training, defaults, loss_weights)
        super().compile(
            generator_optimizer,
            discriminator_optimizer,
            loss,
            discriminator_steps,
            **options,
        )

    def read_batches(self, data: Any) -> list[Batch]:
        sources, images = (
            reading.whole_groups(part, self.substeps)
            for part in reading.read_pairs(self, data)
        )
        parts = zip(
            ops.split(sources, self.substeps),
            ops.split(images, self.substeps),
            strict=True,
        )
        return [
            Batch(images, None, sources, substep)
            for substep, (sources, images) in enumerate(parts)
        ]

    def generate_fakes(self, batch: Batch) -> Generated:
        with tf.GradientTape() as tape:
            fakes, losses = self._generate(batch.inputs, batch.images, batch.substep)
            added = batches.added(self.trained_generator)
            weighted = [
                self.loss_weights[name] * value for name, value in losses.items()
            ]
        logs = {f"g_{name}": value for name, value in losses.items()}
        return Generated(fakes, tape, [*added.values(), *weighted], added | logs)

    def _generate(
        self, sources: Any, images: Any, substep: int = 0, *, training: bool = True
    ) -> tuple[Any, dict[str, Any]]:
        """What the discriminator judges, and the losses of the training by name."""

        def made(network: Any, inputs: Any) -> Any:
            return forward.call(network, inputs, None, training=training)

        fake = made(self.generator, sources)
        if self.training == "paired":
            distance = _distance(images, fake)
            return _joined(sources, fake), self._wanted(reconstruction=lambda: distance)
        if self.training == "cycle":
            back = made(self.inverse_generator, images)
            return _joined(fake, back), self._wanted(
                cycle=lambda: (
                    _distance(sources, made(self.inverse_generator, fake))
                    + _distance(images, made(self.generator, back))
                ),
                identity=lambda: (
                    _distance(images, made(self.generator, images))
                    + _distance(sources, made(self.inverse_generator, sources))
                ),
            )
        return fake, self._wanted(
            contrast=lambda: self._contrast(sources, fake, substep, 0),
            identity=lambda: self._contrast(
                images, made(self.generator, images), substep, 1
            ),
        )

    def _wanted(self, **losses: Any) -> dict[str, Any]:
        return {name: losses[name]() for name in self.loss_weights}

    def _contrast(self, source: Any, made: Any, substep: int, index: int) -> Any:
        of_made, of_source = (self._encoder()(part) for part in (made, source))
        seed = self.step_seed(substep, seeds.PATCHES, index)
        return self.contrast(of_made, of_source, seed)

    def _reals(self, sources: Any, images: Any) -> Any:
        parts = {"paired": (sources, images), "cycle": (images, sources)}
        return _joined(*parts.get(self.training, (images,)))

    def show(self, batch: Batch, generated: Generated) -> DiscriminatorInputs:
        real = ops.cast(self._reals(batch.inputs, batch.images), generated.images.dtype)
        return DiscriminatorInputs(real, generated.images, None, batch.substep)

    def perturb(self, images: Any, substep: int, side: int) -> Any:
        """Images that stand side by side are augmented alike, each in its colours."""
        first = {"paired": self.source_shape[-1], "cycle": self.image_shape[-1]}
        if self.training not in first:
            return super().perturb(images, substep, side)
        parts = ops.split(images, [first[self.training]], axis=-1)
        return _joined(
            *(super(Translator, self).perturb(x, substep, side) for x in parts)
        )

    def check_batch(self, data: Any, unit: int) -> None:
        first_batch.check_pairs(self, data, unit)

    def evaluate_batch(self, data: Any) -> dict[str, Any]:
        sources, images = reading.read_pairs(self, data)
        fakes, losses = self._generate(sources, images, training=False)
        reals = ops.cast(self._reals(sources, images), fakes.dtype)
        judged = self.discriminate(reals, fakes, None, training=False)
        logs = self.objective.evaluate(judged.outputs, None)
        return logs | {f"g_{name}": value for name, value in losses.items()}

    def total(self, logs: dict[str, Any]) -> Any:
        total = super().total(logs)
        for name, weight in self.loss_weights.items():
            total += weight * ops.cast(logs[f"g_{name}"], total.dtype)
        return total

    def translate(self, sources: Any, batch_size: int = BATCH_SIZE) -> np.ndarray:
        """Makes images of sources by the averaged generator.

        Args:
            sources: Uint8 array `(n, height, width, channels)`, or floats in
                `output_range`.
            batch_size: Integer: images at once.

        Returns:
            Uint8 array `(n, height, width, channels)`.
        """
        sources = reading.as_images(self, sources, self.source_shape)
        made = self.predict(sources, batch_size=batch_size, verbose=0)
        return pictures.to_uint8(made, self.output_range)

    def get_config(self) -> dict[str, Any]:
        networks = {name: getattr(self, name) for name in NETWORKS}
        return {
            **super().get_config(),
            "discriminator": network_config(self.image_discriminator),
            "training": self.training,
            "feature_layers": self.feature_layers,
            **{
                name: network if network is None else network_config(network)
                for name, network in networks.items()
            },
        }

    def get_compile_config(self) -> dict[str, Any] | None:
        config = super().get_compile_config()
        return config and {**config, "loss_weights": dict(self.loss_weights)}


def _weights(
    training: str, defaults: dict[str, float], given: Mapping[str, float] | None
) -> dict[str, float]:
    """The weights of the losses that are computed, by name."""
    if not isinstance(given or {}, Mapping):
        raise UserError(
            f"Expected loss_weights as a dict of {', '.join(defaults)}. Received: "
            f"{brief(given)}"
        )
    for name, weight in (given or {}).items():
        if name not in defaults:
            raise unknown_name(f"loss of training={training!r}", name, defaults)
        if not is_number(weight) or not 0.0 <= weight < float("inf"):
            raise UserError(
                f"Expected a weight of 0 or more for {name!r}. Received: {weight!r}"
            )
    weights = {**defaults, **(given or {})}
    return {name: float(weight) for name, weight in weights.items() if weight}


def _distance(images: Any, others: Any) -> Any:
    """The mean absolute difference."""
    return ops.mean(ops.abs(ops.cast(images, others.dtype) - others))


def _joined(*images: Any) -> Any:
    """Images side by side on the last axis."""
    if len(images) == 1:
        return images[0]
    dtype = images[-1].dtype
    return ops.concatenate([ops.cast(part, dtype) for part in images], axis=-1)
